"""The command that times networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.evaluation.latency import load_speed
from models.measuring.latency import main
from tests.fakes.leaderboard import write_network
from tests.fakes.networks import add_artifact


def test_times_are_printed_and_stored_and_broken_networks_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    add_artifact(tmp_path, "emotion", "emotion")
    assert main([]) == 0
    assert load_speed(tmp_path / "emotion").images == 10
    out = capsys.readouterr().out
    assert out.startswith("emotion ")
    assert out.endswith(" ms\n")

    write_network(tmp_path, "broken", "emotion", {})
    assert main([]) == 1
    captured = capsys.readouterr()
    assert "emotion " in captured.out
    assert "broken" in captured.err
    assert "Traceback" not in captured.err

    write_network(tmp_path, "large", "emotion", {}, included=False)
    assert main(["large"]) == 2
    assert "networks that have one: broken, emotion" in capsys.readouterr().err

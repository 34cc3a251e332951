"""The command that times networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.evaluation.latency import load_speed
from models.measuring.latency import main
from tests.fakes.leaderboard import copy_real_network, write_network


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    copy_real_network(tmp_path)
    return tmp_path


def test_times_are_printed_and_kept(artifacts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert load_speed(artifacts / "emotion").images == 10
    out = capsys.readouterr().out
    assert out.startswith("emotion ")
    assert out.endswith(" ms\n")


def test_a_network_that_cannot_be_run_is_named_after_the_others(
    artifacts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_network(artifacts, "broken", "emotion", {})
    assert main([]) == 1
    captured = capsys.readouterr()
    assert "emotion " in captured.out
    assert "broken" in captured.err
    assert "Traceback" not in captured.err


def test_a_network_without_a_file_cannot_be_timed(artifacts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_network(artifacts, "large", "emotion", {}, included=False)
    assert main(["large"]) == 2
    assert "networks that have one: emotion" in capsys.readouterr().err

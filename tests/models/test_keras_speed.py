"""The command that times Keras; the times themselves are not tested."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifacts.model_card import ARTIFACTS_DIR
from models.keras_speed import load_prediction, main, timed


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command sets for its own process is undone for the other tests."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.delenv("FACET_ARTIFACTS", raising=False)


def test_every_artifact_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    loaded = []

    def load(folder: Path) -> Callable[[], object]:
        loaded.append(folder)
        return lambda: None

    assert main(["emotion", "age_gender", "--repeats", "2", "--json"], load) == 0
    printed = json.loads(capsys.readouterr().out)
    assert loaded == [ARTIFACTS_DIR / "emotion", ARTIFACTS_DIR / "age_gender"]
    assert set(printed) == {"import_s", "repeats", "models"}
    assert set(printed["models"]) == {"emotion", "age_gender"}
    assert all(0 <= one["median_ms"] <= one["p95_ms"] for one in printed["models"].values())


def test_the_real_network_answers_one_crop() -> None:
    answer = load_prediction(ARTIFACTS_DIR / "emotion")()
    assert isinstance(answer, dict)
    assert answer["emotion"].shape == (1, 7)


def test_calls_before_the_first_timed_one_are_not_counted() -> None:
    calls = []
    figures = timed(lambda: calls.append(None), repeats=3)
    assert len(calls) > 3
    assert set(figures) == {"median_ms", "p95_ms"}


def test_without_tensorflow_a_line_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert main(["emotion"]) == 2
    error = capsys.readouterr().err
    assert "TensorFlow is not installed" in error
    assert len(error.splitlines()) == 1


def test_an_artifact_that_is_not_there_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    assert main(["absent"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1

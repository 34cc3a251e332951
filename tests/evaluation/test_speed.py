"""What a measurement of speed is made of; how fast anything is depends on the machine and is not tested here."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.detection import DETECTORS
from core.errors import ArtifactError, ConfigError
from core.evaluation.plots.latency import (
    network_bars,
    network_table,
    size_table,
    stage_bars,
    stage_table,
    stage_title,
)
from core.evaluation.speed import KerasTimes, StageTime, keras_times, measure_speed, network_sizes
from core.settings import DetectorSettings
from core.types import Detection
from tests.fakes.evaluation import write_artifact
from tests.fakes.speed import KERAS, STAGES, speed_report

PRINTED = {"import_s": 5.0, "models": {"emotion": {"median_ms": 50.0, "p95_ms": 60.0}}}


class NobodyDetector:
    def __init__(self, settings: DetectorSettings) -> None:
        self.settings = settings

    def detect(self, frame: np.ndarray) -> tuple[Detection, ...]:
        return ()


def _keras(names: Sequence[str]) -> KerasTimes:
    return KerasTimes(tuple(StageTime(name, 50.0, 60.0) for name in names), import_s=5.0)


def _no_keras(names: Sequence[str]) -> KerasTimes:
    raise ArtifactError("TensorFlow is not installed here.")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("quick", "haar"):
        monkeypatch.setitem(DETECTORS, name, NobodyDetector)


def _command(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_stages_and_keras_are_measured_and_progress_ends(quick: None) -> None:
    told: list[float] = []
    report = measure_speed(_keras, "quick", lambda share, text: told.append(share), repeats=1)
    assert {"decode", "detect", "emotion, one face", "whole, 1 face"} < {one.name for one in report.stages}
    assert (report.detector, report.repeats, report.frame) == ("quick", 1, "640x480")
    assert report.networks == ("emotion", "age_gender")
    assert all(report.served(name) is not None for name in report.networks)
    assert report.predicted("age_gender") == StageTime("age_gender", 50.0, 60.0)
    assert report.keras_failure == ""
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_without_keras_the_stages_remain_and_the_reason_is_kept(quick: None) -> None:
    report = measure_speed(_no_keras, "quick", lambda share, text: None, repeats=1)
    assert report.stages
    assert report.keras is None
    assert report.predicted("emotion") is None
    assert report.keras_failure == "TensorFlow is not installed here."


def test_an_unknown_detector_is_an_error() -> None:
    with pytest.raises(ConfigError, match="unknown detector 'eagle'"):
        measure_speed(_keras, "eagle", lambda share, text: None, repeats=1)


@pytest.mark.parametrize(("median", "p95"), [(2.0, 1.0), (-1.0, 1.0), (1.0, math.nan)])
def test_times_are_checked(median: float, p95: float) -> None:
    with pytest.raises(ValueError, match="median <= p95"):
        StageTime("decode", median, p95)


def test_a_child_process_is_told_what_to_time_and_its_answer_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACET_ARTIFACTS", "here")
    told = tmp_path / "told.json"
    code = (
        f"import json, os, sys; from pathlib import Path; Path({str(told)!r}).write_text("
        "json.dumps([sys.argv[1:], os.environ['FACET_ARTIFACTS'], os.getcwd()])); "
        f"sys.stderr.write('noise'); print({json.dumps(json.dumps(PRINTED))})"
    )
    times = keras_times(["emotion"], _command(code))
    assert times == KerasTimes((StageTime("emotion", 50.0, 60.0),), 5.0)
    arguments, artifacts, folder = json.loads(told.read_text())
    assert arguments == ["emotion", "--threads", "1", "--json"]
    assert artifacts == str(tmp_path / "here")
    assert (Path(folder) / "models").is_dir()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.stderr.write('noise\\nerror: TensorFlow is not installed'); sys.exit(2)", "^TensorFlow is"),
        ("raise RuntimeError('secret')", "^Keras could not be timed: its process ended with status 1$"),
        ("import sys; sys.exit(3)", "status 3"),
        ("print('hello')", "no usable times"),
        ("print('{\"models\": {}}')", "no usable times"),
        ("print('[]')", "no usable times"),
        ("import time; time.sleep(60)", "within 1 seconds"),
    ],
    ids=["told", "traceback", "silent", "no JSON", "incomplete", "list", "too slow"],
)
def test_what_goes_wrong_in_the_child_is_said_in_a_line(code: str, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        keras_times(["emotion"], _command(code), timeout_s=1.0 if "sleep" in code else 60.0)


def test_a_command_that_does_not_exist() -> None:
    with pytest.raises(ArtifactError, match="could not be started"):
        keras_times(["emotion"], ("/nowhere/python",))


def test_sizes_come_from_the_cards(tmp_path: Path) -> None:
    files = {"model.tflite": {"bytes": 700_000, "sha256": ""}, "model.keras": {"bytes": 2_900_000, "sha256": ""}}
    write_artifact(tmp_path, "emotion", "emotion", {}, files=files)
    write_artifact(tmp_path, "unlisted", "age_gender", {})
    write_artifact(tmp_path, "detector", "detection", {})
    (tmp_path / "broken").mkdir()
    table = size_table(network_sizes(tmp_path))
    assert table["network"].tolist() == ["The emotion network", "The unlisted network"]
    assert table["parameters"].tolist() == [680_000, 680_000]
    assert table["served_file_mb"][0] == 0.7
    assert table["keras_file_mb"][0] == 2.9
    assert table["served_file_mb"].isna().tolist() == [False, True]


def test_both_ways_are_compared_network_by_network(tmp_path: Path) -> None:
    write_artifact(tmp_path, "emotion", "emotion", {})
    write_artifact(tmp_path, "other", "emotion", {})
    sizes = network_sizes(tmp_path)
    table = network_table(speed_report(), sizes)
    assert table["times_as_fast"][0] == 50.0
    assert table["times_as_fast"].isna().tolist() == [False, True]
    ours, keras = network_bars(speed_report(), sizes, "Title").data
    assert (list(ours.x), list(keras.x)) == ([1.0], [50.0])
    assert list(ours.y) == ["The emotion network"]


def test_without_keras_the_figure_says_so(tmp_path: Path) -> None:
    write_artifact(tmp_path, "emotion", "emotion", {})
    sizes = network_sizes(tmp_path)
    figure = network_bars(speed_report(keras=None), sizes, "Title")
    assert not figure.data
    assert figure.layout.annotations[0].text == "Keras was not timed"
    assert network_table(speed_report(keras=None), sizes)["keras_predict_ms"].isna().all()


def test_bars_are_our_own_stages_and_the_table_has_all() -> None:
    figure = stage_bars(speed_report(), "Title")
    figure.to_json()
    assert figure.layout.title.text == "Title"
    assert len(figure.data[0].x) == len(STAGES) - 1
    assert not any("Haar" in name for name in figure.data[0].y)
    assert stage_table(speed_report())["median_ms"].tolist() == [one.median_ms for one in STAGES]
    assert KERAS.import_s == 5.0


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("detect, settings for photos", "Find faces, photo"),
        ("detect, haar", "Find faces, live video (Haar, to compare)"),
        ("crop for age_gender", "Cut out a face for age and gender"),
        ("emotion, one face", "Read emotion of one face"),
        ("all but detection, 3 faces", "Whole frame but finding faces, 3 faces"),
        ("whole, 1 face", "Whole frame, 1 face"),
        ("something new", "something new"),
    ],
)
def test_stages_have_plain_names(name: str, title: str) -> None:
    assert stage_title(name) == title

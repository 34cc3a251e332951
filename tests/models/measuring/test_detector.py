from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from core.errors import ConfigError, DetectorError
from core.evaluation.detection.metrics import recompute
from core.evaluation.detection.report import Latency
from core.evaluation.detection.store import load_numbers, load_report
from core.settings import DetectorSettings
from models import evaluate
from models.measuring import detector as detector_evaluation
from tests.fakes.core import FakeDetector
from tests.fakes.detection import write_faces

ASTRONAUT_POINTS = np.array([[103.0, 54.0], [120.0, 54.0], [113.0, 64.0], [113.0, 72.0]])
"""In skimage's astronaut at half size; the viewer's left eye first."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    half = cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return write_faces(tmp_path_factory.mktemp("data"), half[:160, 40:240], ASTRONAUT_POINTS - (40, 0))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        detector_evaluation,
        "measure_latencies",
        lambda detector, photos, live: (Latency(live, 256, 256, 1.5), Latency(live, 640, 480, 4.0)),
    )


def test_the_command_stores_what_it_prints(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    arguments = ["detector", "--data", str(data), "--detectors", "haar,haar_default", "--json", "--store"]
    assert evaluate.main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["photos"], printed["web_photos"]) == (3, 2)
    assert list(printed["detectors"]) == ["haar", "haar_default"]
    as_is = printed["detectors"]["haar"]["setups"]["as_is"]
    assert (as_is["recall"]["n"], as_is["recall"]["value"]) == (2, 1.0)
    assert as_is["street_recall"]["value"] == 1.0
    assert as_is["points"] is None
    folder = tmp_path / "face_detector"
    report = load_report(folder)
    assert report.images == 3
    assert recompute(report, *load_numbers(folder)) == report


def test_the_table_has_every_part(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["detector", "--data", str(data), "--detectors", "haar", "--limit", "2"]) == 0
    text = capsys.readouterr().out
    assert "2 test images" in text
    words = ("Haar alt2", "Enlarged to 640 px", "Recall by rotation", "median_ms", "640x480")
    assert [word for word in words if word not in text] == []


def test_detectors_that_fail_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(settings: DetectorSettings) -> FakeDetector:
        raise DetectorError("put the file there")

    candidates = {"good": lambda settings: FakeDetector(), "broken": broken}
    assert list(detector_evaluation.select_detectors(["good", "broken"], candidates)) == ["good"]
    assert "left out broken: put the file there" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no detector"):
        detector_evaluation.select_detectors(["broken"], candidates)
    assert {"haar", "haar_default"} <= set(detector_evaluation.CANDIDATES) <= set(detector_evaluation.TITLES)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--detectors", "eagle"], "unknown detector 'eagle'"),
        (["--store", "--limit", "1"], "leave out --limit"),
        (["--detectors", "haar", "--data", "nowhere"], "nowhere"),
    ],
    ids=["unknown detector", "part of the images stored", "no data"],
)
def test_an_error_is_one_line(data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert evaluate.main(["detector", "--data", str(data), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1

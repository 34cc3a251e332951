from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from core.detection import FaceDetector
from core.detection.haar import HaarDetector
from core.errors import ConfigError, DatasetError, DetectorError
from core.evaluation.detection.metrics import recompute
from core.evaluation.detection.report import Latency
from core.evaluation.detection.results import SetResults
from core.evaluation.detection.runner import Candidate, Detectors
from core.evaluation.detection.store import load_numbers, load_report
from models import evaluate
from models.measuring import detector as detector_evaluation
from models.measuring import detector_sets
from models.measuring.detector import CANDIDATES, add_stored, create_candidates
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
    times = (Latency(False, 640, 480, 4.0), Latency(True, 640, 480, 1.5))
    monkeypatch.setattr("core.evaluation.detection.runner.measure_latencies", lambda candidate, scene: times)
    monkeypatch.setattr(detector_sets, "WITHOUT_PEOPLE", {"skimage/data": ("brick.png", "no.png")})
    monkeypatch.delenv("FACET_YUNET", raising=False)


def test_the_command_stores_what_it_prints(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    arguments = ["detector", "--data", str(data), "--detectors", "haar", "--json", "--store"]
    assert evaluate.main(arguments) == 0
    output = capsys.readouterr()
    printed = json.loads(output.out)
    assert printed["sets"] == {"faces": 3}
    haar = printed["detectors"]["haar"]
    as_is = haar["default"]["conditions"]["as_is"]
    assert (as_is["recall"]["n"], as_is["recall"]["value"]) == (2, 1.0)
    assert as_is["street_recall"]["value"] == 1.0
    assert as_is["points"] is None
    assert haar["default"]["figures"]["ms_live"]["value"] == 1.5
    assert haar["matched"]["min_score"] <= haar["default"]["min_score"]
    for words in ("Groups: no", "FairFace portraits: no", "close-ups: ", "Images without a person: ", "yaw"):
        assert f"left out {words}" in output.err or words in output.err
    folder = tmp_path / "face_detector"
    report = load_report(folder)
    assert report.images == 3
    assert recompute(report, load_numbers(folder)) == report


def test_detectors_that_do_not_run_keep_what_is_stored(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def candidate(title: str, detector: FaceDetector) -> Candidate:
        return Candidate(title, 0.5, Detectors(detector, detector), Detectors(detector, detector))

    candidates = {
        "haar": lambda _: candidate("Haar", HaarDetector()),
        "yunet": lambda _: candidate("YuNet", FakeDetector()),
    }
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(detector_evaluation, "CANDIDATES", candidates)
    monkeypatch.setattr(detector_evaluation.create_candidates, "__defaults__", (candidates,))
    arguments = ["detector", "--data", str(data), "--store", "--detectors"]
    assert evaluate.main([*arguments, "haar"]) == 0
    before = load_report(tmp_path / "face_detector").detectors["haar"]
    candidates["haar"] = lambda _: candidate("Haar", FakeDetector())
    assert evaluate.main([*arguments, "yunet"]) == 0
    report = load_report(tmp_path / "face_detector")
    assert list(report.detectors) == ["haar", "yunet"]
    assert report.detectors["haar"].default.conditions == before.default.conditions
    assert recompute(report, load_numbers(tmp_path / "face_detector")) == report

    stored = load_numbers(tmp_path / "face_detector")
    last = {"faces": SetResults(stored["faces"].images[1:], {})}
    kept = add_stored(last, stored, ["haar"])["faces"].found["haar"]["as_is"]
    assert [len(faces) for faces in kept] == [len(faces) for faces in stored["faces"].found["haar"]["as_is"][1:]]
    with pytest.raises(DatasetError, match="lack images"):
        add_stored({"faces": SetResults(stored["faces"].images, {})}, last, ["haar"])


def test_the_table_has_every_part(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["detector", "--data", str(data), "--detectors", "haar", "--limit", "2"]) == 0
    text = capsys.readouterr().out
    words = (
        "Web images and street scenes 2",
        "0.10 false positives per web image",
        "Haar 0.603",
        "Recall by rotation",
        "640x480",
    )
    assert [word for word in words if word not in text] == []


def test_detectors_that_fail_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    both = Detectors(FakeDetector(), FakeDetector())

    def broken(file: Path | None) -> Candidate:
        raise DetectorError(f"put {file} there")

    factories = {"good": lambda file: Candidate("Good", 0.5, both, both), "broken": broken}
    assert list(create_candidates(["good", "broken"], Path("here"), factories)) == ["good"]
    assert "left out broken: put here there" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no detector"):
        create_candidates(["broken"], None, factories)


def test_a_low_threshold_finds_at_least_what_the_app_finds() -> None:
    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    for name, candidate in create_candidates(["facet", "haar"], None).items():
        app, low = candidate.app.photo.detect(astronaut), candidate.low_threshold.photo.detect(astronaut)
        strong = tuple(face for face in low if face.score >= candidate.min_score)
        assert [face.box for face in strong] == [face.box for face in app], name
        assert strong
    assert list(CANDIDATES) == ["facet", "yunet", "haar"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--detectors", "eagle"], "unknown detector 'eagle'"),
        (["--store", "--limit", "1"], "leave out --limit"),
        (["--detectors", "haar", "--data", "nowhere"], "no test set"),
    ],
    ids=["unknown detector", "part of the images stored", "no data"],
)
def test_errors_end_with_one_line(
    data: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert evaluate.main(["detector", "--data", str(data), *arguments]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert words in error


def test_a_missing_scene_leaves_out_times(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(detector_sets, "find_spec", lambda package: None)
    assert detector_evaluation.load_scene() is None
    assert "left out times" in capsys.readouterr().err

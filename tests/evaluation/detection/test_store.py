from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, CARD_FILE, DETECTOR_ARTIFACT, SERVED_FILE
from core.artifacts.storage import sha256_of
from core.detection import FaceArrays
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.detection.metrics import recompute
from core.evaluation.detection.results import SetResults
from core.evaluation.detection.store import (
    MEASURED_KEY,
    NUMBERS_FILE,
    REPORT_FILE,
    load_numbers,
    load_report,
    quantize,
    save_results,
)
from tests.fakes.detection import example_report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_results(tmp_path / "face_detector", *example_report())
    return tmp_path / "face_detector"


def test_the_report_comes_back(folder: Path) -> None:
    assert load_report(folder) == example_report()[0]
    assert not list(folder.glob("*.partial"))


def test_the_stored_numbers_give_the_stored_report(folder: Path) -> None:
    report, results = load_report(folder), load_numbers(folder)
    expected = example_report()[1]
    assert {name: [image.id for image in part.images] for name, part in results.items()} == {
        name: [image.id for image in part.images] for name, part in expected.items()
    }
    assert recompute(report, results) == report


def test_no_images_can_be_stored(tmp_path: Path) -> None:
    empty = {"faces": SetResults((), {"facet": {"as_is": ()}})}
    save_results(tmp_path, example_report()[0], empty)
    assert load_numbers(tmp_path) == empty


def test_detections_are_kept_from_a_minimum_score() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 20, 20], [0, 0, 30, 30.004]])
    faces = quantize(FaceArrays(boxes, np.array([0.3, 0.04, 0.9]), np.full((3, 5, 2), np.nan)))
    assert faces.xyxy.tolist() == [[0, 0, 30, 30], [0, 0, 10, 10]]
    assert faces.scores == pytest.approx([0.9, 0.3], abs=1 / 8192)
    assert np.isnan(faces.landmarks).all()


@pytest.mark.parametrize("content", [b"", b'{"images": "many"}'], ids=["empty", "other content"])
@pytest.mark.parametrize(("name", "load"), [(REPORT_FILE, load_report), (NUMBERS_FILE, load_numbers)])
def test_an_invalid_file_is_named(tmp_path: Path, name: str, load: Callable[[Path], object], content: bytes) -> None:
    with pytest.raises(ArtifactMissingError, match=rf"{name} is missing.*evaluate detector"):
        load(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactCorruptError, match=rf"{name}.*evaluate detector"):
        load(tmp_path)


def test_a_report_about_another_model_is_refused(folder: Path) -> None:
    for name in (CARD_FILE, SERVED_FILE):
        shutil.copy(ARTIFACTS_DIR / DETECTOR_ARTIFACT / name, folder)
    with pytest.raises(ArtifactCorruptError, match="altered"):
        load_report(folder)
    card = json.loads((folder / CARD_FILE).read_text())
    report = folder / REPORT_FILE
    card[MEASURED_KEY] = card["files"][SERVED_FILE]["sha256"]
    card["files"][REPORT_FILE] = {"bytes": report.stat().st_size, "sha256": sha256_of(report)}
    (folder / CARD_FILE).write_text(json.dumps(card))
    assert load_report(folder).detectors
    card["files"][SERVED_FILE]["sha256"] = "of a new export"
    (folder / CARD_FILE).write_text(json.dumps(card))
    with pytest.raises(ArtifactCorruptError, match="another model"):
        load_report(folder)


def test_numbers_of_other_images_are_refused(folder: Path) -> None:
    with np.load(folder / NUMBERS_FILE) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["faces/haar/counts"] = arrays["faces/haar/counts"][:-7]
    np.savez_compressed(folder / NUMBERS_FILE, **arrays)
    with pytest.raises(ArtifactCorruptError, match="2 images"):
        load_numbers(folder)

"""The files that keep how good the detectors are, in the folder of the detector's artifact; numbers only, no pixels.

``detection.json`` is the report. ``detections.npz`` holds what the report was computed from: for every test set the
annotations under ``<set>/marks/``, and under ``<set>/<detector>/`` the boxes, scores and landmarks of all runs, one run
after the other. Boxes and landmarks are in steps of 1/16 pixel, scores in steps of 1/8192.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import CARD_FILE, SERVED_FILE, load_card
from core.artifacts.storage import load_json, load_npz, load_verified_json, save_json, save_npz
from core.datasets.faces import Annotations
from core.detection.base import FaceArrays
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.detection.matching import concatenate
from core.evaluation.detection.report import DetectionReport
from core.evaluation.detection.results import Results, SetResults

REPORT_FILE = "detection.json"
NUMBERS_FILE = "detections.npz"
MEASURED_KEY = "measured_sha256"
"""On the card: SHA-256 of the model file that the report is about."""
MIN_SCORE = 0.05
_MARKS = "marks"
_STEPS_PER_PIXEL = 16
_STEPS_OF_SCORE = 8192
_MAX_STEP = 2**30
_NO_LANDMARK = -(2**31)
_ADVICE = "Restore it with: python -m models.evaluate detector --data DIR --store"
Arrays = dict[str, NDArray[Any]]


def quantize(faces: FaceArrays) -> FaceArrays:
    """Round faces to what the file can hold: scores of at least ``MIN_SCORE``, best first, in its steps."""
    scores = (faces.scores * _STEPS_OF_SCORE).round() / _STEPS_OF_SCORE
    rounded = FaceArrays(_to_pixels(_to_steps(faces.xyxy)), scores, _to_pixels(_to_steps(faces.landmarks)))
    return rounded.take(scores >= MIN_SCORE).best_first()


def save_results(folder: Path, report: DetectionReport, results: Results) -> None:
    """Write both files; each appears complete or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays: Arrays = {}
    for test_set, part in results.items():
        arrays |= {f"{test_set}/{_MARKS}/{name}": values for name, values in _pack_annotations(part.images).items()}
        for detector, runs in part.found.items():
            packed = _pack_faces([faces for found in runs.values() for faces in found])
            packed["runs"] = np.array(list(runs), np.str_)
            arrays |= {f"{test_set}/{detector}/{name}": values for name, values in packed.items()}
    save_npz(folder / NUMBERS_FILE, arrays)
    save_json(folder / REPORT_FILE, report)


def load_report(folder: Path) -> DetectionReport:
    """Read the report.

    Where the folder has a card, the report must be the one listed there, about the model listed there. Raises
    ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file.
    """
    file = Path(folder) / REPORT_FILE
    card = load_card(file.parent) if (file.parent / CARD_FILE).is_file() else None
    if card is None:
        return load_json(file, DetectionReport, _ADVICE)
    report = load_verified_json(file, card.files, DetectionReport, _ADVICE)
    if card.raw.get(MEASURED_KEY) != card.files.get(SERVED_FILE, {}).get("sha256"):
        raise ArtifactCorruptError(f"{file} is about another model than the one installed now. {_ADVICE}")
    return report


def load_numbers(folder: Path) -> dict[str, SetResults]:
    """Read what the report was computed from. Raises as ``load_report``."""
    file = Path(folder) / NUMBERS_FILE
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {_ADVICE}")
    try:
        return _unpack(load_npz(file))
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise ArtifactCorruptError(f"{file} cannot be used ({type(error).__name__}: {error}). {_ADVICE}") from error


def _unpack(arrays: Arrays) -> dict[str, SetResults]:
    results: dict[str, SetResults] = {}
    for test_set in dict.fromkeys(name.split("/")[0] for name in arrays):
        images = _unpack_annotations(arrays, f"{test_set}/{_MARKS}")
        prefixes = [name.removesuffix("/runs") for name in arrays if name.startswith(f"{test_set}/")]
        detectors = [prefix for prefix in prefixes if f"{prefix}/runs" in arrays]
        found = {prefix.partition("/")[2]: _unpack_runs(arrays, prefix, len(images)) for prefix in detectors}
        results[test_set] = SetResults(images, found)
    return results


def _pack_annotations(images: Sequence[Annotations]) -> Arrays:
    parts = {
        "points": ((4, 2), [image.landmarks for image in images]),
        "boxes": ((4,), [image.boxes for image in images]),
        "machine_boxes": ((4,), [image.pseudo_labels.xyxy for image in images]),
        "machine_points": ((5, 2), [image.pseudo_labels.landmarks for image in images]),
        "machine_scores": ((), [image.pseudo_labels.scores for image in images]),
    }
    arrays: Arrays = {
        "ids": np.array([image.id for image in images], np.str_),
        "resolutions_wh": np.array([image.resolution_wh for image in images], np.int32).reshape(-1, 2),
    }
    for name, (shape, rows) in parts.items():
        arrays[name] = concatenate(rows, shape).astype(np.float32)
        arrays[f"{name}_counts"] = _counts(rows)
    return arrays


def _unpack_annotations(arrays: Arrays, prefix: str) -> tuple[Annotations, ...]:
    landmarks, boxes, pseudo_boxes, pseudo_landmarks, pseudo_scores = (
        _split(arrays[f"{prefix}/{name}"].astype(np.float64), arrays[f"{prefix}/{name}_counts"])
        for name in ("points", "boxes", "machine_boxes", "machine_points", "machine_scores")
    )
    pseudo_labels = map(FaceArrays, pseudo_boxes, pseudo_scores, pseudo_landmarks)
    ids, resolutions_wh = arrays[f"{prefix}/ids"].tolist(), map(tuple, arrays[f"{prefix}/resolutions_wh"].tolist())
    return tuple(map(Annotations, ids, resolutions_wh, landmarks, boxes, pseudo_labels))


def _pack_faces(found: Sequence[FaceArrays]) -> Arrays:
    return {
        "counts": _counts([faces.scores for faces in found]),
        "scores": concatenate([faces.scores for faces in found], ()).astype(np.float32),
        "xyxy": _to_steps(concatenate([faces.xyxy for faces in found], (4,))),
        "points": _to_steps(concatenate([faces.landmarks for faces in found], (5, 2))),
    }


def _unpack_runs(arrays: Arrays, prefix: str, image_count: int) -> dict[str, tuple[FaceArrays, ...]]:
    runs, counts = arrays[f"{prefix}/runs"].tolist(), arrays[f"{prefix}/counts"]
    if len(counts) != image_count * len(runs):
        raise ValueError(f"{prefix} is about {len(counts) / len(runs):g} images, the annotations about {image_count}")
    xyxy, landmarks = _to_pixels(arrays[f"{prefix}/xyxy"]), _to_pixels(arrays[f"{prefix}/points"])
    scores = arrays[f"{prefix}/scores"].astype(np.float64)
    faces = tuple(map(FaceArrays, _split(xyxy, counts), _split(scores, counts), _split(landmarks, counts)))
    return {run: faces[row * image_count : (row + 1) * image_count] for row, run in enumerate(runs)}


def _counts(parts: Sequence[NDArray[Any]]) -> NDArray[np.uint16]:
    return np.array([len(part) for part in parts], np.uint16)


def _split(values: NDArray[Any], counts: NDArray[Any]) -> list[NDArray[Any]]:
    ends = np.cumsum(counts, dtype=np.int64)
    if len(values) != (ends[-1] if len(ends) else 0):
        raise ValueError(f"{len(values)} rows for {counts.sum()} faces")
    return np.split(values, ends[:-1]) if len(ends) else []


def _to_steps(pixels: NDArray[Any]) -> NDArray[np.int32]:
    """Quantise pixels to int32 steps; NaN has a value of its own."""
    steps = np.clip(np.nan_to_num(pixels, nan=0.0) * _STEPS_PER_PIXEL, -_MAX_STEP, _MAX_STEP).round()
    return np.where(np.isnan(pixels), _NO_LANDMARK, steps).astype(np.int32)


def _to_pixels(steps: NDArray[np.int32]) -> NDArray[np.float64]:
    return np.where(steps == _NO_LANDMARK, np.nan, steps / _STEPS_PER_PIXEL)

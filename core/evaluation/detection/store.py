"""The files that keep how good the detectors are, in the folder of the detector's artifact; numbers only, no pixels.

``detection.json`` is the report. ``detections.npz`` holds what the report was computed from: the marks, and for every
detector and run the boxes, scores and points found. Boxes and points are kept in steps of 1/64 pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import CARD_FILE, SERVED_FILE, load_card
from core.artifacts.storage import load_json, load_npz, load_verified_json, save_json, save_npz
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.detection.matching import FoundFaces, PhotoMarks, joined
from core.evaluation.detection.report import DetectionReport

REPORT_FILE = "detection.json"
NUMBERS_FILE = "detections.npz"
MEASURED_KEY = "measured_sha256"
"""On the card: of the model file that the report is about."""
LEAST_SCORE = 0.05
_STEPS_A_PIXEL = 64
_LARGEST_STEP = 2**30
_NO_POINT = -(2**31)
_ADVICE = "Restore it with: python -m models.evaluate detector --data DIR --store"
_MARK_SHAPES = {
    "points": (4, 2),
    "boxes": (4,),
    "machine_boxes": (4,),
    "machine_points": (5, 2),
    "machine_scores": (),
}
Arrays = dict[str, NDArray[Any]]
Runs = Mapping[str, Sequence[FoundFaces]]


def kept_faces(xyxy: NDArray[Any], scores: NDArray[Any], points: NDArray[Any]) -> FoundFaces:
    """Detections as the file can hold them: of at least ``LEAST_SCORE``, best first, in steps of 1/64 pixel."""
    scores = np.asarray(scores, np.float32).astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= LEAST_SCORE]
    return FoundFaces(_pixels(_steps(xyxy[order])), scores[order], _pixels(_steps(points[order])))


def save_results(folder: Path, report: DetectionReport, marks: Sequence[PhotoMarks], runs: Mapping[str, Runs]) -> None:
    """Write both files; each appears complete or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays: Arrays = {f"marks/{name}": values for name, values in _mark_arrays(marks).items()}
    for detector, by_run in runs.items():
        for run, found in by_run.items():
            arrays |= {f"{detector}/{run}/{name}": values for name, values in _found_arrays(found).items()}
    save_npz(folder / NUMBERS_FILE, arrays)
    save_json(folder / REPORT_FILE, report)


def load_report(folder: Path) -> DetectionReport:
    """Where the folder has a card, the report must be the one that it lists, and about the model that it lists.

    Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file.
    """
    file = Path(folder) / REPORT_FILE
    card = load_card(file.parent) if (file.parent / CARD_FILE).is_file() else None
    if card is None:
        return load_json(file, DetectionReport, _ADVICE)
    report = load_verified_json(file, card.files, DetectionReport, _ADVICE)
    if card.raw.get(MEASURED_KEY) != card.files.get(SERVED_FILE, {}).get("sha256"):
        raise ArtifactCorruptError(f"{file} is about another model than the one installed now. {_ADVICE}")
    return report


def load_numbers(folder: Path) -> tuple[tuple[PhotoMarks, ...], dict[str, dict[str, tuple[FoundFaces, ...]]]]:
    """Marks, and detector -> run -> faces found, one entry a photograph. Raises as ``load_report``."""
    file = Path(folder) / NUMBERS_FILE
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {_ADVICE}")
    try:
        arrays = load_npz(file)
        marks = _marks(arrays)
        runs: dict[str, dict[str, tuple[FoundFaces, ...]]] = {}
        for name in arrays:
            detector, run, *field = name.split("/")
            if field == ["counts"]:
                runs.setdefault(detector, {})[run] = _found(arrays, f"{detector}/{run}", len(marks))
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise ArtifactCorruptError(f"{file} cannot be used ({type(error).__name__}: {error}). {_ADVICE}") from error
    return marks, runs


def _mark_arrays(marks: Sequence[PhotoMarks]) -> Arrays:
    arrays: Arrays = {
        "ids": np.array([one.id for one in marks], np.str_),
        "resolutions_wh": np.array([one.resolution_wh for one in marks], np.int32).reshape(-1, 2),
    }
    for name, shape in _MARK_SHAPES.items():
        parts = [getattr(one, name) for one in marks]
        arrays[name] = joined(parts, shape).astype(np.float32)
        arrays[f"{name}_counts"] = _counts(parts)
    return arrays


def _marks(arrays: Arrays) -> tuple[PhotoMarks, ...]:
    parts = {
        name: _split(arrays[f"marks/{name}"].astype(np.float64), arrays[f"marks/{name}_counts"])
        for name in _MARK_SHAPES
    }
    ids, resolutions = arrays["marks/ids"], arrays["marks/resolutions_wh"]
    return tuple(
        PhotoMarks(
            str(ids[row]),
            (int(resolutions[row, 0]), int(resolutions[row, 1])),
            **{name: values[row] for name, values in parts.items()},
        )
        for row in range(len(ids))
    )


def _found_arrays(found: Sequence[FoundFaces]) -> Arrays:
    return {
        "counts": _counts([faces.scores for faces in found]),
        "scores": joined([faces.scores for faces in found], ()).astype(np.float32),
        "xyxy": _steps(joined([faces.xyxy for faces in found], (4,))),
        "points": _steps(joined([faces.points for faces in found], (5, 2))),
    }


def _found(arrays: Arrays, prefix: str, photos: int) -> tuple[FoundFaces, ...]:
    counts = arrays[f"{prefix}/counts"]
    if len(counts) != photos:
        raise ValueError(f"{prefix} is about {len(counts)} photographs, the marks about {photos}")
    xyxy, points = _pixels(arrays[f"{prefix}/xyxy"]), _pixels(arrays[f"{prefix}/points"])
    scores = arrays[f"{prefix}/scores"].astype(np.float64)
    parts = zip(_split(xyxy, counts), _split(scores, counts), _split(points, counts), strict=True)
    return tuple(FoundFaces(*one) for one in parts)


def _counts(parts: Sequence[NDArray[Any]]) -> NDArray[np.uint16]:
    return np.array([len(part) for part in parts], np.uint16)


def _split(values: NDArray[Any], counts: NDArray[Any]) -> list[NDArray[Any]]:
    ends = np.cumsum(counts, dtype=np.int64)
    if len(values) != (ends[-1] if len(ends) else 0):
        raise ValueError(f"{len(values)} rows for {counts.sum()} faces")
    return np.split(values, ends[:-1]) if len(ends) else []


def _steps(pixels: NDArray[Any]) -> NDArray[np.int32]:
    """Pixels -> int32 steps; NaN has a value of its own."""
    steps = np.clip(np.nan_to_num(pixels, nan=0.0) * _STEPS_A_PIXEL, -_LARGEST_STEP, _LARGEST_STEP).round()
    return np.where(np.isnan(pixels), _NO_POINT, steps).astype(np.int32)


def _pixels(steps: NDArray[np.int32]) -> NDArray[np.float64]:
    return np.where(steps == _NO_POINT, np.nan, steps / _STEPS_A_PIXEL)

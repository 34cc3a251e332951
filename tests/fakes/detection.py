"""Made-up photographs, marks and reports about detectors, for tests of everything that reads them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import faces_split
from core.evaluation.detection.conditions import FRAMES_WH, SETUPS, TILTS_DEG, loose_run, tilt_run, tilted_points
from core.evaluation.detection.matching import FoundFaces, PhotoMarks
from core.evaluation.detection.metrics import detection_report
from core.evaluation.detection.report import DetectionReport, Steadiness, Timing
from core.evaluation.detection.store import kept_faces

FACE_POINTS = ((-10.0, -8.0), (10.0, -8.0), (0.0, 4.0), (0.0, 12.0))
"""Left eye, right eye, nose, mouth around the centre (0, 0) of a face with 20 px between the eyes."""


def marked_face(x: float, y: float, zoom: float = 1.0) -> NDArray[np.float64]:
    """(4, 2) points whose mean is (x, y), 20 * zoom px between the eyes."""
    return np.array(FACE_POINTS) * zoom + np.array([x, y])


def square(x: float, y: float, split: float) -> list[float]:
    return [x - split / 2, y - split / 2, x + split / 2, y + split / 2]


def photo_marks(
    name: str = "web_1.jpg",
    faces: Sequence[NDArray[np.float64]] = (),
    boxes: Sequence[Sequence[float]] = (),
    machine: Sequence[Sequence[float]] = (),
) -> PhotoMarks:
    """A 200 x 160 photograph; machine boxes have points at their centres and a score of 0.9."""
    machine_boxes = np.array(machine, np.float64).reshape(-1, 4)
    middle = (machine_boxes[:, :2] + machine_boxes[:, 2:]) / 2
    return PhotoMarks(
        name,
        (200, 160),
        points=np.array(faces, np.float64).reshape(-1, 4, 2),
        boxes=np.array(boxes, np.float64).reshape(-1, 4),
        machine_boxes=machine_boxes,
        machine_points=np.repeat(middle[:, None], 5, axis=1),
        machine_scores=np.full(len(machine_boxes), 0.9),
    )


def found(
    boxes: Sequence[Sequence[float]] = (),
    scores: Sequence[float] = (),
    points: NDArray[np.float64] | None = None,
) -> FoundFaces:
    """Detections without landmarks unless ``points`` (D, 5, 2) are given."""
    xyxy = np.array(boxes, np.float64).reshape(-1, 4)
    return kept_faces(xyxy, np.array(scores), np.full((len(xyxy), 5, 2), np.nan) if points is None else points)


def five_points(four: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 2) -> (5, 2): the corners of the mouth 5 px beside its centre."""
    return np.array([*four[:3], four[3] - (5, 0), four[3] + (5, 0)])


def example_marks() -> tuple[PhotoMarks, ...]:
    """Two web photographs with a face each, large and small, and a street photograph with two drawn boxes."""
    return (
        photo_marks("web_1.jpg", [marked_face(60, 60)], machine=[square(60, 60, 50)]),
        photo_marks("web_2.jpg", [marked_face(100, 80, 0.5)]),
        photo_marks("mask_1.jpg", boxes=[square(50, 50, 30), square(120, 50, 10)]),
    )


def example_runs(marks: Sequence[PhotoMarks], with_points: bool = True) -> dict[str, tuple[FoundFaces, ...]]:
    """Every run: the large face with points 2 px too low, the large street face, and a false box on each photograph."""
    runs = {}
    for setup in SETUPS:
        runs[setup.name] = tuple(_example_faces(one, with_points) for one in marks)
        if setup.curve:
            runs[loose_run(setup.name)] = tuple(_example_faces(one, False) for one in marks)
    for degrees in TILTS_DEG:
        where = [tilted_points(one.points, one.resolution_wh, degrees, row) for row, one in enumerate(marks)]
        # Tilted by more than 30 degrees, nothing is found.
        faces = [points[:1].mean(axis=1) if degrees <= 30 else points[:0, 0] for points in where]
        runs[tilt_run(degrees)] = tuple(found([square(*xy, 50) for xy in one], [0.8] * len(one)) for one in faces)
    return runs


def _example_faces(marks: PhotoMarks, with_points: bool) -> FoundFaces:
    large = {"web_1.jpg": square(60, 60, 50), "mask_1.jpg": square(50, 50, 30)}.get(marks.id)
    boxes = [square(180, 140, 20)] if large is None else [large, square(180, 140, 20)]
    points = np.full((len(boxes), 5, 2), np.nan)
    if with_points and len(marks.points):
        points[0] = five_points(marks.points[0]) + np.array([0, 2])
    return found(boxes, [0.9, 0.3][-len(boxes) :], points)


def example_report() -> tuple[DetectionReport, tuple[PhotoMarks, ...], dict[str, dict[str, tuple[FoundFaces, ...]]]]:
    """``compact`` with points and ``haar`` without, and what the report was computed from."""
    marks = example_marks()
    runs = {"compact": example_runs(marks), "haar": example_runs(marks, with_points=False)}
    timings = {
        name: tuple(Timing(live, *frame_wh, factor * 2.5) for live in (False, True) for frame_wh in FRAMES_WH)
        for name, factor in (("compact", 1), ("haar", 10))
    }
    steady = {"compact": Steadiness(2, 1.0, 0.5, 0.01, 0.25, 0.005), "haar": None}
    report = detection_report(marks, runs, {"compact": "Compact", "haar": "Haar alt2"}, timings, steady)
    return report, marks, runs


def write_faces(data_dir: Path, image: NDArray[np.uint8], face: NDArray[np.float64], count: int = 2) -> Path:
    """``count`` web copies and one street copy of ``image`` on the test side, with ``face`` (4, 2) marked on them."""
    folder = data_dir / "faces"
    (folder / "images").mkdir(parents=True)
    web = [name for name in (f"web_{n}.jpg" for n in range(1000)) if faces_split(name) == "test"][:count]
    street = next(name for name in (f"mask_{n}.jpg" for n in range(1000)) if faces_split(name) == "test")
    for name in (*web, street):
        cv2.imwrite(str(folder / "images" / name), image)
    low, high = face.min(axis=0) - 15, face.max(axis=0) + 15
    box = [*low, *(high - low)]
    points = [face[1], face[0], face[2], face[3] + (5, 0), face[3] - (5, 0)]
    _write_csv(
        folder / "landmarks.csv",
        ["file", *(f"{name}_{axis}" for name in ("left_eye", "right_eye", "nose", "mouth") for axis in "xy")],
        [[name, *face.ravel()] for name in web],
    )
    _write_csv(folder / "mask_boxes.csv", ["file", "x", "y", "w", "h", "label"], [[street, *box, "without_mask"]])
    names = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
    _write_csv(
        folder / "boxes.csv",
        ["file", "x", "y", "w", "h", *(f"{name}_{axis}" for name in names for axis in "xy"), "score"],
        [[name, *box, *np.ravel(points), 0.9] for name in (*web, street)],
    )
    return data_dir


def _write_csv(file: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])

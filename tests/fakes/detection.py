"""Made-up annotated images and reports about detectors, for tests of everything that reads them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import Annotations, assign_faces_split
from core.detection import FaceArrays
from core.evaluation.detection.conditions import (
    CLOSE_UPS,
    CONDITIONS,
    FACES,
    FRAMES_WH,
    GROUPS,
    LANDMARKS,
    NOBODY,
    PORTRAITS,
    ROTATED,
    ROTATIONS_DEG,
    RUNS,
    SHIFTED,
    rotation_run,
)
from core.evaluation.detection.metrics import detection_report
from core.evaluation.detection.report import DetectionReport, DetectorInfo, Latency
from core.evaluation.detection.results import SetResults
from core.evaluation.detection.store import quantize

FACE_POINTS = ((-10.0, -8.0), (10.0, -8.0), (0.0, 4.0), (0.0, 12.0))
"""Left eye, right eye, nose, mouth around the centre (0, 0) of a face with 20 px between the eyes."""


def annotated_face(x: float, y: float, zoom: float = 1.0) -> NDArray[np.float64]:
    """(4, 2) landmarks with the mean (x, y), 20 * zoom px between the eyes."""
    return np.array(FACE_POINTS) * zoom + np.array([x, y])


def square(x: float, y: float, size: float) -> list[float]:
    return [x - size / 2, y - size / 2, x + size / 2, y + size / 2]


def annotate(
    name: str = "web_1.jpg",
    faces: Sequence[NDArray[np.float64]] = (),
    boxes: Sequence[Sequence[float]] = (),
    pseudo_boxes: Sequence[Sequence[float]] = (),
) -> Annotations:
    """A 200 x 160 image; pseudo-labels have landmarks at their centres and a score of 0.9."""
    pseudo = np.array(pseudo_boxes, np.float64).reshape(-1, 4)
    middle = (pseudo[:, :2] + pseudo[:, 2:]) / 2
    return Annotations(
        name,
        (200, 160),
        np.array(faces, np.float64).reshape(-1, 4, 2),
        np.array(boxes, np.float64).reshape(-1, 4),
        FaceArrays(pseudo, np.full(len(pseudo), np.float64(np.float32(0.9))), np.repeat(middle[:, None], 5, axis=1)),
    )


def found(
    boxes: Sequence[Sequence[float]] = (), scores: Sequence[float] = (), landmarks: NDArray[np.float64] | None = None
) -> FaceArrays:
    """Detections without landmarks unless ``landmarks`` (D, 5, 2) are given."""
    xyxy = np.array(boxes, np.float64).reshape(-1, 4)
    unknown = np.full((len(xyxy), 5, 2), np.nan)
    return quantize(FaceArrays(xyxy, np.array(scores), unknown if landmarks is None else landmarks))


def five_landmarks(four: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 2) -> (5, 2): the corners of the mouth 5 px beside its centre."""
    return np.array([*four[:3], four[3] - (5, 0), four[3] + (5, 0)])


def example_images() -> tuple[Annotations, ...]:
    """Two web images with a face each, large and small, and a street image with two annotated boxes."""
    return (
        annotate("web_1.jpg", [annotated_face(60, 60)], pseudo_boxes=[square(60, 60, 50)]),
        annotate("web_2.jpg", [annotated_face(100, 80, 0.5)]),
        annotate("mask_1.jpg", boxes=[square(50, 50, 30), square(120, 50, 10)]),
    )


def example_runs(images: Sequence[Annotations], with_landmarks: bool = True) -> dict[str, tuple[FaceArrays, ...]]:
    """Every run over ``faces``: the large face with landmarks 2 px too low, the large street face, and a false positive
    per image."""
    runs = {
        condition.name: tuple(_example_faces(image, with_landmarks) for image in images) for condition in CONDITIONS
    }
    for degrees in ROTATIONS_DEG:
        # Rotated by more than 30 degrees, nothing is found.
        centers = [image.landmarks.mean(axis=1) if degrees <= 30 else np.zeros((0, 2)) for image in images]
        runs[rotation_run(degrees)] = tuple(
            found([square(*xy, 50) for xy in rows], [0.8] * len(rows)) for rows in centers
        )
    return runs


def _example_faces(image: Annotations, with_landmarks: bool) -> FaceArrays:
    large = {"web_1.jpg": square(60, 60, 50), "mask_1.jpg": square(50, 50, 30)}.get(image.id)
    boxes = [square(180, 140, 20)] if large is None else [large, square(180, 140, 20)]
    landmarks = np.full((len(boxes), 5, 2), np.nan)
    if with_landmarks and len(image.landmarks):
        landmarks[0] = five_landmarks(image.landmarks[0]) + np.array([0, 2])
    return found(boxes, [0.9, 0.3][-len(boxes) :], landmarks)


def portrait(name: str = "1.jpg") -> Annotations:
    """A 200 x 160 portrait whose reference face, 20 px between the eyes, is in its middle."""
    five = five_landmarks(annotated_face(100, 80))
    reference = FaceArrays(np.array([square(100, 80, 60)]), np.ones(1), five[None])
    return Annotations(name, (200, 160), np.zeros((0, 4, 2)), np.array([square(100, 80, 60)]), reference)


def portrait_faces(image: Annotations) -> FaceArrays:
    """The portrait's face, its landmarks 1 px to the right of the reference, and a weaker box in a corner."""
    landmarks = np.concatenate([image.pseudo_labels.landmarks + np.array([1, 0]), np.full((1, 5, 2), np.nan)])
    return found([square(100, 80, 60), square(20, 20, 20)], [0.8, 0.4], landmarks)


def example_results() -> dict[str, SetResults]:
    """Every test set: ``faces`` as ``example_images``, the others portraits of which every second one is found by
    ``facet``; ``haar`` finds none of these."""
    images = example_images()
    results = {
        FACES: SetResults(images, {"facet": example_runs(images), "haar": example_runs(images, with_landmarks=False)})
    }
    for name in (GROUPS, PORTRAITS, ROTATED, SHIFTED, CLOSE_UPS, LANDMARKS, NOBODY):
        portraits = tuple(portrait(f"{row}.jpg") for row in range(4))
        some = tuple(portrait_faces(image) if row % 2 == 0 else found() for row, image in enumerate(portraits))
        runs = {run.name: some for run in RUNS[name]}
        results[name] = SetResults(portraits, {"facet": runs, "haar": {run: (found(),) * 4 for run in runs}})
    return results


def example_report() -> tuple[DetectionReport, dict[str, SetResults]]:
    """``facet`` with landmarks and ``haar`` without, and what the report was computed from."""
    infos = {
        name: DetectorInfo(
            title,
            0.25,
            tuple(Latency(live, *frame_wh, factor * 2.5) for live in (False, True) for frame_wh in FRAMES_WH),
        )
        for name, title, factor in (("facet", "Facet", 1), ("haar", "Haar", 10))
    }
    results = example_results()
    return detection_report(results, infos), results


def write_faces(data_dir: Path, image: NDArray[np.uint8], face: NDArray[np.float64], count: int = 2) -> Path:
    """Write ``count`` web copies and one street copy of ``image`` in the test split, annotated with ``face`` (4, 2)."""
    folder = data_dir / "faces"
    (folder / "images").mkdir(parents=True)
    web = [name for name in (f"web_{n}.jpg" for n in range(1000)) if assign_faces_split(name) == "test"][:count]
    street = next(name for name in (f"mask_{n}.jpg" for n in range(1000)) if assign_faces_split(name) == "test")
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

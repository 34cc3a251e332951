"""What a face detector must reach, line by line: one function a line, on any detector and pictures in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.boxes import as_xyxy, iou_matrix
from core.datasets.faces import FacePhoto
from core.detection import FaceDetector
from core.evaluation.detection_matching import NOBODY, FoundFaces, eye_distances, find_points, match_photo
from core.evaluation.detection_points import LEAST_EYES_PX
from core.evaluation.detection_runner import marks_of, tilted
from core.evaluation.detection_setups import tilted_points
from core.evaluation.detector_conditions import (
    CLOSE_UP_PX,
    QUARTER_TURNS,
    ROTATIONS_DEG,
    close_up,
    portrait_row,
    rotated,
    variants,
    with_margin,
)

GROUP_IOU = 0.35
GROUP_HEIGHTS_PX = ((16, 32), (32, 64), (64, np.inf))
Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Figures = dict[str, float]


@dataclass(frozen=True)
class GroupPhoto:
    """``boxes`` (N, 4), drawn by people."""

    image: Image
    boxes: Floats


@dataclass(frozen=True)
class LandmarkPortrait:
    """``landmarks`` (5, 2), exact."""

    image: Image
    landmarks: Floats


def faces_of(detector: FaceDetector, image: Image) -> FoundFaces:
    detections = detector.detect(image)
    nowhere = [(np.nan, np.nan)] * 5
    landmarks = [nowhere if one.landmarks is None else list(one.landmarks.points) for one in detections]
    scores = np.array([one.score for one in detections], np.float64)
    return FoundFaces(as_xyxy(one.box for one in detections), scores, np.array(landmarks).reshape(-1, 5, 2))


def above(faces: FoundFaces, min_score: float) -> FoundFaces:
    kept = faces.scores >= min_score
    return FoundFaces(faces.xyxy[kept], faces.scores[kept], faces.points[kept])


def web_figures(found: Sequence[FoundFaces], photos: Sequence[FacePhoto]) -> Figures:
    """Recall of faces that people marked, and boxes on no mark of anybody (FPPI)."""
    hits, false = [], 0
    for faces, photo in zip(found, photos, strict=True):
        match = match_photo(faces, marks_of(photo))
        hits.append((match.found_by != NOBODY)[eye_distances(photo.human_points) >= LEAST_EYES_PX])
        false += int(match.false.sum())
    hit = np.concatenate(hits)
    return {"recall": float(hit.mean()), "faces": len(hit), "fppi": false / len(photos)}


def score_for_fppi(found: Sequence[FoundFaces], photos: Sequence[FacePhoto], fppi: float) -> float:
    """The lowest score with at most ``fppi`` boxes a photograph on no mark."""
    false = [
        faces.scores[match_photo(faces, marks_of(photo)).false] for faces, photo in zip(found, photos, strict=True)
    ]
    ranked = -np.sort(-np.concatenate(false))
    allowed = int(fppi * len(photos))
    return float(ranked[allowed]) + 1e-4 if len(ranked) > allowed else 0.0


def group_figures(found: Sequence[FoundFaces], photos: Sequence[GroupPhoto]) -> Figures:
    """Recall of drawn boxes at least 16 px high at an IoU of 0.35; one detection finds one box, the best first."""
    hits, heights, boxes = [], [], 0
    for faces, photo in zip(found, photos, strict=True):
        overlaps = iou_matrix(faces.xyxy, photo.boxes)
        hit = np.zeros(len(photo.boxes), bool)
        for row in overlaps:
            free = np.where(hit, 0.0, row)
            if len(free) and free.max() >= GROUP_IOU:
                hit[free.argmax()] = True
        hits.append(hit)
        heights.append(photo.boxes[:, 3] - photo.boxes[:, 1])
        boxes += len(faces.scores)
    hit, height = np.concatenate(hits), np.concatenate(heights)
    figures: Figures = {"recall": float(hit[height >= 16].mean()), "faces": int((height >= 16).sum())}
    for low, high in GROUP_HEIGHTS_PX:
        figures[f"recall_{low}"] = float(hit[(height >= low) & (height < high)].mean())
    return figures | {"boxes_per_image": boxes / len(photos)}


def portrait_figures(detector: FaceDetector, portraits: Iterable[Image], share: float) -> Figures:
    """Portraits found with a margin of ``share`` of their side, and boxes on nothing of theirs."""
    found, other, count = 0, 0, 0
    for image in portraits:
        framed = with_margin(image, share) if share else image
        faces = faces_of(detector, framed)
        row = portrait_row(faces.xyxy, _middle(image, framed))
        found, other, count = found + (row is not None), other + len(faces.scores) - (row is not None), count + 1
    return {"recall": found / count, "other_boxes": other / count, "portraits": count}


def close_up_figures(detector: FaceDetector, chips: Sequence[tuple[Image, Floats]]) -> Figures:
    """Share of chips (image, box of its face (4,)) with exactly one box, by the side that they are enlarged to."""
    figures = {}
    for side_px in CLOSE_UP_PX:
        counts = np.array([len(detector.detect(close_up(image, xyxy, side_px))) for image, xyxy in chips])
        figures[f"one_{side_px}"] = float((counts == 1).mean())
        figures[f"none_{side_px}"] = float((counts == 0).mean())
    return figures


def rotated_web_figures(detector: FaceDetector, photos: Sequence[FacePhoto]) -> Figures:
    """Recall of marked faces of photographs turned about their middle, every other one the other way."""
    figures = {}
    for degrees in ROTATIONS_DEG:
        hits = []
        for index, photo in enumerate(photos):
            counted = eye_distances(photo.human_points) >= LEAST_EYES_PX
            if counted.any():
                faces = faces_of(detector, tilted(photo.image, degrees, index))
                wh = (photo.image.shape[1], photo.image.shape[0])
                points = tilted_points(photo.human_points, wh, degrees, index)
                hits.append((find_points(faces.xyxy, points) != NOBODY)[counted])
        figures[f"recall_{degrees}"] = float(np.concatenate(hits).mean())
    return figures


def rotated_portrait_figures(detector: FaceDetector, portraits: Sequence[Image]) -> Figures:
    """Portraits found when turned in the plane, every other one the other way."""
    figures = {}
    for degrees in ROTATIONS_DEG:
        found = 0
        for index, image in enumerate(portraits):
            turned = rotated(image, degrees if index % 2 == 0 else -degrees)
            found += portrait_row(faces_of(detector, turned).xyxy, _middle(image, turned)) is not None
        figures[f"recall_{degrees}"] = found / len(portraits)
    return figures


def quarter_turn_figures(detector: FaceDetector, portraits: Sequence[Image]) -> Figures:
    """Portraits found when they lie on a side or stand on their head."""
    figures = {}
    for turns in QUARTER_TURNS:
        turned = [np.ascontiguousarray(np.rot90(image, turns)) for image in portraits]
        found = [portrait_row(faces_of(detector, one).xyxy, _middle(one, one)) is not None for one in turned]
        figures[f"recall_{90 * turns}"] = float(np.mean(found))
    return figures


def landmark_figures(detector: FaceDetector, portraits: Iterable[LandmarkPortrait]) -> Figures:
    """Mean distance from exact landmarks in inter-ocular distances (NME) where the face is found, and the same
    without the constant difference of each landmark (``nme_own_convention``)."""
    errors, missed = [], 0
    for portrait in portraits:
        faces, five = faces_of(detector, portrait.image), portrait.landmarks
        middle = five.mean(axis=0)
        inside = np.all((faces.xyxy[:, :2] <= middle) & (middle <= faces.xyxy[:, 2:]), axis=1)
        if not inside.any():
            missed += 1
            continue
        along = five[1] - five[0]
        axes = np.stack([along, [-along[1], along[0]]]) / (along @ along)
        errors.append((faces.points[int(inside.argmax())] - five) @ axes.T)
    if not errors or not np.isfinite(errors[0]).all():
        return {"missed": missed}
    all_errors = np.array(errors)
    own = all_errors - np.median(all_errors, axis=0)
    distance = np.linalg.norm(all_errors, axis=2).mean(axis=1)
    return {
        "nme": float(distance.mean()),
        "nme_median": float(np.median(distance)),
        "nme_own_convention": float(np.linalg.norm(own, axis=2).mean()),
        "missed": missed,
        "portraits": len(errors) + missed,
    }


def scatter_figures(detector: FaceDetector, portraits: Iterable[Image]) -> Figures:
    """Standard deviation of the landmarks over ``variants`` of a portrait, in inter-ocular distances: the root mean
    square over coordinates of one face, then mean and median over faces."""
    deviations, lost = [], 0
    for image in portraits:
        framed = with_margin(image, 0.25)
        middle = _middle(image, framed)
        found = []
        for variant in variants(framed):
            faces = faces_of(detector, variant.image)
            corners = np.sort(middle.reshape(2, 2) @ variant.matrix[:, :2].T + variant.matrix[:, 2], axis=0)
            row = portrait_row(faces.xyxy, corners.reshape(-1))
            if row is None or not np.isfinite(faces.points[row]).all():
                lost += 1
            else:
                found.append(variant.back(faces.points[row]))
        if len(found) >= 5:
            five = np.array(found)
            mean = five.mean(axis=0)
            # Faces in profile have hardly any distance between their eyes: two fifths of the height stand in.
            unit = max(np.linalg.norm(mean[1] - mean[0]), 0.8 * np.linalg.norm(mean[3:].mean(0) - mean[:2].mean(0)))
            deviations.append(float(np.sqrt(five.var(axis=0).mean()) / unit))
    if not deviations:
        return {"lost": lost}
    return {"mean": float(np.mean(deviations)), "median": float(np.median(deviations)), "lost": lost}


def nobody_figures(detector: FaceDetector, pictures: Mapping[str, Image]) -> dict[str, object]:
    """Boxes on pictures without a person, and on which."""
    counts = {name: len(detector.detect(image)) for name, image in pictures.items()}
    return {"boxes": sum(counts.values()), "pictures": len(counts), "on": {k: n for k, n in counts.items() if n}}


def median_ms(detector: FaceDetector, image: Image, rounds: int = 30) -> float:
    """Milliseconds of a call on one thread, the best half's median: other work on the machine only adds."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        detector.detect(image)
        elapsed = [_elapsed_ms(detector.detect, image) for _ in range(rounds)]
    finally:
        cv2.setNumThreads(threads)
    return float(np.median(elapsed))


def _elapsed_ms(call: Callable[[Image], object], image: Image) -> float:
    start_s = time.perf_counter()
    call(image)
    return (time.perf_counter() - start_s) * 1000


def _middle(inner: Image, outer: Image) -> Floats:
    """The box that ``inner`` fills in the middle of ``outer``."""
    inside, outside = np.array(inner.shape[1::-1], np.float64), np.array(outer.shape[1::-1], np.float64)
    return np.concatenate([(outside - inside) / 2, (outside + inside) / 2])

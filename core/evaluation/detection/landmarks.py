"""Normalised mean error (NME) and scatter of landmarks, yaw, and the size and yaw bins of annotated faces.

Means are rounded to a millionth, so that every processor gives the same report.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import Annotations
from core.detection.base import FaceArrays
from core.evaluation.detection.matching import (
    LANDMARK_NAMES,
    UNMATCHED,
    ImageMatch,
    concatenate,
    inter_ocular_distances,
    match_landmarks,
    match_portrait,
    merge_mouth_corners,
    normalized_errors,
)
from core.evaluation.detection.report import GroupNME, LandmarkReport

MIN_IOD_PX = 9.0
"""Annotated faces with a smaller inter-ocular distance, in the original image, do not count as missed."""
SIZE_EDGES_PX = (9.0, 14.0, 25.0, 40.0)
SIZE_LABELS = ("9-14 px", "14-25 px", "25-40 px", "40 px and more")
YAW_EDGES_DEG = (0.0, 20.0, 40.0, 60.0)
YAW_LABELS = ("0-20°", "20-40°", "40-60°", "60-90°")
NOSE_DEPTH = 0.8
"""How far the nose stands out from the plane of eyes and mouth, in half inter-ocular distances: the generic 3D face of
OpenCV's head pose tutorials."""
_IOD_PER_HEIGHT = 0.8
"""Inter-ocular distance of a frontal face, divided by the distance between eyes and mouth."""


def measure_landmarks(
    annotations: Sequence[Annotations], found: Sequence[FaceArrays], matches: Sequence[ImageMatch]
) -> LandmarkReport | None:
    """Compare landmarks with the annotated ones of the matched faces; ``None`` if no matched face has landmarks."""
    errors, iods_px = [], []
    for faces, match, image in zip(found, matches, annotations, strict=True):
        iod_px = inter_ocular_distances(image.landmarks)
        hit = (match.landmark_matches != UNMATCHED) & (iod_px >= MIN_IOD_PX)
        landmarks = merge_mouth_corners(faces.landmarks[match.landmark_matches[hit]])
        errors.append(normalized_errors(landmarks, image.landmarks[hit], iod_px[hit]))
        iods_px.append(iod_px[hit])
    return summarize_errors(concatenate(errors, (4,)), concatenate(iods_px, ()))


def summarize_errors(errors: NDArray[np.float64], iod_px: NDArray[np.float64]) -> LandmarkReport | None:
    """(F, 4) normalised errors of faces with (F,) inter-ocular distances; faces without landmarks are left out."""
    known = np.isfinite(errors).all(axis=1)
    errors, size = errors[known], size_bin(iod_px[known])
    if not len(errors):
        return None
    by_face = errors.mean(axis=1)
    return LandmarkReport(
        mean=round_metric(by_face.mean()),
        median=round_metric(np.median(by_face)),
        n=len(by_face),
        by_landmark=tuple(_group(name, errors[:, column]) for column, name in enumerate(LANDMARK_NAMES)),
        by_size=tuple(_group(label, by_face[size == row]) for row, label in enumerate(SIZE_LABELS)),
    )


def size_bin(iod_px: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the index into ``SIZE_LABELS``; -1 for smaller faces."""
    return np.searchsorted(SIZE_EDGES_PX, iod_px, side="right").astype(np.int64) - 1


def yaw_bin(yaw_deg: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the index into ``YAW_LABELS``."""
    return np.searchsorted(YAW_EDGES_DEG, yaw_deg, side="right").astype(np.int64) - 1


def round_metric(value: float | np.floating) -> float:
    return round(float(value), 6)


def _group(label: str, errors: NDArray[np.float64]) -> GroupNME:
    return GroupNME(label, round_metric(errors.mean()) if len(errors) else math.nan, len(errors))


def portrait_errors(image: Annotations, found: FaceArrays) -> NDArray[np.float64]:
    """Compute the (F,) NME of the annotated five-landmark faces of an image that are found with landmarks."""
    five = image.pseudo_labels.landmarks
    rows = match_landmarks(found.xyxy, five)
    hit = rows != UNMATCHED
    iod_px = inter_ocular_distances(five[hit])
    errors = normalized_errors(found.landmarks[rows[hit]], five[hit], iod_px).mean(axis=1)
    return np.asarray(errors[np.isfinite(errors)])


def landmark_scatter(image: Annotations, found: Sequence[FaceArrays]) -> float:
    """Compute the standard deviation of a portrait's landmarks over its variants, in inter-ocular distances: the root
    mean square over coordinates. NaN if fewer than half of the variants show the face with landmarks."""
    rows = [match_portrait(faces.xyxy, image.resolution_wh) for faces in found]
    five = np.array([faces.landmarks[row] for faces, row in zip(found, rows, strict=True) if row != UNMATCHED])
    if len(five) < max(2, len(found) / 2) or not np.isfinite(five).all():
        return math.nan
    left_eye, right_eye, _, *mouth = five.mean(axis=0)
    height_px = float(np.linalg.norm(np.mean(mouth, axis=0) - (left_eye + right_eye) / 2))
    # In profile there is hardly any distance between the eyes: the height of the face stands in for it.
    unit_px = max(float(np.linalg.norm(right_eye - left_eye)), _IOD_PER_HEIGHT * height_px)
    return float(np.sqrt(five.var(axis=0).mean())) / unit_px


def estimate_yaw(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate how far heads are turned to either side, in degrees: (N, 5, 2) landmarks -> (N,) in [0, 90].

    From how far the nose is off the line between eyes and mouth, in half inter-ocular distances: in a head turned by
    yaw, the eyes' half distance shrinks with its cosine, and the nose, which stands out, moves with its sine.
    """
    eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)
    down = (mouth - eyes) / np.maximum(np.linalg.norm(mouth - eyes, axis=1, keepdims=True), 1e-9)
    across = np.stack([down[:, 1], -down[:, 0]], axis=1)
    nose = np.abs(((landmarks[:, 2] - eyes) * across).sum(axis=1))
    half_iod = np.maximum(((landmarks[:, 1] - landmarks[:, 0]) * across).sum(axis=1) / 2, 0)
    return np.asarray(np.rad2deg(np.arctan2(nose, NOSE_DEPTH * half_iod)))

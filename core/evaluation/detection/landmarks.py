"""Normalised mean error (NME) of landmarks, and the size bins of annotated faces.

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
    merge_mouth_corners,
    normalized_errors,
)
from core.evaluation.detection.report import GroupNME, LandmarkReport

MIN_IOD_PX = 9.0
"""Annotated faces with a smaller inter-ocular distance, in the original image, do not count as missed."""
SIZE_EDGES_PX = (9.0, 14.0, 25.0, 40.0)
SIZE_LABELS = ("9-14 px", "14-25 px", "25-40 px", "40 px and more")


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


def round_metric(value: float | np.floating) -> float:
    return round(float(value), 6)


def _group(label: str, errors: NDArray[np.float64]) -> GroupNME:
    return GroupNME(label, round_metric(errors.mean()) if len(errors) else math.nan, len(errors))

"""Faces of a training picture -> what each cell of each level should answer, see ``core.detection.pyramid_levels``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.detection.pyramid_levels import LEVELS, Level, cell_centers
from models.detection.labels import LabelledFaces

_SPREAD = 0.11
"""Standard deviation of the score's bump in face sizes."""
_LEAST_SPREAD_CELLS = 0.55
_ANSWERING = 0.35
"""Cells with at least this height of the bump learn box and landmarks."""
_LEAST_VISIBLE = 0.4

Target = tuple[NDArray[np.float32], NDArray[np.float32]]


def encode(faces: LabelledFaces, size_px: int) -> list[Target]:
    """Faces in a ``size_px`` square picture -> of each level ``score`` (n, n, 2) and ``geometry`` (n, n, 28).

    ``score``: height of the bump in [0, 1] (exactly 1 in the cell that holds a centre) and a weight, 0 where the score
    is ignored. ``geometry``: 14 numbers and their 14 weights; the weights of a face's cells sum to 1.
    """
    sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
    sizes = np.sqrt(sides.prod(axis=1))
    centers = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    inside = np.clip(np.minimum(faces.boxes[:, 2:], size_px) - np.maximum(faces.boxes[:, :2], 0), 0, None)
    seen = inside.prod(axis=1) / np.maximum(sides.prod(axis=1), 1e-9)
    usable = faces.sure & (seen >= _LEAST_VISIBLE) & np.all((centers >= 0) & (centers < size_px), axis=1)
    return [_level(faces, size_px, level, sizes, seen, usable) for level in LEVELS]


def _level(
    faces: LabelledFaces,
    size_px: int,
    level: Level,
    sizes: NDArray[np.float64],
    seen: NDArray[np.float64],
    usable: NDArray[np.bool_],
) -> Target:
    stride, count = level.stride, size_px // level.stride
    cells = cell_centers(count, count, stride)
    score = np.zeros((count, count, 2), np.float32)
    score[..., 1] = 1
    geometry = np.zeros((count, count, 28), np.float32)
    wanted = usable & (sizes >= level.sizes_px[0]) & (sizes <= level.sizes_px[1])
    tolerated = ~wanted & (seen > 0) & (sizes >= level.tolerated_px[0]) & (sizes <= level.tolerated_px[1])
    # A face that nobody is sure of, or that is hardly in the picture, is held against no level.
    tolerated |= ~usable & (seen > 0)
    for row in np.nonzero(tolerated)[0]:
        box = faces.boxes[row]
        low, high = _range(box[:2] - stride / 2, box[2:] + stride / 2, stride, count)
        score[low[1] : high[1], low[0] : high[0], 1] = 0
    for row in np.nonzero(wanted)[0]:
        box, landmarks, size = faces.boxes[row], faces.points[row], sizes[row]
        center, spread = (box[:2] + box[2:]) / 2, max(_SPREAD * size, _LEAST_SPREAD_CELLS * stride)
        low, high = _range(center - 3.5 * spread - stride, center + 3.5 * spread + stride, stride, count)
        part = np.s_[low[1] : high[1], low[0] : high[0]]
        offsets = center - cells[part]
        bump = np.exp(-(offsets**2).sum(axis=-1) / (2 * spread**2))
        column, line = (center // stride).astype(int) - low
        bump[line, column] = 1.0
        nearest = bump > score[part][..., 0]
        score[part][..., 0][nearest] = bump[nearest]
        answering = nearest & (bump >= _ANSWERING)
        score[part][..., 1][answering] = 1
        known = np.isfinite(landmarks)
        points = (np.where(known, landmarks, 0) - cells[part][..., None, :]) / size
        logs = np.broadcast_to(np.log((box[2:] - box[:2]) / level.reference_px), offsets.shape)
        numbers = np.concatenate([offsets / size, logs, points.reshape(*offsets.shape[:2], 10)], axis=-1)
        weight = (bump[answering] / bump[answering].sum())[:, None]
        weights = np.concatenate([np.repeat(weight, 4, axis=1), weight * known.reshape(1, 10)], axis=1)
        geometry[part][answering] = np.concatenate([numbers[answering], weights], axis=1)
    return score, geometry


def _range(
    low_px: NDArray[np.float64], high_px: NDArray[np.float64], stride: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells whose centres lie between two corners: first, and first beyond."""
    low = np.clip(np.ceil(low_px / stride - 0.5), 0, count).astype(np.int64)
    return low, np.clip(np.floor(high_px / stride - 0.5) + 1, low, count).astype(np.int64)

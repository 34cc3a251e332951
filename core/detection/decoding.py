"""Outputs of a convolutional detector -> faces: vectorised, and the inverse of what training encodes.

Each cell of a map of one stride predicts a face relative to the cell's centre. With s = sqrt(w h) and r =
``REFERENCE_SIZE`` strides: predictions[0:2] = (box centre - cell centre) / s, predictions[2:4] = log(w / r) and
log(h / r), predictions[4:14] = (landmark - cell centre) / s for the five landmarks. A detector with several strides
decodes each of them and merges the faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core import geometry
from core.detection.base import LANDMARKS, FaceArrays

STRIDES = (8, 16, 32)
"""Pixels of the input per cell of each map."""
REFERENCE_SIZE = 4.0
"""Strides: side of the box that a prediction of 0 stands for."""
NMS_IOU, MERGE_IOU = 0.4, 0.55
_PART_SHARE, _PART_AREA = 0.7, 0.5
_MAX_LOG_SIZE = 4.0
"""Keeps an outlier from overflowing."""


def cell_centers(rows: int, columns: int, stride: int) -> NDArray[np.float64]:
    """Compute the centres (x, y) of a map's cells in input pixels, (rows, columns, 2)."""
    y, x = np.mgrid[:rows, :columns]
    return (np.stack([x, y], axis=-1) + 0.5) * stride


def decode(
    scores: NDArray[np.float32],
    predictions: NDArray[np.float32],
    min_score: float,
    stride: int,
    max_faces: int = 400,
) -> FaceArrays:
    """Decode the maps (H, W, 1) and (H, W, 14) of one stride to the faces of at least ``min_score`` in input pixels,
    the best ``max_faces`` of them, before suppression."""
    flat_scores = scores.reshape(-1)
    cells = np.flatnonzero(flat_scores >= min_score)
    if len(cells) > max_faces:
        cells = cells[np.argsort(-flat_scores[cells], kind="stable")[:max_faces]]
    rows, columns = np.divmod(cells, scores.shape[1])
    centers = (np.stack([columns, rows], axis=1) + 0.5) * stride
    raw = predictions.reshape(-1, predictions.shape[-1])[cells].astype(np.float64)
    sides = REFERENCE_SIZE * stride * np.exp(np.clip(raw[:, 2:4], -_MAX_LOG_SIZE, _MAX_LOG_SIZE))
    sizes = np.sqrt(sides[:, :1] * sides[:, 1:])
    middles = centers + raw[:, :2] * sizes
    xyxy = np.concatenate([middles - sides / 2, middles + sides / 2], axis=1)
    landmarks = centers[:, None] + raw[:, 4:].reshape(-1, LANDMARKS, 2) * sizes[:, None]
    return FaceArrays(xyxy, flat_scores[cells].astype(np.float64), landmarks)


def weighted_nms(candidates: FaceArrays, min_score: float = 0.0) -> FaceArrays:
    """Suppress candidates, given best first, that overlap a better one or lie inside it; faces below ``min_score`` go.

    Box and landmarks of a face become the mean, weighted by score, of the candidates that overlap it most
    (Bazarevsky et al. 2019, BlazeFace), which reduces jitter between frames. A smaller candidate inside a better one is
    a part of the same face.
    """
    flat = np.concatenate([candidates.xyxy, candidates.landmarks.reshape(-1, 2 * LANDMARKS)], axis=1)
    areas = geometry.areas(candidates.xyxy)
    free = np.ones(len(candidates), bool)
    kept, means = [], []
    # Few candidates become faces, so a row of overlaps per face is cheaper than the matrix of all pairs.
    for best in np.nonzero(candidates.scores >= min_score)[0]:
        if not free[best]:
            continue
        corners, others = candidates.xyxy[best], candidates.xyxy
        sides = np.minimum(corners[2:], others[:, 2:]) - np.maximum(corners[:2], others[:, :2])
        intersection = np.maximum(sides, 0).prod(axis=1)
        iou = intersection / np.maximum(areas + areas[best] - intersection, 1e-9)
        weights = candidates.scores * (free & (iou >= MERGE_IOU))
        weights[best] = candidates.scores[best]
        kept.append(best)
        means.append(weights @ flat / weights.sum())
        part = (intersection >= _PART_SHARE * areas) & (areas <= _PART_AREA * areas[best])
        free &= (iou <= NMS_IOU) & ~part
    mean = np.array(means).reshape(len(kept), flat.shape[1])
    scores = candidates.scores[np.array(kept, int)]
    return FaceArrays(mean[:, :4], scores, mean[:, 4:].reshape(-1, LANDMARKS, 2))


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """Compute log(p / (1 - p)), finite at 0 and 1 too."""
    p = np.clip(np.asarray(probability, np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def sigmoid(logits: ArrayLike) -> NDArray[np.float64]:
    """Compute the inverse of ``logit``."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(logits, np.float64))))

"""Outputs of a convolutional detector -> faces: vectorised, and the inverse of what training encodes.

Each cell of a map of one stride predicts a face relative to the cell's centre. With s = sqrt(w h) and r =
``REFERENCE_SIZE`` strides: predictions[0:2] = (box centre - cell centre) / s, predictions[2:4] = log(w / r) and
log(h / r), predictions[4:14] = (landmark - cell centre) / s for the five landmarks. A detector with several strides
decodes each of them and merges the faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.detection.base import LANDMARKS, FaceArrays
from core.geometry import iou_matrix

STRIDE = 8
REFERENCE_SIZE = 4.0
"""Strides: side of the box that a prediction of 0 stands for."""
NMS_IOU = 0.4
_MAX_LOG_SIZE = 4.0
"""exp(4) x 32 px = 1,747 px: keeps an outlier from overflowing."""


def cell_centers(rows: int, columns: int, stride: int = STRIDE) -> NDArray[np.float64]:
    """Compute the centres (x, y) of a map's cells in input pixels, (rows, columns, 2)."""
    y, x = np.mgrid[:rows, :columns]
    return (np.stack([x, y], axis=-1) + 0.5) * stride


def decode(
    scores: NDArray[np.float32],
    predictions: NDArray[np.float32],
    min_score: float,
    stride: int = STRIDE,
    max_faces: int = 512,
) -> FaceArrays:
    """Decode the maps (H, W, 1) and (H, W, 14) of one stride to the faces of at least ``min_score`` in input pixels,
    best first, before suppression."""
    rows, columns = np.nonzero(scores[..., 0] >= min_score)
    candidates = scores[rows, columns, 0].astype(np.float64)
    order = np.argsort(-candidates, kind="stable")[:max_faces]
    rows, columns = rows[order], columns[order]
    cells = (np.stack([columns, rows], axis=1) + 0.5) * stride
    raw = predictions[rows, columns].astype(np.float64)
    sides = REFERENCE_SIZE * stride * np.exp(np.clip(raw[:, 2:4], -_MAX_LOG_SIZE, _MAX_LOG_SIZE))
    size = np.sqrt(sides.prod(axis=1, keepdims=True))
    centers = cells + raw[:, :2] * size
    xyxy = np.concatenate([centers - sides / 2, centers + sides / 2], axis=1)
    landmarks = cells[:, None] + raw[:, 4:].reshape(-1, LANDMARKS, 2) * size[:, None]
    return FaceArrays(xyxy, candidates[order], landmarks)


def weighted_nms(faces: FaceArrays, max_iou: float = NMS_IOU, merge_iou: float = 0.6) -> FaceArrays:
    """Suppress faces, given best first, that overlap a better one by more than ``max_iou``.

    Box and landmarks of a face that stays become the mean, weighted by score, of all that overlap it by ``merge_iou``
    (Bazarevsky et al. 2019, BlazeFace), which reduces jitter between frames.
    """
    overlaps = iou_matrix(faces.xyxy, faces.xyxy)
    count = len(faces)
    free = np.ones(count, bool)
    kept, weights = [], []
    for best in range(count):
        if not free[best]:
            continue
        kept.append(best)
        weight = np.where((overlaps[best] >= merge_iou) & free, faces.scores, 0.0)
        weights.append(weight / weight.sum())
        free &= overlaps[best] <= max_iou
    mixing = np.array(weights).reshape(len(kept), count)
    flat = mixing @ np.concatenate([faces.xyxy, faces.landmarks.reshape(count, 2 * LANDMARKS)], axis=1)
    return FaceArrays(flat[:, :4], faces.scores[kept], flat[:, 4:].reshape(-1, LANDMARKS, 2))


@dataclass(frozen=True)
class PyramidLevel:
    """Faces of one level of an image pyramid in pixels of the whole image, after suppression; ``size_range_px`` are the
    smallest and the largest size, sqrt(w h), that the level can show."""

    faces: FaceArrays
    size_range_px: tuple[float, float]


def fuse_scales(levels: Sequence[PyramidLevel], min_score: float) -> FaceArrays:
    """Fuse the levels of a pyramid to one face for all that show it, best first.

    The fused score is the mean, on the logit scale, over the levels that can show the face; a level without it counts
    with ``min_score``, the lowest score that was decoded. What looks like a face at one scale only is rarely a face.
    """
    faces = weighted_nms(FaceArrays.merge([level.faces for level in levels]).best_first())
    if len(levels) == 1:
        return faces
    sizes = faces.sizes()
    total, votes = np.zeros(len(faces)), np.zeros(len(faces))
    for level in levels:
        smallest_px, largest_px = level.size_range_px
        visible = (smallest_px <= sizes) & (sizes <= largest_px)
        matches = iou_matrix(faces.xyxy, level.faces.xyxy) >= NMS_IOU
        scores = np.where(matches, level.faces.scores, min_score).max(axis=1, initial=min_score)
        total += np.where(visible, logit(scores), 0.0)
        votes += visible
    scores = np.where(votes > 0, sigmoid(total / np.maximum(votes, 1)), faces.scores)
    return FaceArrays(faces.xyxy, scores, faces.landmarks).best_first()


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """Compute log(p / (1 - p)), finite at 0 and 1 too."""
    p = np.clip(np.asarray(probability, np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def sigmoid(logits: ArrayLike) -> NDArray[np.float64]:
    """Compute the inverse of ``logit``."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(logits, np.float64))))

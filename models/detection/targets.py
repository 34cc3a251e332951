"""Faces of a training crop -> targets of each cell of the detector, see ``core.detection.decoding``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.detection.decoding import REFERENCE_SIZE, STRIDE, cell_centers
from models.detection.labels import FACE

MIN_SIZE_PX = 11.0
"""Smaller faces, sqrt(w h), are ignored."""
_SIGMA = 0.11
"""Standard deviation of the score's Gaussian in face sizes."""
_MIN_SIGMA_CELLS = 0.55
_POSITIVE = 0.4
"""Cells with at least this score learn box and landmarks."""
_MIN_VISIBLE = 0.4


def encode(faces: FaceArrays, size_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Encode the faces of a ``size_px`` square crop: ``score`` (n, n, 2) and ``geometry`` (n, n, 28), n = size_px / 8.

    ``score``: a Gaussian in [0, 1] (exactly 1 in the cell that holds a centre) and a weight, 0 where the score is
    ignored. ``geometry``: 14 predictions and their 14 weights; the weights of a face's cells sum to 1.
    """
    cells = size_px // STRIDE
    centers = cell_centers(cells, cells, STRIDE)
    score = np.zeros((cells, cells, 2), np.float32)
    score[..., 1] = 1
    geometry = np.zeros((cells, cells, 28), np.float32)
    height = np.zeros((cells, cells))
    for box, points, label in zip(faces.xyxy, faces.landmarks, faces.scores, strict=True):
        sides = box[2:] - box[:2]
        size = float(np.sqrt(np.prod(sides)))
        center = (box[:2] + box[2:]) / 2
        visible = np.clip(np.minimum(box[2:], size_px) - np.maximum(box[:2], 0), 0, None)
        seen = float(np.prod(visible / sides))
        if seen == 0:
            continue
        if (
            label != FACE
            or size < MIN_SIZE_PX
            or seen < _MIN_VISIBLE
            or np.any(center < 0)
            or np.any(center >= size_px)
        ):
            inside = np.all((centers > box[:2] - STRIDE / 2) & (centers < box[2:] + STRIDE / 2), axis=-1)
            score[..., 1][inside & (height < _POSITIVE)] = 0
            continue
        offsets = center - centers
        sigma = max(_SIGMA * size, _MIN_SIGMA_CELLS * STRIDE)
        gaussian = np.exp(-(offsets**2).sum(axis=-1) / (2 * sigma**2))
        column, row = (center // STRIDE).astype(int)
        gaussian[row, column] = 1.0
        nearest = gaussian > height
        height = np.maximum(height, gaussian)
        positive = nearest & (gaussian >= _POSITIVE)
        score[..., 1][positive] = 1
        known = np.isfinite(points)
        numbers = np.concatenate(
            [
                offsets / size,
                np.broadcast_to(np.log(sides / (REFERENCE_SIZE * STRIDE)), offsets.shape),
                ((np.where(known, points, 0)[None, None] - centers[:, :, None]) / size).reshape(cells, cells, 10),
            ],
            axis=-1,
        )
        weight = gaussian[positive] / gaussian[positive].sum()
        geometry[positive, :14] = numbers[positive]
        geometry[positive, 14:18] = weight[:, None]
        geometry[positive, 18:] = weight[:, None] * known.reshape(1, 10)
    score[..., 0] = height
    return score, geometry

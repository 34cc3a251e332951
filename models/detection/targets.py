"""Faces of a training crop -> what each cell of the detector should answer, see ``core.detection.decoding``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.detection.decoding import REFERENCE_SIZE, STRIDE, cell_centers
from models.detection.labels import LabelledFaces

SMALLEST_PX = 11.0
"""Smaller faces, sqrt(w h), are neither wanted nor held against the network."""
_SPREAD = 0.11
"""Standard deviation of the score's bump in face sizes."""
_LEAST_SPREAD_CELLS = 0.55
_ANSWERING = 0.4
"""Cells with at least this height of the bump learn box and points."""
_LEAST_VISIBLE = 0.4


def encode(faces: LabelledFaces, size_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Faces in a ``size_px`` square crop -> ``score`` (n, n, 2) and ``geometry`` (n, n, 28), n = size_px / 8.

    ``score``: height of the bump in [0, 1] (exactly 1 in the cell that holds a centre) and a weight, 0 where the score
    is ignored. ``geometry``: 14 numbers and their 14 weights; the weights of a face's cells sum to 1.
    """
    cells = size_px // STRIDE
    centers = cell_centers(cells, cells)
    score = np.zeros((cells, cells, 2), np.float32)
    score[..., 1] = 1
    geometry = np.zeros((cells, cells, 28), np.float32)
    height = np.zeros((cells, cells))
    for box, points, sure in zip(faces.boxes, faces.points, faces.sure, strict=True):
        sides = box[2:] - box[:2]
        size = float(np.sqrt(np.prod(sides)))
        center = (box[:2] + box[2:]) / 2
        visible = np.clip(np.minimum(box[2:], size_px) - np.maximum(box[:2], 0), 0, None)
        seen = float(np.prod(visible / sides))
        if seen == 0:
            continue
        if not sure or size < SMALLEST_PX or seen < _LEAST_VISIBLE or np.any(center < 0) or np.any(center >= size_px):
            inside = np.all((centers > box[:2] - STRIDE / 2) & (centers < box[2:] + STRIDE / 2), axis=-1)
            score[..., 1][inside & (height < _ANSWERING)] = 0
            continue
        offsets = center - centers
        spread = max(_SPREAD * size, _LEAST_SPREAD_CELLS * STRIDE)
        bump = np.exp(-(offsets**2).sum(axis=-1) / (2 * spread**2))
        column, row = (center // STRIDE).astype(int)
        bump[row, column] = 1.0
        nearest = bump > height
        height = np.maximum(height, bump)
        answering = nearest & (bump >= _ANSWERING)
        score[..., 1][answering] = 1
        known = np.isfinite(points)
        numbers = np.concatenate(
            [
                offsets / size,
                np.broadcast_to(np.log(sides / (REFERENCE_SIZE * STRIDE)), offsets.shape),
                ((np.where(known, points, 0)[None, None] - centers[:, :, None]) / size).reshape(cells, cells, 10),
            ],
            axis=-1,
        )
        weight = bump[answering] / bump[answering].sum()
        geometry[answering, :14] = numbers[answering]
        geometry[answering, 14:18] = weight[:, None]
        geometry[answering, 18:] = weight[:, None] * known.reshape(1, 10)
    score[..., 0] = height
    return score, geometry

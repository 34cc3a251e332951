"""Faces of a training crop -> targets of each cell of the detector, see ``core.detection.decoding``.

Each map learns faces of its own sizes. Sizes between two maps are learnt by both, or ignored by one of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.detection.decoding import REFERENCE_SIZE, STRIDES, cell_centers
from core.geometry import areas, centers, sizes
from models.detection.labels import FACE

LEARNT_PX = {8: (9.5, 42.0), 16: (28.0, 112.0), 32: (78.0, np.inf)}
"""Stride -> sizes, sqrt(w h), that its map must find."""
IGNORED_PX = {8: (0.0, 58.0), 16: (20.0, 150.0), 32: (56.0, np.inf)}
"""Stride -> sizes that its map may find."""
_SIGMA = 0.11
"""Standard deviation of the score's Gaussian in face sizes."""
_MIN_SIGMA_CELLS = 0.55
_POSITIVE = 0.35
"""Cells with at least this score learn box and landmarks."""
_MIN_VISIBLE = 0.4

Target = tuple[NDArray[np.float32], NDArray[np.float32]]


def encode(faces: FaceArrays, size_px: int) -> list[Target]:
    """Encode the faces of a ``size_px`` square crop: for each stride ``score`` (n, n, 2) and ``geometry`` (n, n, 28).

    ``score``: a Gaussian in [0, 1] (exactly 1 in the cell that holds a centre) and a weight, 0 where the score is
    ignored. ``geometry``: 14 predictions and their 14 weights; the weights of a face's cells sum to 1.
    """
    middle, visible = centers(faces.xyxy), areas(np.clip(faces.xyxy, 0, size_px))
    inside = np.all((middle >= 0) & (middle < size_px), axis=1)
    usable = (faces.scores == FACE) & (visible >= _MIN_VISIBLE * areas(faces.xyxy)) & inside
    return [_encode_map(faces, size_px, stride, usable, visible > 0) for stride in STRIDES]


def _encode_map(
    faces: FaceArrays, size_px: int, stride: int, usable: NDArray[np.bool_], visible: NDArray[np.bool_]
) -> Target:
    count, face_px = size_px // stride, faces.sizes()
    cells = cell_centers(count, count, stride)
    score = np.zeros((count, count, 2), np.float32)
    score[..., 1] = 1
    geometry = np.zeros((count, count, 28), np.float32)
    learnt = usable & _is_between(face_px, LEARNT_PX[stride])
    # An uncertain face, or one that is hardly visible, is background on no map.
    ignored = visible & ~learnt & (_is_between(face_px, IGNORED_PX[stride]) | ~usable)
    for box in faces.xyxy[ignored]:
        columns, rows = _cell_range(box[:2] - stride / 2, box[2:] + stride / 2, stride, count)
        score[rows, columns, 1] = 0
    for face in np.nonzero(learnt)[0]:
        box, size = faces.xyxy[face], face_px[face]
        center, sigma = centers(box[None])[0], max(_SIGMA * size, _MIN_SIGMA_CELLS * stride)
        reach = 3.5 * sigma + stride
        columns, rows = _cell_range(center - reach, center + reach, stride, count)
        part_score, part_cells = score[rows, columns], cells[rows, columns]
        offsets = center - part_cells
        gaussian = np.exp(-(offsets**2).sum(axis=-1) / (2 * sigma**2))
        column, row = (center // stride).astype(int)
        gaussian[row - rows.start, column - columns.start] = 1.0
        nearest = gaussian > part_score[..., 0]
        part_score[nearest, 0] = gaussian[nearest]
        positive = nearest & (gaussian >= _POSITIVE)
        part_score[positive, 1] = 1
        known = np.isfinite(faces.landmarks[face])
        landmarks = (np.where(known, faces.landmarks[face], 0) - part_cells[positive][:, None]) / size
        logs = np.log(sizes(box[None]) / (REFERENCE_SIZE * stride)).repeat(len(landmarks), axis=0)
        weight = (gaussian[positive] / gaussian[positive].sum())[:, None]
        values = [offsets[positive] / size, logs, landmarks.reshape(-1, 10)]
        weights = [weight.repeat(4, axis=1), weight * known.reshape(1, 10)]
        geometry[rows, columns][positive] = np.concatenate([*values, *weights], axis=1)
    return score, geometry


def _is_between(face_px: NDArray[np.float64], limits_px: tuple[float, float]) -> NDArray[np.bool_]:
    return (face_px >= limits_px[0]) & (face_px <= limits_px[1])


def _cell_range(
    low_px: NDArray[np.float64], high_px: NDArray[np.float64], stride: int, count: int
) -> tuple[slice, slice]:
    """Columns and rows of the cells whose centres lie between two corners."""
    low = np.clip(np.ceil(low_px / stride - 0.5), 0, count).astype(int)
    high = np.clip(np.floor(high_px / stride - 0.5) + 1, low, count).astype(int)
    return slice(low[0], high[0]), slice(low[1], high[1])

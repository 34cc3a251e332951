"""Geometry of axis-aligned boxes: pure functions on ``(N, 4)`` float arrays of x1, y1, x2, y2.

Inputs are never changed, results are new float64 arrays, and ``(0, 4)`` works everywhere. ``wh`` means
(width, height). Boxes are half-open, as in ``core.types.Box``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.types import Box

Floats = NDArray[np.float64]


def as_xyxy(boxes: Iterable[Box]) -> Floats:
    """Stack boxes to ``(N, 4)``; no boxes give ``(0, 4)``."""
    return np.array([box.xyxy for box in boxes], dtype=np.float64).reshape(-1, 4)


def _as_boxes(xyxy: ArrayLike) -> Floats:
    array = np.asarray(xyxy, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes must be an (N, 4) array of x1, y1, x2, y2, got shape {array.shape}")
    return array


def areas(xyxy: ArrayLike) -> Floats:
    """Compute ``(N,)`` areas; a box turned inside out has area 0."""
    boxes = _as_boxes(xyxy)
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def centers(xyxy: ArrayLike) -> Floats:
    """Compute ``(N, 2)`` centres (x, y)."""
    boxes = _as_boxes(xyxy)
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2)


def sizes(xyxy: ArrayLike) -> Floats:
    """Compute ``(N, 2)`` widths and heights."""
    boxes = _as_boxes(xyxy)
    return np.asarray(boxes[:, 2:] - boxes[:, :2])


def iou_matrix(first_xyxy: ArrayLike, second_xyxy: ArrayLike) -> Floats:
    """Compute the ``(N, M)`` intersection over union of every pair; 0 where both boxes are empty."""
    first, second = _as_boxes(first_xyxy), _as_boxes(second_xyxy)
    intersection = _overlap(first, second, axis=0) * _overlap(first, second, axis=1)
    union = areas(first)[:, None] + areas(second)[None, :] - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def _overlap(first: Floats, second: Floats, axis: int) -> Floats:
    """Compute the ``(N, M)`` common length along one axis; both axes in one array would take longer."""
    ends = np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
    ends -= np.maximum(first[:, None, axis], second[None, :, axis])
    return np.maximum(ends, 0, out=ends)


def clip(xyxy: ArrayLike, resolution_wh: tuple[int, int]) -> Floats:
    """Cut boxes to the frame; a box outside becomes empty, on the border."""
    width, height = resolution_wh
    return np.clip(_as_boxes(xyxy), 0, np.array([width, height, width, height], dtype=np.float64))


def scale(xyxy: ArrayLike, from_wh: tuple[int, int], to_wh: tuple[int, int]) -> Floats:
    """Convert boxes of a frame of size ``from_wh`` to pixels of the same image at size ``to_wh``."""
    factors = np.array([to_wh[0] / from_wh[0], to_wh[1] / from_wh[1]])
    return _as_boxes(xyxy) * np.tile(factors, 2)


def expand(xyxy: ArrayLike, margin: float) -> Floats:
    """Grow boxes about their centres to ``1 + margin`` times their sides; negative margins shrink."""
    half = sizes(xyxy) * (1 + margin) / 2
    middle = centers(xyxy)
    return np.concatenate([middle - half, middle + half], axis=1)


def mirror(xyxy: ArrayLike, width: int) -> Floats:
    """Flip boxes left to right with the image; x1 < x2 stays."""
    boxes = _as_boxes(xyxy)
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)

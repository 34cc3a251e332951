"""Rotations, and rotated squares cut out of frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SAMPLES_PER_PIXEL = 2
_LONGEST_WARPED_PX = 2**15 - 1
"""OpenCV cannot warp images with a side this long."""


def rotation_matrix(angle: float) -> NDArray[np.float64]:
    """Return the matrix (2, 2) that rotates points (x, y) of a frame clockwise on screen by ``angle`` in radians."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def cut_square(
    frame: NDArray[np.uint8], center: NDArray[np.float64], side: float, angle: float, size: int
) -> NDArray[np.uint8]:
    """Cut the square of ``side`` frame pixels around ``center`` (x, y), rotated clockwise on screen by ``angle`` in
    radians, out of (H, W, 3) uint8 as (size, size, 3). Outside the frame the border is repeated."""
    # A bilinear warp reads four neighbours only and would alias on a much larger face: warp to a multiple of the size,
    # then average down.
    factor = max(1, min(8, int(np.ceil(side / (size * _SAMPLES_PER_PIXEL)))))
    warped_px = size * factor
    zoom = warped_px / side
    if max(frame.shape[:2]) >= _LONGEST_WARPED_PX:
        frame, center = _cut_surroundings(frame, center, side)
    linear = zoom * rotation_matrix(-angle)
    matrix = np.column_stack([linear, (warped_px - 1) / 2 - linear @ (center - 0.5)])
    crop = cv2.warpAffine(
        frame, matrix, (warped_px, warped_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if factor > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return crop.astype(np.uint8, copy=False)


def _cut_surroundings(
    frame: NDArray[np.uint8], center: NDArray[np.float64], side: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the part of the frame that a crop at any angle can show, at least one pixel, and the centre in it."""
    height, width = frame.shape[:2]
    reach = side * np.sqrt(0.5) + 2
    x1, y1 = np.clip(np.floor(center - reach), 0, [width - 1, height - 1]).astype(int)
    x2, y2 = np.clip(np.ceil(center + reach), [x1 + 1, y1 + 1], [width, height]).astype(int)
    return frame[y1:y2, x1:x2], center - [x1, y1]

"""Draw what covers faces into training images: shapes in the frame of the eyes.

The frame of the eyes has its origin between them and two axes, each one inter-ocular distance long: along the eyes and
down from them. All functions draw into their (H, W, 3) uint8 ``image``; points are (x, y) in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.augment import Image

Floats = NDArray[np.float64]

MASK = np.array(
    [(-0.95, 0.5), (-0.4, 0.32), (0, 0.25), (0.4, 0.32), (0.95, 0.5), (0.75, 1.35), (0, 1.8), (-0.75, 1.35)]
)
_SCATTER = 0.07


def place_polygon(polygon: Floats, middle: Floats, axes: Floats, rng: np.random.Generator) -> Floats:
    """Convert corners (N, 2) of the frame of the eyes to pixels, each moved a little at random."""
    return np.asarray((polygon + rng.normal(0, _SCATTER, polygon.shape)) @ axes + middle)


def draw_polygon(image: Image, corners: Floats, colour: Sequence[int]) -> None:
    cv2.fillPoly(image, [corners.round().astype(np.int32)], tuple(colour), cv2.LINE_AA)


def draw_ellipse(
    image: Image,
    center: Floats,
    half: Floats,
    angle_deg: float,
    colour: Sequence[int],
    thickness: int = -1,
    line: int = cv2.LINE_8,
) -> None:
    center_xy, axes = center.round().astype(int).tolist(), np.maximum(half, 1).astype(int).tolist()
    cv2.ellipse(image, center_xy, axes, angle_deg, 0, 360, tuple(colour), thickness, line)


def draw_line(image: Image, start: Floats, end: Floats, colour: Sequence[int], width_px: float) -> None:
    start_xy, end_xy = (point.round().astype(int).tolist() for point in (start, end))
    cv2.line(image, start_xy, end_xy, tuple(colour), max(1, round(width_px)))

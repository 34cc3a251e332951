"""Test pictures that are made from photographs: margins, close-ups, turns, shifts, scales; and what is in them.

Coordinates are half-open: pixel i covers [i, i + 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import MIRRORED_POINTS

CLOSE_UP_PX = (140, 160, 200, 300, 400, 640, 1000, 1400)
ROTATIONS_DEG = (30, 45, 60)
QUARTER_TURNS = (1, 2, 3)
MARGIN = 0.5
"""Of a portrait's side, around it."""
_NEAR_MIDDLE, _FACE_SHARE = 0.25, (0.2, 1.3)

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Variant:
    """A picture and the (2, 3) matrix that led from the original's coordinates to its own."""

    image: Image
    matrix: Floats
    mirrored: bool = False

    def back(self, landmarks: Floats) -> Floats:
        """(5, 2) landmarks of the variant in the original's coordinates."""
        original = (landmarks - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T
        return np.asarray(original[MIRRORED_POINTS] if self.mirrored else original)


def with_margin(image: Image, share: float = MARGIN) -> Image:
    """Grey around a picture: ``share`` of its longer side on each side."""
    pad = round(share * max(image.shape[:2]))
    grey = (127, 127, 127)
    return np.asarray(cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=grey), np.uint8)


def close_up(image: Image, xyxy: Floats, side_px: int) -> Image:
    """A portrait cut to its face, 5 % wider, with its longer side enlarged to ``side_px``."""
    grown = (xyxy[2:] - xyxy[:2]) * 0.05
    low = np.maximum(xyxy[:2] - grown, 0).astype(int)
    high = np.minimum(np.ceil(xyxy[2:] + grown), image.shape[1::-1]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    zoom = side_px / max(part.shape[:2])
    wide, high_px = (max(1, round(side * zoom)) for side in part.shape[1::-1])
    kind = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (wide, high_px), interpolation=kind), np.uint8)


def rotated(image: Image, degrees: float) -> Image:
    """About its middle, on a black canvas that holds all of it."""
    height, width = image.shape[:2]
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    canvas = np.ceil((np.abs(turn) @ np.array([width, height], np.float64)).round(6))
    offset = canvas / 2 - 0.5 - turn @ (np.array([width, height]) / 2 - 0.5)
    matrix = np.column_stack([turn, offset])
    return np.asarray(cv2.warpAffine(image, matrix, (int(canvas[0]), int(canvas[1]))), np.uint8)


def variants(image: Image) -> Iterator[Variant]:
    """The picture itself, shifted by 1 to 8 pixels, scaled by 0.75 to 1.5, and mirrored."""
    height, width = image.shape[:2]
    for number in range(9):
        # Every length once, all round the compass.
        angle = number * 2.4
        x, y = (round(number * float(one)) for one in (np.cos(angle), np.sin(angle)))
        matrix = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
        moved = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        yield Variant(np.asarray(moved, np.uint8), matrix)
    for scale in (0.75, 0.9, 1.2, 1.5):
        wide, high = round(width * scale), round(height * scale)
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(image, (wide, high), interpolation=kind), np.uint8)
        yield Variant(scaled, np.array([[wide / width, 0.0, 0.0], [0.0, high / height, 0.0]]))
    mirrored = np.ascontiguousarray(image[:, ::-1])
    yield Variant(mirrored, np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0]]), mirrored=True)


def portrait_row(xyxy: Floats, portrait_xyxy: Floats) -> int | None:
    """Row of the first box (D, 4) that can be the face of the portrait which fills ``portrait_xyxy`` (4,)."""
    low, high = portrait_xyxy[:2], portrait_xyxy[2:]
    side = float((high - low).max())
    middles, sides = (xyxy[:, :2] + xyxy[:, 2:]) / 2, np.sqrt((xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1))
    near = np.abs(middles - (low + high) / 2).max(axis=1) <= _NEAR_MIDDLE * side
    alike = (sides >= _FACE_SHARE[0] * side) & (sides <= _FACE_SHARE[1] * side)
    rows = np.nonzero(near & alike)[0]
    return int(rows[0]) if len(rows) else None

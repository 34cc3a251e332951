"""Cut the surroundings of a box out of a frame, together with what was found there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from core.drawing.text_labels import Frame
from core.types import Analysis, Box, Detection, Face, Landmarks


def zoom_to(
    frame: Frame, analysis: Analysis, box: Box, heights: float, side_px: int
) -> tuple[Frame, Analysis, tuple[int, ...]]:
    """Return the part of ``frame``, (H, W, 3) uint8 BGR, around ``box``, ``heights`` boxes high as far as the frame
    reaches, as a 4:3 picture ``side_px`` wide; the faces whose centre it shows, in its pixels; and their indices.

    ``box`` and ``analysis`` are in pixels of the analysis, which may have been resized from ``frame``.
    """
    scale_x, scale_y = frame.shape[1] / analysis.width, frame.shape[0] / analysis.height
    target = box.scaled(scale_x, scale_y)
    # A whole number of units keeps the shape exact.
    unit = max(1, int(min(heights * target.height / 3, frame.shape[0] / 3, frame.shape[1] / 4)))
    left = round(min(max(target.center[0] - 2 * unit, 0), frame.shape[1] - 4 * unit))
    top = round(min(max(target.center[1] - 1.5 * unit, 0), frame.shape[0] - 3 * unit))
    size = (side_px, side_px * 3 // 4)
    zoom = side_px / (4 * unit)
    interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    view = cv2.resize(frame[top : top + 3 * unit, left : left + 4 * unit], size, interpolation=interpolation)
    moved = [_move(face, (scale_x * zoom, scale_y * zoom), (left * zoom, top * zoom)) for face in analysis.faces]
    inside = tuple(row for row, face in enumerate(moved) if _is_inside(face.box, size))
    faces = tuple(moved[row] for row in inside)
    return np.asarray(view, np.uint8), replace(analysis, width=size[0], height=size[1], faces=faces), inside


def _move(face: Face, scale: tuple[float, float], offset: tuple[float, float]) -> Face:
    detection = face.detection.scaled(*scale)
    (x, y), box = offset, detection.box
    landmarks = detection.landmarks and Landmarks(*((px - x, py - y) for px, py in detection.landmarks.points))
    return replace(
        face,
        detection=Detection(Box(box.x1 - x, box.y1 - y, box.x2 - x, box.y2 - y), detection.score, landmarks),
    )


def _is_inside(box: Box, size: tuple[int, int]) -> bool:
    x, y = box.center
    return 0 <= x < size[0] and 0 <= y < size[1]

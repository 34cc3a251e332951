"""Cut the surroundings of a box out of a frame, together with what was found there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from core.drawing.text_labels import Frame
from core.types import Analysis, Box, Detection, Face, Landmarks

ASPECT = 4 / 3


def zoom_to(
    frame: Frame, analysis: Analysis, box: Box, heights: float, side_px: int
) -> tuple[Frame, Analysis, tuple[int, ...]]:
    """Return the part of ``frame``, (H, W, 3) uint8 BGR, around ``box``, ``heights`` boxes high and 4:3 as far as the
    frame reaches, its longer side ``side_px``; the faces whose centre it shows, in its pixels; and their indices.

    ``box`` and ``analysis`` are in pixels of the analysis, which may have been resized from ``frame``.
    """
    scale_x, scale_y = frame.shape[1] / analysis.width, frame.shape[0] / analysis.height
    target = box.scaled(scale_x, scale_y)
    height = min(heights * target.height, frame.shape[0], frame.shape[1] / ASPECT)
    width = height * ASPECT
    left = round(min(max(target.center[0] - width / 2, 0), frame.shape[1] - width))
    top = round(min(max(target.center[1] - height / 2, 0), frame.shape[0] - height))
    view = frame[top : top + max(1, round(height)), left : left + max(1, round(width))]
    zoom = side_px / max(view.shape[:2])
    size = (max(1, round(view.shape[1] * zoom)), max(1, round(view.shape[0] * zoom)))
    interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    shown = np.asarray(cv2.resize(view, size, interpolation=interpolation), np.uint8)
    moved = [_move(face, (scale_x * zoom, scale_y * zoom), (left * zoom, top * zoom)) for face in analysis.faces]
    inside = tuple(row for row, face in enumerate(moved) if _is_inside(face.box, size))
    return shown, replace(analysis, width=size[0], height=size[1], faces=tuple(moved[row] for row in inside)), inside


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

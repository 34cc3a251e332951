"""Annotate a copy of a frame with its ``Analysis``: pixelated faces, boxes and labels. Always the last step."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike

from core import geometry
from core.drawing.label_placement import draw_labels
from core.drawing.legend import append_legend
from core.drawing.palette import EMOTION_HEX, FACE_HEX, Color, hex_to_bgr
from core.drawing.text_labels import SEPARATOR, Frame, label_parts
from core.settings import OverlayStyle
from core.types import Analysis, Face

PIXELATE_CELLS = 6
"""A pixelated face is this many flat squares across: too few to recognise anybody."""

PIXELATE_MARGIN = 0.4
"""How much larger than the box the pixelated region is, because boxes leave out hair, ears and chin."""


def annotate(
    frame: Frame,
    analysis: Analysis,
    style: OverlayStyle = OverlayStyle(),
    *,
    numbers: Sequence[int | None] | None = None,
    extra_blur_boxes: ArrayLike = (),
    legend: bool = False,
) -> Frame:
    """Return a new frame with the faces of ``analysis`` marked; ``frame`` is (H, W, 3) uint8 BGR.

    ``numbers`` are written beside the faces, by default their track ids. ``extra_blur_boxes``, (N, 4), are pixelated as
    well if ``style.blur_faces``: they keep a face hidden while the detector misses it for a few frames. All boxes are
    in pixels of the analysed frame and are scaled if ``frame`` has another size. With ``legend``, labels that have no
    room beside their faces are written below the frame, which makes it higher.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ValueError(f"frame must be (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
    canvas = (frame[:, ::-1] if style.mirror else frame).copy()
    xyxy = _to_canvas(analysis.xyxy, analysis, canvas, style)
    if style.blur_faces:
        _pixelate_boxes(canvas, np.concatenate([xyxy, _to_canvas(extra_blur_boxes, analysis, canvas, style)]))
    colors = [hex_to_bgr(face_hex(face)) for face in analysis.faces]
    for box, color in zip(xyxy, colors, strict=True):
        _draw_box(canvas, box, color)
    if style.labels:
        numbers = [face.track_id for face in analysis.faces] if numbers is None else numbers
        shortened = draw_labels(canvas, xyxy, analysis.faces, numbers, colors)
        if legend:
            numbered = [row for row in shortened if numbers[row] is not None]
            lines = [SEPARATOR.join(label_parts(analysis.faces[row], numbers[row])) for row in numbered]
            return append_legend(canvas, lines)
    return canvas


def pixelate(frame: Frame) -> Frame:
    """Return a copy that is pixelated as a whole, for frames whose faces must be hidden but could not be found."""
    canvas = frame.copy()
    _pixelate_boxes(canvas, np.array([[0, 0, frame.shape[1], frame.shape[0]]], dtype=np.float64))
    return canvas


def face_hex(face: Face) -> str:
    """Return the colour of a face's box, ``#RRGGBB``: that of its emotion if it is sure."""
    return FACE_HEX if face.emotion is None or face.emotion.uncertain else EMOTION_HEX[face.emotion.label]


def _to_canvas(xyxy: ArrayLike, analysis: Analysis, canvas: Frame, style: OverlayStyle) -> geometry.Floats:
    height, width = canvas.shape[:2]
    scaled = geometry.scale(xyxy, analysis.resolution_wh, (width, height))
    return geometry.mirror(scaled, width) if style.mirror else scaled


def _pixelate_boxes(canvas: Frame, xyxy: geometry.Floats) -> None:
    height, width = canvas.shape[:2]
    regions = geometry.clip(geometry.expand(xyxy, PIXELATE_MARGIN), (width, height))
    for x1, y1, x2, y2 in np.concatenate([np.floor(regions[:, :2]), np.ceil(regions[:, 2:])], axis=1).astype(int):
        region = canvas[y1:y2, x1:x2]
        if not region.size:
            continue
        cells_wh = (min(PIXELATE_CELLS, x2 - x1), min(PIXELATE_CELLS, y2 - y1))
        # Averages of large cells cannot be sharpened again, unlike a Gaussian blur.
        cells = cv2.resize(region, cells_wh, interpolation=cv2.INTER_AREA)
        canvas[y1:y2, x1:x2] = cv2.resize(cells, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)


def _draw_box(canvas: Frame, xyxy: geometry.Floats, color: Color) -> None:
    # Thinner lines around small faces, which they would hide.
    thickness = max(1, round(min(min(canvas.shape[:2]) / 240, (xyxy[2] - xyxy[0]) / 16)))
    # OpenCV overflows on coordinates beyond 16 bits.
    limit = 2 * max(canvas.shape[:2])
    x1, y1, x2, y2 = np.clip(np.round(xyxy), -limit, limit).astype(int).tolist()
    # A dark outline keeps the box visible on a background of its own colour.
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), (0, 0, 0), thickness + 2, cv2.LINE_8)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), color, thickness, cv2.LINE_8)

"""Draws an ``Analysis`` on a copy of its frame: blur, boxes, labels. The last step, from the result alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core import geometry, labels
from core.drawing.palette import emotion_bgr, readable_text_bgr
from core.settings import OverlayStyle
from core.types import Analysis, Box, Face

Frame = NDArray[np.uint8]
Color = tuple[int, int, int]

SEPARATOR = " · "
BLUR_CELLS = 6
"""A blurred face is this many flat squares across: fewer than anybody can be recognised by."""

BLUR_MARGIN = 0.4
"""Blurred regions are this much larger than the box, which leaves out hair, ears and chin."""

WIDEST_LABEL = 5.0
"""In widths of the box: where there are several faces, a wider label would hide the others and is shortened."""

SMALLEST_FONT_PX = 7
"""Labels that would need a smaller font to fit into the frame are left out: nobody could read them."""


def draw(
    frame: Frame, analysis: Analysis, style: OverlayStyle = OverlayStyle(), extra_blur_boxes: Iterable[Box] = ()
) -> Frame:
    """New frame with the faces of ``analysis`` marked; ``frame`` is (H, W, 3) uint8 BGR and stays as it is.

    ``extra_blur_boxes`` are regions of faces that were there a moment ago; they matter with ``style.blur_faces``
    only, and keep a face hidden while the detector misses it for a few frames. Boxes are in pixels of the
    analysed frame and are scaled if ``frame`` has another size.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
        raise ValueError(f"frame must be (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
    height, width = frame.shape[:2]
    canvas = (frame[:, ::-1] if style.mirror else frame).copy()
    found = _placed(geometry.as_xyxy(f.box for f in analysis.faces), analysis, (width, height), style)
    if style.blur_faces:
        lost = _placed(geometry.as_xyxy(extra_blur_boxes), analysis, (width, height), style)
        _blur(canvas, np.concatenate([found, lost]))
    for xyxy, face in zip(found, analysis.faces, strict=True):
        _draw_box(canvas, xyxy, _face_color(face))
    if style.labels:
        _draw_labels(canvas, found, analysis.faces)
    return canvas


def pixelate(frame: Frame) -> Frame:
    """The whole frame, unrecognisable: what is shown when faces must be hidden and could not be found."""
    canvas = frame.copy()
    _blur(canvas, np.array([[0, 0, frame.shape[1], frame.shape[0]]], dtype=np.float64))
    return canvas


def label_parts(face: Face) -> tuple[str, ...]:
    """What is written beside a face, for example ``("#1 happy 87%", "31 y (25-38)", "female")``; of uncertain answers
    the two best guesses."""
    first = [] if face.track_id is None else [f"#{face.track_id}"]
    if face.emotion is not None:
        first.append(labels.answer(face.emotion))
    parts = [" ".join(first)] if first else []
    if face.age is not None:
        parts.append(labels.age(face.age, "y"))
    if face.gender is not None:
        parts.append(labels.answer(face.gender) if face.gender.uncertain else str(face.gender.label))
    return tuple(parts)


def _face_color(face: Face) -> Color:
    return emotion_bgr(None if face.emotion is None or face.emotion.uncertain else face.emotion.label)


def _placed(
    xyxy: geometry.Floats, analysis: Analysis, resolution_wh: tuple[int, int], style: OverlayStyle
) -> geometry.Floats:
    scaled = geometry.scale(xyxy, (analysis.width, analysis.height), resolution_wh)
    return geometry.mirror(scaled, resolution_wh[0]) if style.mirror else scaled


def _blur(canvas: Frame, xyxy: geometry.Floats) -> None:
    height, width = canvas.shape[:2]
    regions = geometry.clip(geometry.expand(xyxy, BLUR_MARGIN), (width, height))
    for x1, y1, x2, y2 in np.concatenate([np.floor(regions[:, :2]), np.ceil(regions[:, 2:])], axis=1).astype(int):
        region = canvas[y1:y2, x1:x2]
        if not region.size:
            continue
        cells_wh = (min(BLUR_CELLS, x2 - x1), min(BLUR_CELLS, y2 - y1))
        # Averages of large cells: unlike after a Gaussian blur, there is nothing left to sharpen.
        cells = cv2.resize(region, cells_wh, interpolation=cv2.INTER_AREA)
        canvas[y1:y2, x1:x2] = cv2.resize(cells, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)


def _draw_box(canvas: Frame, xyxy: geometry.Floats, color: Color) -> None:
    # Thinner around a small face, which would be hidden.
    thickness = max(1, round(min(min(canvas.shape[:2]) / 240, (xyxy[2] - xyxy[0]) / 16)))
    # OpenCV overflows on coordinates beyond 16 bits; far outside is as good as just outside.
    limit = 2 * max(canvas.shape[:2])
    x1, y1, x2, y2 = np.clip(np.round(xyxy), -limit, limit).astype(int).tolist()
    # A dark line below the coloured one keeps the box visible on a background of its own colour.
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), (0, 0, 0), thickness + 2, cv2.LINE_8)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), color, thickness, cv2.LINE_8)


@dataclass(frozen=True, slots=True)
class _Label:
    """Lines of text. ``mask`` is (h, w) uint8, 255 where there is ink; most labels are only measured."""

    lines: tuple[str, ...]
    font_px: int

    @property
    def wh(self) -> tuple[int, int]:
        return _text_wh(self.lines, self.font_px)

    @property
    def mask(self) -> Frame:
        return _text_mask(self.lines, self.font_px)


def _draw_labels(canvas: Frame, xyxy: geometry.Floats, faces: Sequence[Face]) -> None:
    height, width = canvas.shape[:2]
    taken: list[tuple[int, int, int, int]] = []
    for box, face in zip(xyxy, faces, strict=True):
        label = _label(face, box, (width, height), alone=len(faces) == 1)
        if label is None:
            continue
        place = _place(label.wh, box, xyxy, (width, height), taken)
        taken.append(place)
        _paste(canvas, label.mask, place, _face_color(face))


def _label(face: Face, xyxy: geometry.Floats, resolution_wh: tuple[int, int], alone: bool) -> _Label | None:
    """All that is known, or, where that is too wide beside other faces, its beginning, or its number alone."""
    parts = label_parts(face)
    label = _fitting_label(parts, xyxy, resolution_wh)
    if alone:
        return label
    number = () if face.track_id is None else (f"#{face.track_id}",)
    for shorter in (parts[:1], number):
        if label is None or label.wh[0] <= WIDEST_LABEL * (xyxy[2] - xyxy[0]):
            return label
        label = _fitting_label(shorter, xyxy, resolution_wh) or label
    return label


def _fitting_label(parts: tuple[str, ...], xyxy: geometry.Floats, resolution_wh: tuple[int, int]) -> _Label | None:
    """The label in the largest font that fits into the frame, or ``None`` if no readable one does."""
    if not parts:
        return None
    font_px = round(min(max(min(resolution_wh) / 30, 10), 48))
    while font_px >= SMALLEST_FONT_PX:
        wanted = min(resolution_wh[0], max(1.6 * (xyxy[2] - xyxy[0]), 16 * font_px))
        label = _Label(_wrapped(parts, font_px, wanted), font_px)
        if label.wh[0] <= resolution_wh[0] and label.wh[1] <= resolution_wh[1]:
            return label
        font_px -= 1
    return None


def _wrapped(parts: tuple[str, ...], font_px: int, max_width: float) -> tuple[str, ...]:
    """Parts joined into lines of at most ``max_width`` pixels; a single part is never broken."""
    lines = [parts[0]]
    for part in parts[1:]:
        longer = lines[-1] + SEPARATOR + part
        if _font(font_px).getlength(longer) + font_px <= max_width:
            lines[-1] = longer
        else:
            lines.append(part)
    return tuple(lines)


@lru_cache(maxsize=64)
def _font(font_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow's own font: cv2.putText knows ASCII only, and system fonts differ from machine to machine.
    return ImageFont.load_default(font_px)


def _pads(font_px: int) -> tuple[int, int]:
    """Pixels beside and above the text."""
    pad = max(2, font_px // 4)
    return pad, pad // 2


@lru_cache(maxsize=1024)
def _text_wh(lines: tuple[str, ...], font_px: int) -> tuple[int, int]:
    """Size of ``_text_mask``, without drawing it."""
    (beside, above), font = _pads(font_px), _font(font_px)
    width = int(max(font.getlength(line) for line in lines)) + 1
    return width + 2 * beside, round(font_px * 1.25) * len(lines) + 2 * above


@lru_cache(maxsize=256)
def _text_mask(lines: tuple[str, ...], font_px: int) -> Frame:
    """(h, w) uint8 with padding around the text; cached, because most labels are the same as a frame ago."""
    beside, above = _pads(font_px)
    image = Image.new("L", _text_wh(lines, font_px), 0)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        pen.text((beside, above + row * round(font_px * 1.25)), line, fill=255, font=_font(font_px))
    mask = np.asarray(image, dtype=np.uint8)
    mask.setflags(write=False)
    return mask


def _place(
    label_wh: tuple[int, int],
    xyxy: geometry.Floats,
    faces_xyxy: geometry.Floats,
    resolution_wh: tuple[int, int],
    taken: list[tuple[int, int, int, int]],
) -> tuple[int, int, int, int]:
    """Pixels (x1, y1, x2, y2) inside the frame: above the box, below it or at its top, wherever least is
    covered."""
    width, height = resolution_wh
    inside_x = int(np.clip(round(xyxy[0]), 0, width - label_wh[0]))
    tops = (xyxy[1] - label_wh[1], xyxy[3], xyxy[1])
    candidates = []
    for top in tops:
        y = int(np.clip(round(top), 0, height - label_wh[1]))
        candidates.append((inside_x, y, inside_x + label_wh[0], y + label_wh[1]))
    others = np.array(taken, dtype=np.float64).reshape(-1, 4)
    hidden_labels = geometry.iou_matrix(candidates, others).sum(axis=1)
    hidden_faces = geometry.iou_matrix(candidates, faces_xyxy).sum(axis=1)
    # Rounded: a box that ends a fraction of a pixel elsewhere must not send its label from side to side.
    return candidates[int(np.argmin(np.round(hidden_labels * 10 + hidden_faces, 2)))]


def _paste(canvas: Frame, mask: Frame, place: tuple[int, int, int, int], background: Color) -> None:
    x1, y1, x2, y2 = place
    ink = (mask / 255.0)[..., None]
    text = np.array(readable_text_bgr(background), dtype=np.float64)
    canvas[y1:y2, x1:x2] = (text * ink + np.array(background) * (1 - ink)).round().astype(np.uint8)

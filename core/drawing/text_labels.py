"""Text labels beside the boxes: what they say, how large they are and where they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core import geometry, labels
from core.drawing.palette import Color, readable_text_bgr
from core.types import Face

Frame = NDArray[np.uint8]
Place = tuple[int, int, int, int]

SEPARATOR = " · "
MAX_WIDTH_RATIO = 5.0
"""Widest label relative to its box where there are several faces; wider ones would hide the others."""

MIN_FONT_PX = 7
"""Labels that would need a smaller font to fit into the frame are left out as unreadable."""


def draw_labels(
    canvas: Frame,
    xyxy: geometry.Floats,
    faces: Sequence[Face],
    numbers: Sequence[int | None],
    colors: Sequence[Color],
) -> None:
    """Draw one label per face into ``canvas``, (H, W, 3) uint8 BGR; ``xyxy`` (N, 4) in its pixels."""
    resolution_wh = (canvas.shape[1], canvas.shape[0])
    taken: list[Place] = []
    for box, face, number, color in zip(xyxy, faces, numbers, colors, strict=True):
        label = _choose_label(face, number, box, resolution_wh, alone=len(faces) == 1)
        if label is not None:
            place = _find_place(label.wh, box, xyxy, resolution_wh, taken)
            taken.append(place)
            _paste(canvas, label.mask, place, color)


def label_parts(face: Face, number: int | None = None) -> tuple[str, ...]:
    """Return the parts of a label, for example ``("#1 happy 87%", "31 y (25-38)", "female 93%")``."""
    first = [] if number is None else [f"#{number}"]
    if face.emotion is not None:
        first.append(labels.format_estimate(face.emotion))
    parts = [" ".join(first)] if first else []
    if face.age is not None:
        parts.append(labels.format_age(face.age, "y"))
    if face.gender is not None:
        parts.append(labels.format_estimate(face.gender))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class _Label:
    """Lines of text. ``mask`` is (h, w) uint8, 255 where there is ink; most labels are measured, but not drawn."""

    lines: tuple[str, ...]
    font_px: int

    @property
    def wh(self) -> tuple[int, int]:
        return _measure_text(self.lines, self.font_px)

    @property
    def mask(self) -> Frame:
        return _render_text(self.lines, self.font_px)


def _choose_label(
    face: Face, number: int | None, xyxy: geometry.Floats, resolution_wh: tuple[int, int], alone: bool
) -> _Label | None:
    """Return the full label, or its first part or only the number where it is too wide beside other faces."""
    parts = label_parts(face, number)
    label = _fit_label(parts, xyxy, resolution_wh)
    if alone:
        return label
    for shorter in (parts[:1], () if number is None else (f"#{number}",)):
        if label is None or label.wh[0] <= MAX_WIDTH_RATIO * (xyxy[2] - xyxy[0]):
            return label
        label = _fit_label(shorter, xyxy, resolution_wh) or label
    return label


def _fit_label(parts: tuple[str, ...], xyxy: geometry.Floats, resolution_wh: tuple[int, int]) -> _Label | None:
    """Return the label in the largest font that fits into the frame, or ``None`` if no readable one does."""
    if not parts:
        return None
    font_px = round(min(max(min(resolution_wh) / 30, 10), 48))
    while font_px >= MIN_FONT_PX:
        max_width = min(resolution_wh[0], max(1.6 * (xyxy[2] - xyxy[0]), 16 * font_px))
        label = _Label(_wrap(parts, font_px, max_width), font_px)
        if label.wh[0] <= resolution_wh[0] and label.wh[1] <= resolution_wh[1]:
            return label
        font_px -= 1
    return None


def _wrap(parts: tuple[str, ...], font_px: int, max_width: float) -> tuple[str, ...]:
    """Join parts into lines of at most ``max_width`` pixels; a single part is never broken."""
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
    # Pillow's built-in font: cv2.putText draws ASCII only, and system fonts differ between machines.
    return ImageFont.load_default(font_px)


def _padding(font_px: int) -> tuple[int, int]:
    """Pixels beside and above the text."""
    pad = max(2, font_px // 4)
    return pad, pad // 2


@lru_cache(maxsize=1024)
def _measure_text(lines: tuple[str, ...], font_px: int) -> tuple[int, int]:
    """Return width and height of ``_render_text`` without drawing it."""
    (beside, above), font = _padding(font_px), _font(font_px)
    width = int(max(font.getlength(line) for line in lines)) + 1
    return width + 2 * beside, round(font_px * 1.25) * len(lines) + 2 * above


@lru_cache(maxsize=256)
def _render_text(lines: tuple[str, ...], font_px: int) -> Frame:
    """Return a (h, w) uint8 mask with padding; cached, because most labels stay the same from frame to frame."""
    beside, above = _padding(font_px)
    image = Image.new("L", _measure_text(lines, font_px), 0)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        pen.text((beside, above + row * round(font_px * 1.25)), line, fill=255, font=_font(font_px))
    mask = np.asarray(image, dtype=np.uint8)
    mask.setflags(write=False)
    return mask


def _find_place(
    label_wh: tuple[int, int],
    xyxy: geometry.Floats,
    faces_xyxy: geometry.Floats,
    resolution_wh: tuple[int, int],
    taken: list[Place],
) -> Place:
    """Return x1, y1, x2, y2 inside the frame: above, below or at the top of the box, wherever least is covered."""
    width, height = resolution_wh
    x = int(np.clip(round(xyxy[0]), 0, width - label_wh[0]))
    candidates = []
    for top in (xyxy[1] - label_wh[1], xyxy[3], xyxy[1]):
        y = int(np.clip(round(top), 0, height - label_wh[1]))
        candidates.append((x, y, x + label_wh[0], y + label_wh[1]))
    covered_labels = geometry.iou_matrix(candidates, np.array(taken, np.float64).reshape(-1, 4)).sum(axis=1)
    covered_faces = geometry.iou_matrix(candidates, faces_xyxy).sum(axis=1)
    # Rounded, so that a box that moves by a fraction of a pixel does not make its label jump.
    return candidates[int(np.argmin(np.round(covered_labels * 10 + covered_faces, 2)))]


def _paste(canvas: Frame, mask: Frame, place: Place, background: Color) -> None:
    x1, y1, x2, y2 = place
    ink = (mask / 255.0)[..., None]
    text = np.array(readable_text_bgr(background), dtype=np.float64)
    canvas[y1:y2, x1:x2] = (text * ink + np.array(background) * (1 - ink)).round().astype(np.uint8)

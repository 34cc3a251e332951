"""Text of labels: what they say, how large it is, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core import labels
from core.drawing.palette import Color, readable_text_bgr
from core.types import Face

Frame = NDArray[np.uint8]
Rectangle = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""

SEPARATOR = " · "
MIN_FONT_PX = 7
"""Labels that would need a smaller font to fit into the frame are left out as unreadable."""


@dataclass(frozen=True, slots=True)
class Text:
    """Lines in a font of ``font_px`` pixels."""

    lines: tuple[str, ...]
    font_px: int

    @property
    def wh(self) -> tuple[int, int]:
        """Width and height of the drawn text with its padding, in pixels."""
        return _measure(self.lines, self.font_px)


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


def fit_text(parts: tuple[str, ...], box: Rectangle, resolution_wh: tuple[int, int]) -> Text | None:
    """Return the text in the largest font that fits into the frame, or ``None`` if no readable one does."""
    if not parts:
        return None
    font_px = font_size(resolution_wh)
    while font_px >= MIN_FONT_PX:
        max_width = min(resolution_wh[0], max(1.6 * (box[2] - box[0]), 16 * font_px))
        text = Text(_wrap(parts, font_px, max_width), font_px)
        if text.wh[0] <= resolution_wh[0] and text.wh[1] <= resolution_wh[1]:
            return text
        font_px -= 1
    return None


def font_size(resolution_wh: tuple[int, int]) -> int:
    """Return the font's size in pixels for a frame."""
    return round(min(max(min(resolution_wh) / 30, 10), 48))


def _wrap(parts: tuple[str, ...], font_px: int, max_width: float) -> tuple[str, ...]:
    """Join parts into lines of at most ``max_width`` pixels; a single part is never broken."""
    lines = [parts[0]]
    for part in parts[1:]:
        longer = lines[-1] + SEPARATOR + part
        if _line_width(longer, font_px) + font_px <= max_width:
            lines[-1] = longer
        else:
            lines.append(part)
    return tuple(lines)


@lru_cache(maxsize=1024)
def _line_width(line: str, font_px: int) -> float:
    return _font(font_px).getlength(line)


@lru_cache(maxsize=64)
def _font(font_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow's built-in font: cv2.putText draws ASCII only, and system fonts differ between machines.
    return ImageFont.load_default(font_px)


def _padding(font_px: int) -> tuple[int, int]:
    """Pixels beside and above the text."""
    pad = max(2, font_px // 4)
    return pad, pad // 2


@lru_cache(maxsize=1024)
def _measure(lines: tuple[str, ...], font_px: int) -> tuple[int, int]:
    beside, above = _padding(font_px)
    width = int(max(_line_width(line, font_px) for line in lines)) + 1
    return width + 2 * beside, round(font_px * 1.25) * len(lines) + 2 * above


@lru_cache(maxsize=64)
def render_text(text: Text, background: Color) -> Frame:
    """Return (h, w, 3) uint8 BGR with padding; cached, because most labels stay the same from frame to frame."""
    font_px = text.font_px
    beside, above = _padding(font_px)
    image = Image.new("RGB", text.wh, background)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(text.lines):
        place = (beside, above + row * round(font_px * 1.25))
        # Colours are passed through as BGR.
        pen.text(place, line, fill=readable_text_bgr(background), font=_font(font_px))
    patch = np.asarray(image, dtype=np.uint8)
    patch.setflags(write=False)
    return patch

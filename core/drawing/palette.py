"""One colour per emotion, the same in the video, in figures and in tables.

Checked for colour-blind readers: with protanopia, deuteranopia and tritanopia as simulated by Machado et al. (2009),
every two colours differ by at least 17 (CIEDE2000), and all are neither too light nor too dark for either theme. Colour
never carries a meaning alone: every use also writes the label.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.types import Emotion

Color = tuple[int, int, int]

EMOTION_HEX: Mapping[Emotion, str] = MappingProxyType(
    {
        Emotion.ANGRY: "#AC1E0D",
        Emotion.DISGUST: "#68A21B",
        Emotion.FEAR: "#863D74",
        Emotion.HAPPY: "#EED91B",
        Emotion.SAD: "#4E6DD0",
        Emotion.SURPRISE: "#8BDCFD",
        Emotion.NEUTRAL: "#8C8C8C",
    }
)
"""``#RRGGBB`` for each emotion; iterates in the order of ``EMOTIONS``."""

FACE_HEX = "#1B9E77"
"""Box colour of a face whose emotion was not read, or is uncertain."""


def hex_to_rgb(color: str) -> Color:
    """``#RRGGBB`` -> (red, green, blue), each 0-255. Raises ``ValueError`` for anything else."""
    digits = color.removeprefix("#")
    if len(digits) != 6 or len(color) != 7:
        raise ValueError(f"color must look like #RRGGBB, got {color!r}")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def hex_to_bgr(color: str) -> Color:
    """``#RRGGBB`` -> (blue, green, red), OpenCV's order."""
    red, green, blue = hex_to_rgb(color)
    return blue, green, red


def readable_text_bgr(background_bgr: Color) -> Color:
    """Return black or white, whichever has the higher WCAG 2 contrast with ``background_bgr``."""

    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    blue, green, red = (linear(channel) for channel in background_bgr)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    contrast_white = 1.05 / (luminance + 0.05)
    contrast_black = (luminance + 0.05) / 0.05
    return (255, 255, 255) if contrast_white >= contrast_black else (0, 0, 0)

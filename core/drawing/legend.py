"""Legend below a picture: the labels that had no room beside their faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.drawing.text_labels import MIN_FONT_PX, Frame, Text, font_size, render_text

_BACKGROUND = (32, 32, 32)


def append_legend(frame: Frame, lines: Sequence[str]) -> Frame:
    """Return ``frame``, (H, W, 3) uint8 BGR, with ``lines`` below it, in as many columns as fit; none change nothing.

    Lines that are wider than the frame in the smallest readable font are cut off.
    """
    if not lines:
        return frame
    height, width = frame.shape[:2]
    font_px = font_size((width, height))
    while font_px > MIN_FONT_PX and _column_width(lines, font_px) > width:
        font_px -= 1
    column_width, row_height = _column_width(lines, font_px), Text((lines[0],), font_px).wh[1]
    columns = max(1, width // column_width)
    rows = -(-len(lines) // columns)
    canvas = np.empty((height + rows * row_height, width, 3), np.uint8)
    canvas[:height], canvas[height:] = frame, _BACKGROUND
    for number, line in enumerate(lines):
        column, row = divmod(number, rows)
        x, y = column * column_width, height + row * row_height
        patch = render_text(Text((line,), font_px), _BACKGROUND)[:, : width - x]
        canvas[y : y + row_height, x : x + patch.shape[1]] = patch
    return canvas


def _column_width(lines: Sequence[str], font_px: int) -> int:
    return max(Text((line,), font_px).wh[0] for line in lines)

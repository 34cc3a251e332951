"""Legend below a picture."""

from __future__ import annotations

import numpy as np
import pytest

from core.drawing.annotator import annotate
from core.drawing.legend import append_legend
from core.drawing.text_labels import Text
from core.settings import OverlayStyle
from core.types import AgeEstimate, Analysis, Box, Detection, Face

FRAME = np.full((120, 320, 3), 120, np.uint8)


def crowd(count: int) -> Analysis:
    boxes = [Box(2 + 20 * column, 40, 20 + 20 * column, 60) for column in range(count)]
    return Analysis(320, 120, tuple(Face(Detection(box, 0.9), age=AgeEstimate(31, 25, 38)) for box in boxes))


@pytest.mark.parametrize(("count", "rows"), [(0, 0), (1, 1), (4, 1), (7, 2)])
def test_columns_fill_the_width(count: int, rows: int) -> None:
    lines = [f"#{number} happy 87%" for number in range(count)]
    line_height = Text(("#1",), 10).wh[1]
    result = append_legend(FRAME, lines)
    assert result.shape == (120 + rows * line_height, 320, 3)
    assert np.array_equal(result[:120], FRAME)


def test_lines_wider_than_the_frame_are_cut_off() -> None:
    assert append_legend(FRAME, ["x" * 500]).shape[1] == 320


def test_labels_without_room_are_in_the_legend() -> None:
    analysis, numbers = crowd(15), list(range(1, 16))
    with_legend = annotate(FRAME, analysis, numbers=numbers, legend=True)
    without = annotate(FRAME, analysis, numbers=numbers)
    assert with_legend.shape[0] > without.shape[0] == 120
    assert np.array_equal(with_legend[:120], without)


@pytest.mark.parametrize(
    ("analysis", "options"),
    [
        (crowd(1), {"numbers": [1]}),
        (crowd(15), {"numbers": [None] * 15}),
        (crowd(15), {"numbers": list(range(15)), "style": OverlayStyle(labels=False)}),
    ],
    ids=["room beside the face", "no numbers to refer to", "no labels wanted"],
)
def test_no_legend_is_needed(analysis: Analysis, options: dict[str, object]) -> None:
    assert annotate(FRAME, analysis, legend=True, **options).shape == FRAME.shape

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.drawing import text_labels
from core.drawing.text_labels import label_parts
from core.types import AgeEstimate, Box, Detection, EmotionEstimate, Face, GenderEstimate

HAPPY = EmotionEstimate((0.02, 0.02, 0.02, 0.87, 0.02, 0.02, 0.03))
FACE = Face(Detection(Box(0, 0, 9, 9), 0.9), HAPPY, AgeEstimate(31, 25, 38), GenderEstimate((0.2, 0.8)))
UNCERTAIN = replace(
    FACE,
    emotion=EmotionEstimate((0.0, 0.0, 0.11, 0.1, 0.41, 0.0, 0.38), 0.5),
    gender=GenderEstimate((0.45, 0.55), 0.6),
)
VGA = (640, 480)


def label_of(box: np.ndarray, size: tuple[int, int] = VGA) -> Any:
    label = text_labels._fit_label(label_parts(FACE, 1), box, size)
    assert label is not None
    return label


@pytest.mark.parametrize(
    ("face", "number", "expected"),
    [
        (FACE, 1, ("#1 happy 87%", "31 y (25-38)", "female 80%")),
        (FACE, None, ("happy 87%", "31 y (25-38)", "female 80%")),
        (replace(FACE, emotion=None, gender=None), 1, ("#1", "31 y (25-38)")),
        (Face(FACE.detection), None, ()),
        (
            UNCERTAIN,
            1,
            ("#1 uncertain: sad 41% / neutral 38%", "31 y (25-38)", "uncertain: female 55% / male 45%"),
        ),
    ],
    ids=["all", "no number", "age only", "nothing", "uncertain"],
)
def test_label_has_the_attributes_that_were_read(face: Face, number: int | None, expected: tuple[str, ...]) -> None:
    assert label_parts(face, number) == expected


@pytest.mark.parametrize("size", [VGA, (320, 240)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_longest_label_fits(size: tuple[int, int]) -> None:
    longest = replace(UNCERTAIN, emotion=EmotionEstimate((0.0, 0.0, 0.0, 0.0, 0.0, 0.52, 0.48), 0.6))
    box = np.array([size[0] - 60.0, 100, size[0] - 20, 140])
    assert text_labels._fit_label(label_parts(longest, 100), box, size) is not None


@pytest.mark.parametrize(
    "box",
    [(0, 0, 60, 60), (580, 0, 640, 60), (580, 420, 640, 480), (-40, 440, 20, 500), (0, 0, 640, 480)],
    ids=["top left", "top right", "bottom right", "partly outside", "whole frame"],
)
@pytest.mark.parametrize("size", [VGA, (160, 120)], ids=["VGA", "tiny"])
def test_label_stays_inside_the_frame(box: tuple[float, ...], size: tuple[int, int]) -> None:
    scaled = np.array(box) * size[0] / 640
    label = label_of(scaled, size)
    x1, y1, x2, y2 = text_labels._find_place(label.wh, scaled, scaled[None], size, [])
    assert 0 <= x1 < x2 <= size[0]
    assert 0 <= y1 < y2 <= size[1]
    border = np.concatenate([label.mask[:, 0], label.mask[:, -1], label.mask[0], label.mask[-1]])
    assert not border.any(), "ink touches the label's border"


@pytest.mark.parametrize("other", [(200.0, 200, 260, 260), (230.0, 205, 290, 265)], ids=["close", "same place"])
def test_labels_do_not_overlap(other: tuple[float, ...]) -> None:
    both = np.array([other, (230.0, 205, 290, 265)])
    label = label_of(both[1])
    a = text_labels._find_place(label.wh, both[0], both, VGA, [])
    x1, y1, x2, y2 = text_labels._find_place(label.wh, both[1], both, VGA, [a])
    assert x2 <= a[0] or a[2] <= x1 or y2 <= a[1] or a[3] <= y1


@pytest.mark.parametrize(
    ("width", "number", "alone", "lines"),
    [
        (20, 1, True, ("#1 happy 87% · 31 y (25-38)", "female 80%")),
        (70, 1, False, ("#1 happy 87% · 31 y (25-38)", "female 80%")),
        (30, 1, False, ("#1 happy 87%",)),
        (10, 1, False, ("#1",)),
        (10, None, False, ("happy 87%",)),
    ],
    ids=["alone", "large", "small", "in a crowd", "in a crowd, no number"],
)
def test_labels_of_small_faces_beside_others_are_short(
    width: int, number: int | None, alone: bool, lines: tuple[str, ...]
) -> None:
    box = np.array([300.0, 200, 300 + width, 200 + width])
    label = text_labels._choose_label(FACE, number, box, VGA, alone)
    assert label is not None
    assert label.lines == lines


@pytest.mark.parametrize("font_px", [10, 16, 31])
@pytest.mark.parametrize("lines", [("#1",), ("#1 happy 87% · 31 y (25-38)", "female")], ids=len)
def test_measured_size_is_the_rendered_size(lines: tuple[str, ...], font_px: int) -> None:
    height, width = text_labels._render_text(lines, font_px).shape
    assert text_labels._measure_text(lines, font_px) == (width, height)


def test_no_label_where_none_is_readable() -> None:
    assert text_labels._fit_label(("#1 happy 87%",), np.array([0.0, 0, 10, 10]), (20, 10)) is None

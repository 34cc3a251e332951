"""Labels cover neither faces nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core import geometry
from core.drawing.label_placement import MAX_COVERED, Label, draw_labels, place_labels
from core.drawing.text_labels import label_parts
from core.types import EmotionEstimate
from tests.drawing.test_text_labels import FACE, UNCERTAIN

VGA = (640, 480)


def place(*boxes: tuple[float, ...], number: bool = True, size: tuple[int, int] = VGA) -> list[Label | None]:
    """Place the labels of ``FACE`` at each box."""
    numbers = [row if number else None for row in range(1, len(boxes) + 1)]
    return place_labels(np.array(boxes, float), [label_parts(FACE, row) for row in numbers], numbers, size)


def covered(boxes: Sequence[tuple[float, ...]], labels: Sequence[Label | None]) -> list[float]:
    """Share of each box that the labels cover, counted in pixels."""
    mask = np.zeros(VGA[::-1], bool)
    for label in labels:
        if label is not None:
            x1, y1, x2, y2 = label.place
            mask[y1:y2, x1:x2] = True
    return [mask[int(y1) : int(y2), int(x1) : int(x2)].mean() for x1, y1, x2, y2 in boxes]


@pytest.mark.parametrize("size", [VGA, (320, 240)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_longest_label_fits(size: tuple[int, int]) -> None:
    longest = replace(UNCERTAIN, emotion=EmotionEstimate((0.0, 0.0, 0.0, 0.0, 0.0, 0.52, 0.48), 0.6))
    box = np.array([[size[0] - 60.0, 100, size[0] - 20, 140]])
    assert place_labels(box, [label_parts(longest, 100)], [100], size)[0] is not None


@pytest.mark.parametrize(
    "box",
    [(0, 0, 60, 60), (580, 0, 640, 60), (580, 420, 640, 480), (-40, 440, 20, 500), (0, 0, 640, 480)],
    ids=["top left", "top right", "bottom right", "partly outside", "whole frame"],
)
@pytest.mark.parametrize("size", [VGA, (160, 120)], ids=["VGA", "tiny"])
def test_label_stays_inside_the_frame(box: tuple[float, ...], size: tuple[int, int]) -> None:
    (label,) = place(tuple(side * size[0] / 640 for side in box), size=size)
    assert label is not None
    x1, y1, x2, y2 = label.place
    assert 0 <= x1 < x2 <= size[0]
    assert 0 <= y1 < y2 <= size[1]


GRID = [
    (40 + 100 * column, 40 + 85 * row, 100 + 100 * column, 110 + 85 * row) for row in range(5) for column in range(6)
]
ROW = [(10 + 62 * column, 200, 70 + 62 * column, 270) for column in range(10)]
OVERLAPPING = [(100, 100, 200, 220), (150, 120, 250, 240), (120, 180, 220, 300)]


@pytest.mark.parametrize("boxes", [GRID, ROW, OVERLAPPING], ids=["grid", "row", "overlapping"])
@pytest.mark.parametrize("number", [True, False], ids=["numbers", "no numbers"])
def test_labels_cover_neither_faces_nor_each_other(boxes: list[tuple[float, ...]], number: bool) -> None:
    labels = place(*boxes, number=number)
    assert max(covered(boxes, labels)) <= MAX_COVERED
    drawn = [label.place for label in labels if label is not None]
    assert not np.triu(geometry.iou_matrix(drawn, drawn), 1).any()
    if number:
        assert len(drawn) == len(boxes), "all faces have at least their number"


def test_labels_of_faces_far_apart_are_whole() -> None:
    assert [label.text.lines for label in place((100, 100, 180, 180), (400, 300, 480, 380)) if label] == [
        ("#1 happy 87% · 31 y (25-38)", "female 80%"),
        ("#2 happy 87% · 31 y (25-38)", "female 80%"),
    ]


def test_number_in_a_crowd_of_small_faces_is_in_the_own_face() -> None:
    boxes = [
        (200 + 22 * column, 200 + 26 * row, 220 + 22 * column, 225 + 26 * row)
        for row in range(3)
        for column in range(3)
    ]
    labels = place(*boxes)
    assert labels[4] is not None
    assert labels[4].text.lines == ("#5",)
    own = np.array(boxes)[4]
    assert (np.array(labels[4].place[:2]) >= own[:2]).all()


@pytest.mark.parametrize(
    ("width", "number", "alone", "lines"),
    [
        (20, True, True, ("#1 happy 87% · 31 y (25-38)", "female 80%")),
        (70, True, False, ("#1 happy 87% · 31 y (25-38)", "female 80%")),
        (30, True, False, ("#1 happy 87%",)),
        (10, True, False, ("#1",)),
        (10, False, False, None),
    ],
    ids=["alone", "large", "small", "in a crowd", "in a crowd, no number"],
)
def test_labels_of_small_faces_beside_others_are_short(
    width: int, number: bool, alone: bool, lines: tuple[str, ...] | None
) -> None:
    box, other = (300.0, 200, 300 + width, 200 + width), (20, 400, 60, 440)
    label = place(*([box] if alone else [box, other]), number=number)[0]
    assert (label and label.text.lines) == lines


def test_no_label_where_none_is_readable() -> None:
    assert place((0.0, 0, 10, 10), size=(20, 10)) == [None]


def test_labels_without_room_are_reported() -> None:
    canvas = np.zeros((480, 640, 3), np.uint8)
    numbers = list(range(10))
    shortened = draw_labels(canvas, np.array(ROW, float), [FACE] * 10, numbers, [(0, 0, 0)] * 10)
    whole = [label is not None and len(label.text.lines) == 2 for label in place(*ROW)]
    assert shortened == [row for row in range(10) if not whole[row]]
    assert 0 < len(shortened) < 10

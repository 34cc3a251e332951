"""Place labels beside their boxes, where they cover no other face."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from core import geometry
from core.drawing.palette import Color
from core.drawing.text_labels import MIN_FONT_PX, SEPARATOR, Frame, Rectangle, Text, fit_text, label_parts, render_text
from core.types import Face

MAX_COVERED = 0.1
"""Largest share of a face that labels may cover, all together."""

MAX_WIDTH_RATIO = 5.0
"""Widest label relative to its box where there are several faces: it would not be clear whose label it is."""

Place = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels, inside the frame."""


@dataclass(frozen=True, slots=True)
class Label:
    text: Text
    place: Place


def draw_labels(
    canvas: Frame,
    xyxy: geometry.Floats,
    faces: Sequence[Face],
    numbers: Sequence[int | None],
    colors: Sequence[Color],
) -> list[int]:
    """Draw the labels of all faces into ``canvas``, (H, W, 3) uint8 BGR; ``xyxy`` (N, 4) in its pixels.

    Returns the faces, as indices, whose label was shortened or left out because there was no room.
    """
    texts = [label_parts(face, number) for face, number in zip(faces, numbers, strict=True)]
    labels = place_labels(xyxy, texts, numbers, (canvas.shape[1], canvas.shape[0]))
    shortened = []
    for row, (label, parts, color) in enumerate(zip(labels, texts, colors, strict=True)):
        if label is not None:
            x1, y1, x2, y2 = label.place
            canvas[y1:y2, x1:x2] = render_text(label.text, color)
        if SEPARATOR.join(parts) != SEPARATOR.join(label.text.lines if label else ()):
            shortened.append(row)
    return shortened


def place_labels(
    xyxy: geometry.Floats,
    texts: Sequence[tuple[str, ...]],
    numbers: Sequence[int | None],
    resolution_wh: tuple[int, int],
) -> list[Label | None]:
    """Place the label of every face, given as its parts, so that labels cover at most ``MAX_COVERED`` of any face, and
    no other label.

    Where there is no room for the whole label, its first part is tried, then the number alone, and last the number in a
    corner of the face's own box; ``None`` if even that is impossible. A face that is alone keeps its whole label.
    """
    layout = _Layout([(x1, y1, x2, y2) for x1, y1, x2, y2 in xyxy.tolist()], resolution_wh)
    if len(texts) == 1:
        return [layout.place_alone(texts[0])]
    return [
        layout.place(row, parts, () if number is None else (f"#{number}",))
        for row, (parts, number) in enumerate(zip(texts, numbers, strict=True))
    ]


@dataclass
class _Layout:
    """Boxes of the faces, and the labels placed so far. ``room``: pixels of each face that may still be covered."""

    boxes: list[Rectangle]
    resolution_wh: tuple[int, int]
    taken: list[Place] = field(default_factory=list)
    room: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.room = [MAX_COVERED * (x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in self.boxes]

    def place_alone(self, parts: tuple[str, ...]) -> Label | None:
        """Place the whole label where it covers least of the only face."""
        (box,) = self.boxes
        text = fit_text(parts, box, self.resolution_wh)
        if text is None:
            return None
        places = [*self._places_outside(text, box), *self._places_inside(text, box)]
        return Label(text, min(places, key=lambda place: _overlap(place, box)))

    def place(self, row: int, parts: tuple[str, ...], number: tuple[str, ...]) -> Label | None:
        """Place the label of a face among others; ``number`` is its shortest form, or empty."""
        label = self._place_outside(row, parts, number) or self._place_inside(row, number)
        if label is not None:
            self.taken.append(label.place)
            self.room = [left - _overlap(label.place, box) for left, box in zip(self.room, self.boxes, strict=True)]
        return label

    def _place_outside(self, row: int, parts: tuple[str, ...], number: tuple[str, ...]) -> Label | None:
        box = self.boxes[row]
        max_width = MAX_WIDTH_RATIO * (box[2] - box[0])
        for form in (parts, parts[:1], number):
            text = fit_text(form, box, self.resolution_wh)
            if text is None or (text.wh[0] > max_width and form is not number):
                continue
            for place in self._places_outside(text, box):
                if self._is_free(place):
                    return Label(text, place)
        return None

    def _place_inside(self, row: int, number: tuple[str, ...]) -> Label | None:
        """Place the number inside the face's own box, small enough for the face's share if it is readable then."""
        text = fit_text(number, self.boxes[row], self.resolution_wh)
        if text is None:
            return None
        while text.font_px > MIN_FONT_PX and math.prod(text.wh) > self.room[row]:
            text = replace(text, font_px=text.font_px - 1)
        for place in self._places_inside(text, self.boxes[row]):
            if self._is_free(place, own_row=row):
                return Label(text, place)
        return None

    def _places_outside(self, text: Text, box: Rectangle) -> Iterator[Place]:
        """Yield the places above, below and beside ``box``, best first."""
        (width, height), (x1, y1, x2, y2) = text.wh, box
        left_aligned, right_aligned, above = x1, x2 - width, y1 - height
        for x, y in (
            (left_aligned, above),
            (left_aligned, y2),
            (right_aligned, above),
            (right_aligned, y2),
            (x2, y1),
            (x1 - width, y1),
        ):
            yield self._move_inside(x, y, text)

    def _places_inside(self, text: Text, box: Rectangle) -> Iterator[Place]:
        """Yield the places in the corners of ``box``."""
        for x in (box[0], box[2] - text.wh[0]):
            for y in (box[1], box[3] - text.wh[1]):
                yield self._move_inside(x, y, text)

    def _move_inside(self, x: float, y: float, text: Text) -> Place:
        (width, height), (frame_width, frame_height) = text.wh, self.resolution_wh
        left, top = max(0, min(round(x), frame_width - width)), max(0, min(round(y), frame_height - height))
        return left, top, left + width, top + height

    def _is_free(self, place: Place, own_row: int | None = None) -> bool:
        """Return whether ``place`` covers no label, and no more of each face, but for ``own_row``, than it may."""
        # Plain Python: arrays this small would take longer.
        if any(_touches(place, other) for other in self.taken):
            return False
        return all(
            row == own_row or not _touches(place, box) or _overlap(place, box) <= self.room[row]
            for row, box in enumerate(self.boxes)
        )


def _touches(first: Rectangle, second: Rectangle) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _overlap(first: Rectangle, second: Rectangle) -> float:
    """Return the common area of two rectangles."""
    if not _touches(first, second):
        return 0.0
    width = min(first[2], second[2]) - max(first[0], second[0])
    return width * (min(first[3], second[3]) - max(first[1], second[1]))

"""Compare two analyses of the same picture, by another detector or network: where they differ."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.optimize import linear_sum_assignment

from core import geometry
from core.labels import format_age, format_estimate, label_or_uncertain
from core.types import AgeEstimate, Analysis, Face

SAME_FACE_IOU = 0.4
"""Overlap from which two boxes are the same face: detectors frame faces differently."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that differs. ``first`` and ``second``: index of the face in either analysis, ``None`` where it was
    not found; ``what``: the attribute, or "found"; the texts are the answers."""

    first: int | None
    second: int | None
    what: str
    first_text: str
    second_text: str


def match_faces(first: Analysis, second: Analysis) -> dict[int, int]:
    """Return index in ``first`` -> index in ``second`` of the same face; both are of the same picture and size."""
    overlaps = geometry.iou_matrix(first.xyxy, second.xyxy)
    rows, columns = linear_sum_assignment(-overlaps)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlaps[r, c] >= SAME_FACE_IOU}


def compare(first: Analysis, second: Analysis) -> tuple[Difference, ...]:
    """Return the differences, face by face of ``first``, then the faces that only ``second`` has.

    Classes differ if their labels do, or one is uncertain. Ages differ if one is outside the interval of the other.
    """
    same = match_faces(first, second)
    found: list[Difference] = []
    for row, face in enumerate(first.faces):
        if row in same:
            found += _compare_faces(row, same[row], face, second.faces[same[row]])
        else:
            found.append(Difference(row, None, "found", "yes", "no"))
    only_second = (row for row in range(len(second.faces)) if row not in same.values())
    return (*found, *(Difference(None, row, "found", "no", "yes") for row in only_second))


def _compare_faces(row: int, other_row: int, face: Face, other: Face) -> list[Difference]:
    found = []
    for what, one, two in (("emotion", face.emotion, other.emotion), ("gender", face.gender, other.gender)):
        if one is not None and two is not None and label_or_uncertain(one) != label_or_uncertain(two):
            found.append(Difference(row, other_row, what, format_estimate(one), format_estimate(two)))
    if face.age is not None and other.age is not None and not _is_close(face.age, other.age):
        found.append(Difference(row, other_row, "age", format_age(face.age), format_age(other.age)))
    return found


def _is_close(one: AgeEstimate, two: AgeEstimate) -> bool:
    return two.low <= one.years <= two.high and one.low <= two.years <= one.high

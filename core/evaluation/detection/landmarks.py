"""How far landmarks lie from those that others marked on the same faces, and how much each rater scatters.

Means are rounded to a millionth, so that every processor gives the same report.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.evaluation.detection.matching import (
    NOBODY,
    POINT_NAMES,
    FoundFaces,
    PhotoMarks,
    PhotoMatch,
    eye_distances,
    find_points,
    four_points,
    joined,
    match_photo,
    point_errors,
)
from core.evaluation.detection.report import PointError, PointReport, RaterScatter

LEAST_EYES_PX = 9.0
"""Marked faces with less between the eyes, in the photograph as it is, do not count as missed."""
SIZE_EDGES_PX = (9.0, 14.0, 25.0, 40.0)
SIZE_LABELS = ("9-14 px", "14-25 px", "25-40 px", "40 px and more")
LARGEST_DIFFERENCE = 0.5
"""In eye distances; what is farther apart is cut to this, since it is about another face or a slip."""

Found = Sequence[FoundFaces]
Marks = Sequence[PhotoMarks]


def machine_point_report(marks: Marks) -> PointReport | None:
    """The machine's own landmarks in the data against the human ones, ``None`` if no face has both."""
    faces = [machine_faces(one) for one in marks]
    return points_against_people(
        marks, faces, [match_photo(found, one) for found, one in zip(faces, marks, strict=True)]
    )


def points_against_people(marks: Marks, found: Found, matches: Sequence[PhotoMatch]) -> PointReport | None:
    errors, eyes = [], []
    for faces, match, one in zip(found, matches, marks, strict=True):
        distance = eye_distances(one.points)
        hit = (match.found_by != NOBODY) & (distance >= LEAST_EYES_PX)
        points = four_points(faces.points[match.found_by[hit]])
        errors.append(point_errors(points, one.points[hit], distance[hit]))
        eyes.append(distance[hit])
    return point_report(joined(errors, (4,)), joined(eyes, ()))


def points_against_machine(marks: Marks, found: Found, matches: Sequence[PhotoMatch]) -> PointReport | None:
    """On the human-marked faces that detector and machine both found."""
    errors, eyes = [], []
    for faces, match, one in zip(found, matches, marks, strict=True):
        _, machine, detector, distance = _by_three_raters(faces, match, one)
        errors.append(point_errors(detector, machine, distance))
        eyes.append(distance)
    return point_report(joined(errors, (4,)), joined(eyes, ()))


def rater_scatter(marks: Marks, found: Found, matches: Sequence[PhotoMatch]) -> RaterScatter | None:
    """Of people, machine and detector on the faces that all three marked; ``None`` if the detector marks no points."""
    rated = []
    for faces, match, one in zip(found, matches, marks, strict=True):
        *three, distance = _by_three_raters(faces, match, one)
        rated.append(np.stack(three, axis=1) / distance[:, None, None, None])
    together = joined(rated, (3, len(POINT_NAMES), 2))
    together = together[np.isfinite(together).all(axis=(1, 2, 3))]
    if len(together) < 2:
        return None
    people, machine_own, detector = scatter_of_three(together)
    return RaterScatter(kept(people), kept(machine_own), kept(detector), len(together))


def _by_three_raters(
    faces: FoundFaces, match: PhotoMatch, marks: PhotoMarks
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points (F, 4, 2) by people, machine and detector of the faces that all three marked, and their (F,) pixels
    between the eyes."""
    machine = machine_faces(marks)
    by_machine = find_points(machine.xyxy, marks.points)
    distance = eye_distances(marks.points)
    hit = (match.found_by != NOBODY) & (by_machine != NOBODY) & (distance >= LEAST_EYES_PX)
    return (
        marks.points[hit],
        four_points(machine.points[by_machine[hit]]),
        four_points(faces.points[match.found_by[hit]]),
        distance[hit],
    )


def scatter_of_three(rated: NDArray[np.float64]) -> tuple[float, float, float]:
    """(F, 3, P, 2) points of F faces by three raters -> root mean square scatter of each, in the unit of the points.

    The three-cornered hat (Gray & Allan 1974): with the usual offset between two raters taken out and errors that are
    independent, the mean square of each difference is the sum of both raters' own, which gives three equations. A
    rater to whom they leave less than nothing has 0.
    """
    squares = [_mean_square(rated[:, first] - rated[:, second]) for first, second in ((0, 1), (0, 2), (1, 2))]
    zero_one, zero_two, one_two = squares
    own = (zero_one + zero_two - one_two, zero_one + one_two - zero_two, zero_two + one_two - zero_one)
    first, second, third = (math.sqrt(max(0.0, square / 2)) for square in own)
    return first, second, third


def _mean_square(difference: NDArray[np.float64]) -> float:
    """(F, P, 2) -> mean square length without the median difference of each point, long ones cut."""
    length = np.linalg.norm(difference - np.median(difference, axis=0), axis=2)
    return float((np.minimum(length, LARGEST_DIFFERENCE) ** 2).mean())


def machine_faces(marks: PhotoMarks) -> FoundFaces:
    order = np.argsort(-marks.machine_scores, kind="stable")
    return FoundFaces(marks.machine_boxes[order], marks.machine_scores[order], marks.machine_points[order])


def point_report(errors: NDArray[np.float64], eyes_px: NDArray[np.float64]) -> PointReport | None:
    """(F, 4) errors of found faces with (F,) pixels between the eyes; faces without landmarks are left out."""
    known = np.isfinite(errors).all(axis=1)
    errors, eyes_px = errors[known], eyes_px[known]
    if not len(errors):
        return None
    faces, size = errors.mean(axis=1), size_bin(eyes_px)
    return PointReport(
        mean=kept(faces.mean()),
        median=kept(np.median(faces)),
        n=len(faces),
        by_point=tuple(_point_error(name, errors[:, column]) for column, name in enumerate(POINT_NAMES)),
        by_size=tuple(_point_error(label, faces[size == row]) for row, label in enumerate(SIZE_LABELS)),
    )


def _point_error(label: str, errors: NDArray[np.float64]) -> PointError:
    return PointError(label, kept(errors.mean()) if len(errors) else math.nan, len(errors))


def size_bin(eyes_px: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index into ``SIZE_LABELS``; -1 for smaller faces."""
    return np.searchsorted(SIZE_EDGES_PX, eyes_px, side="right").astype(np.int64) - 1


def kept(value: float | np.floating) -> float:
    return round(float(value), 6)

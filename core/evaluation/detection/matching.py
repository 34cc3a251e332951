"""Which detection found which marked face: pure functions on the numbers of one photograph.

A detection finds a marked face if its box contains the centre of the face's four points and is about as large as a
face: its size sqrt(w h) is 1.2 to 6 times the distance between the eyes. (Boxes around frontal faces measure about 2.5
of it, up to 3.5 with hair and chin; the rest is room for half profiles, whose eyes are close together.) It finds a
marked *box* if both overlap by an IoU of 0.3, or if the centre of one lies in the other and neither is more than twice
as large.

One detection finds at most one face and one face is found at most once. The best detection chooses first, and it takes
the nearest face; so the faces found above any score are those that the detections above it find on their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.geometry import centers, iou_matrix, sizes

SMALLEST_EYE_DISTANCES = 1.2
LARGEST_EYE_DISTANCES = 6.0
SAME_FACE_IOU = 0.3
SAME_FACE_RATIO = 2.0
NOBODY = -1
POINT_NAMES = ("left eye", "right eye", "nose", "mouth")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PhotoMarks:
    """What is marked on one photograph, in its own pixels; the arrays are those of ``core.datasets.faces.FacePhoto``.

    ``points`` (N, 4, 2) and ``boxes`` (K, 4) were marked by people, ``machine_boxes`` (M, 4), ``machine_points``
    (M, 5, 2) and ``machine_scores`` (M,) by another detector.
    """

    id: str
    resolution_wh: tuple[int, int]
    points: Floats
    boxes: Floats
    machine_boxes: Floats
    machine_points: Floats
    machine_scores: Floats


@dataclass(frozen=True)
class FoundFaces:
    """What a detector found on one photograph, in the same pixels as its marks, best score first.

    ``xyxy`` (D, 4); ``scores`` (D,) in [0, 1]; ``points`` (D, 5, 2) in the order of ``core.types.Landmarks``, NaN from
    a detector without landmarks.
    """

    xyxy: Floats
    scores: Floats
    points: Floats

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.xyxy.shape != (count, 4) or self.points.shape != (count, 5, 2):
            raise ValueError(
                f"{count} scores need boxes ({count}, 4) and points ({count}, 5, 2), "
                f"got {self.xyxy.shape} and {self.points.shape}"
            )
        if (np.diff(self.scores) > 0).any():
            raise ValueError("detections must be ordered by score, best first")

    def without_points(self) -> FoundFaces:
        return replace(self, points=np.full_like(self.points, np.nan))


@dataclass(frozen=True)
class PhotoMatch:
    """``found_by`` (N,) and ``box_found_by`` (K,): row of the detection that found each marked face or box, or
    ``NOBODY``. ``false`` (D,): no mark of any kind is there, human or machine. ``double`` (D,): there is one, but
    a better detection has it already."""

    found_by: NDArray[np.int64]
    box_found_by: NDArray[np.int64]
    false: Flags
    double: Flags


def no_faces() -> FoundFaces:
    return FoundFaces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))


def eye_distances(points: Floats) -> Floats:
    """(N, 4 or 5, 2) -> (N,) pixels between the eyes."""
    return np.linalg.norm(points[:, 0] - points[:, 1], axis=1)


def four_points(points: Floats) -> Floats:
    """(N, 5, 2) landmarks -> (N, 4, 2) in the order of ``POINT_NAMES``: the mouth becomes its centre."""
    return np.concatenate([points[:, :3], points[:, 3:].mean(axis=1, keepdims=True)], axis=1)


def covers(xyxy: Floats, points: Floats) -> Flags:
    """(D, 4) boxes and (N, 4, 2) marked faces -> (D, N): could the detection be this face?"""
    middle = points.mean(axis=1)[None]
    inside = ((xyxy[:, None, :2] <= middle) & (middle <= xyxy[:, None, 2:])).all(axis=2)
    size, eyes = _size(xyxy)[:, None], eye_distances(points)[None]
    alike = (size >= SMALLEST_EYE_DISTANCES * eyes) & (size <= LARGEST_EYE_DISTANCES * eyes)
    return np.asarray(inside & alike)


def same_face(first_xyxy: Floats, second_xyxy: Floats) -> Flags:
    """(D, 4) and (K, 4) boxes -> (D, K): are both about the same face?"""
    first, second = centers(first_xyxy), centers(second_xyxy)
    second_in_first = _contains(first_xyxy[:, None], second[None])
    first_in_second = _contains(second_xyxy[None], first[:, None])
    first_size, second_size = _size(first_xyxy)[:, None], _size(second_xyxy)[None]
    alike = (first_size <= SAME_FACE_RATIO * second_size) & (second_size <= SAME_FACE_RATIO * first_size)
    overlapping = iou_matrix(first_xyxy, second_xyxy) >= SAME_FACE_IOU
    return np.asarray(overlapping | (alike & (second_in_first | first_in_second)))


def assign(possible: Flags, distance: Floats) -> NDArray[np.int64]:
    """(D, N) possible pairs and how far apart they are, best detection first -> (N,) row of the detection that each
    face goes to, or ``NOBODY``."""
    taken_by = np.full(possible.shape[1], NOBODY, np.int64)
    for row in np.nonzero(possible.any(axis=1))[0]:
        free = possible[row] & (taken_by == NOBODY)
        if free.any():
            taken_by[np.where(free, distance[row], np.inf).argmin()] = row
    return taken_by


def find_points(xyxy: Floats, points: Floats) -> NDArray[np.int64]:
    """(D, 4) boxes, best first, and (N, 4, 2) marked faces -> (N,) row of the detection that found each."""
    return assign(covers(xyxy, points), _distances(centers(xyxy), points.mean(axis=1)))


def find_boxes(xyxy: Floats, marked_xyxy: Floats) -> NDArray[np.int64]:
    """(D, 4) boxes, best first, and (K, 4) marked boxes -> (K,) row of the detection that found each."""
    return assign(same_face(xyxy, marked_xyxy), _distances(centers(xyxy), centers(marked_xyxy)))


def match_photo(found: FoundFaces, marks: PhotoMarks) -> PhotoMatch:
    """A mark of any size, and a machine box of any score, keeps a detection from being false."""
    by_points = find_points(found.xyxy, marks.points)
    by_box, by_machine = find_boxes(found.xyxy, marks.boxes), find_boxes(found.xyxy, marks.machine_boxes)
    boxes = np.concatenate([marks.boxes, marks.machine_boxes])
    kinds = (covers(found.xyxy, marks.points), same_face(found.xyxy, boxes))
    marked: Flags = np.asarray(np.concatenate(kinds, axis=1).any(axis=1))
    first = np.isin(np.arange(len(found.scores)), np.concatenate([by_points, by_box, by_machine]))
    return PhotoMatch(by_points, by_box, false=~marked, double=marked & ~first)


def point_errors(found: Floats, reference: Floats, eyes_px: Floats) -> Floats:
    """(F, 4, 2) points of the same faces and their (F,) eye distances -> (F, 4) distances in shares of these; NaN where
    there are no landmarks."""
    return np.asarray(np.linalg.norm(found - reference, axis=2) / eyes_px[:, None])


def best_face(xyxy: Floats, points: Floats) -> int:
    """Row of the detection, best first, that found the one face with ``points`` (4, 2), or ``NOBODY``."""
    return int(find_points(xyxy, points[None])[0])


def joined(parts: Sequence[Floats], shape: tuple[int, ...]) -> Floats:
    """All rows of ``parts``, each (n, *shape); no parts give (0, *shape)."""
    return np.concatenate([np.zeros((0, *shape)), *parts])


def _size(xyxy: Floats) -> Floats:
    return np.sqrt(np.prod(sizes(xyxy), axis=1))


def _contains(xyxy: Floats, point: Floats) -> Flags:
    return np.asarray(((xyxy[..., :2] <= point) & (point <= xyxy[..., 2:])).all(axis=-1))


def _distances(first: Floats, second: Floats) -> Floats:
    return np.linalg.norm(first[:, None] - second[None], axis=2)

"""One list of faces a photograph to learn from, out of human marks and the machine's boxes.

People's points win where they exist: the machine's are moved onto them. What neither is sure about is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import FacePhoto

SURE_SCORE = 0.7
"""Machine boxes below it that no person marked count neither as a face nor as background."""
SMALLEST_HUMAN_BOX_PX = 8.0
_SIZE_IN_EYE_DISTANCES = 2.53
_HEIGHT_OVER_WIDTH = 1.29
_CENTER_ABOVE_POINTS = 0.23
# Median of (machine - human) in eye distances, measured on the faces of the training side that both have.
_MACHINE_BIAS = np.array([[-0.04, -0.03], [-0.03, -0.03], [-0.04, -0.205], [-0.03, -0.09], [-0.03, -0.09]])


@dataclass(frozen=True)
class LabelledFaces:
    """``boxes`` (N, 4) xyxy; ``points`` (N, 5, 2), NaN where unknown; ``sure`` (N,) bool, False = ignore."""

    boxes: NDArray[np.float64]
    points: NDArray[np.float64]
    sure: NDArray[np.bool_]


def labelled_faces(photo: FacePhoto) -> LabelledFaces:
    """The faces of ``photo`` in its pixels."""
    boxes, points, sure = [], [], []
    humans_left = set(range(len(photo.human_points)))
    for box, machine, score in zip(photo.machine_boxes, photo.machine_points, photo.machine_scores, strict=True):
        human = _inside(photo.human_points, humans_left, box)
        if human is not None:
            humans_left.remove(human)
            five = _onto_human(machine, photo.human_points[human])
        else:
            five = machine - _MACHINE_BIAS * _eye_distance(machine)
        boxes.append(box)
        points.append(five)
        sure.append(human is not None or score >= SURE_SCORE or _drawn_by_a_person(photo.human_boxes, box))
    for human in sorted(humans_left):
        boxes.append(_box_from_points(photo.human_points[human]))
        points.append(_five(photo.human_points[human]))
        sure.append(True)
    known = np.array(boxes).reshape(-1, 4)
    for box in photo.human_boxes:
        if not _center_in_any(box, known):
            boxes.append(box)
            points.append(np.full((5, 2), np.nan))
            sure.append(bool(np.sqrt(np.prod(box[2:] - box[:2])) >= SMALLEST_HUMAN_BOX_PX))
    return LabelledFaces(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array(points, np.float64).reshape(-1, 5, 2),
        np.array(sure, bool),
    )


def _inside(human_points: NDArray[np.float64], left: set[int], box: NDArray[np.float64]) -> int | None:
    center = (box[:2] + box[2:]) / 2
    found = [
        (float(np.hypot(*(human_points[row].mean(axis=0) - center))), row)
        for row in left
        if np.all(human_points[row].mean(axis=0) > box[:2]) and np.all(human_points[row].mean(axis=0) < box[2:])
    ]
    return min(found)[1] if found else None


def _onto_human(machine: NDArray[np.float64], human: NDArray[np.float64]) -> NDArray[np.float64]:
    five = machine.copy()
    five[:3] = human[:3]
    five[3:] += human[3] - machine[3:].mean(axis=0)
    return five


def _five(human: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([human[:3], np.full((2, 2), np.nan)])


def _eye_distance(points: NDArray[np.float64]) -> float:
    return float(np.hypot(*(points[1] - points[0])))


def _box_from_points(human: NDArray[np.float64]) -> NDArray[np.float64]:
    eyes, mouth = human[:2].mean(axis=0), human[3]
    distance = _eye_distance(human)
    down = (mouth - eyes) / max(float(np.hypot(*(mouth - eyes))), 1e-6)
    center = (eyes + mouth) / 2 - _CENTER_ABOVE_POINTS * distance * down
    size = _SIZE_IN_EYE_DISTANCES * distance
    half = np.array([size / np.sqrt(_HEIGHT_OVER_WIDTH), size * np.sqrt(_HEIGHT_OVER_WIDTH)]) / 2
    return np.concatenate([center - half, center + half])


def _drawn_by_a_person(human_boxes: NDArray[np.float64], box: NDArray[np.float64]) -> bool:
    return any(_center_in_any(drawn, box[None]) for drawn in human_boxes)


def _center_in_any(box: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    center = (box[:2] + box[2:]) / 2
    return bool(np.any(np.all((center > others[:, :2]) & (center < others[:, 2:]), axis=1)))

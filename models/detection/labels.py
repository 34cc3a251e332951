"""One list of training faces per photograph, out of annotations and pseudo-labels; and conventions of landmarks.

Annotated landmarks win where they exist: pseudo-landmarks are moved onto them. What neither source is sure about is
ignored: training faces are ``FaceArrays`` whose score is ``FACE`` or ``IGNORED``, with NaN for unknown landmarks.

Data sets place landmarks differently. The offset between two conventions is measured in the frame of the eyes: along
them and down from them, in inter-ocular distances.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import Annotations
from core.detection.base import LANDMARKS, FaceArrays

FACE, IGNORED = 1.0, 0.0
MIN_PSEUDO_SCORE = 0.7
"""Pseudo-labels below it that nobody annotated count neither as a face nor as background."""
MIN_BOX_PX = 8.0
"""Smaller annotated boxes are ignored."""
_BOX_SIZE_IOD = 2.53
_HEIGHT_OVER_WIDTH = 1.29
_BOX_CENTER_SHIFT_IOD = 0.23
PSEUDO_BIAS_IOD = np.array([[-0.04, -0.03], [-0.03, -0.03], [-0.04, -0.205], [-0.03, -0.09], [-0.03, -0.09]])
"""Median of (pseudo - annotated) in inter-ocular distances, on the training faces that have both."""

Floats = NDArray[np.float64]


def label_faces(annotations: Annotations) -> FaceArrays:
    """Merge annotations and pseudo-labels of one photograph to training faces in its pixels."""
    boxes, landmarks, scores = [], [], []
    remaining = set(range(len(annotations.landmarks)))
    pseudo = annotations.pseudo_labels
    for box, points, score in zip(pseudo.xyxy, pseudo.landmarks, pseudo.scores, strict=True):
        row = _nearest_inside(annotations.landmarks, remaining, box)
        if row is None:
            points = points - PSEUDO_BIAS_IOD * _inter_ocular_distance(points)
            sure = score >= MIN_PSEUDO_SCORE or any(_center_is_in(drawn, box) for drawn in annotations.boxes)
        else:
            remaining.remove(row)
            points, sure = _move_onto(points, annotations.landmarks[row]), True
        boxes.append(box)
        landmarks.append(points)
        scores.append(FACE if sure else IGNORED)
    for row in sorted(remaining):
        annotated = annotations.landmarks[row]
        boxes.append(_box_around(annotated))
        landmarks.append(np.concatenate([annotated[:3], np.full((2, 2), np.nan)]))
        scores.append(FACE)
    known = np.array(boxes).reshape(-1, 4)
    for box in annotations.boxes:
        if not any(_center_is_in(box, other) for other in known):
            boxes.append(box)
            landmarks.append(np.full((LANDMARKS, 2), np.nan))
            scores.append(FACE if np.sqrt(np.prod(box[2:] - box[:2])) >= MIN_BOX_PX else IGNORED)
    return FaceArrays(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array(scores, np.float64),
        np.array(landmarks, np.float64).reshape(-1, LANDMARKS, 2),
    )


def eye_axes(landmarks: Floats) -> Floats:
    """Compute the frame of the eyes, (N, 5, 2) -> (N, 2, 2): two rows, each one inter-ocular distance long, along the
    eyes and down from them."""
    along = landmarks[:, 1] - landmarks[:, 0]
    return np.stack([along, np.stack([-along[:, 1], along[:, 0]], axis=1)], axis=1)


def measure_offset(from_landmarks: Floats, to_landmarks: Floats) -> Floats:
    """Compute the median offset (5, 2) between two conventions from the same faces (N, 5, 2) in both."""
    axes = eye_axes(from_landmarks)
    offsets = np.einsum("npc,nac->npa", to_landmarks - from_landmarks, axes)
    return np.asarray(np.median(offsets / (axes[:, :1] ** 2).sum(axis=2, keepdims=True), axis=0))


def apply_offset(landmarks: Floats, offset: Floats) -> Floats:
    """Convert landmarks (N, 5, 2) by an offset (5, 2) of ``measure_offset``."""
    return np.asarray(landmarks + np.einsum("pa,nac->npc", offset, eye_axes(landmarks)))


def _nearest_inside(landmarks: Floats, rows: set[int], box: Floats) -> int | None:
    """Find the annotated face with its centre in ``box`` and nearest to the box's."""
    centers = {row: landmarks[row].mean(axis=0) for row in rows}
    inside = [row for row, center in centers.items() if (center > box[:2]).all() and (center < box[2:]).all()]
    middle = (box[:2] + box[2:]) / 2
    return min(inside, key=lambda row: (float(np.hypot(*(centers[row] - middle))), row), default=None)


def _move_onto(pseudo: Floats, annotated: Floats) -> Floats:
    """Replace eyes and nose, and move the corners of the mouth onto the annotated centre."""
    corners = pseudo[3:] + annotated[3] - pseudo[3:].mean(axis=0)
    return np.concatenate([annotated[:3], corners])


def _inter_ocular_distance(landmarks: Floats) -> float:
    return float(np.hypot(*(landmarks[1] - landmarks[0])))


def _box_around(annotated: Floats) -> Floats:
    eyes, mouth = annotated[:2].mean(axis=0), annotated[3]
    iod_px = _inter_ocular_distance(annotated)
    down = (mouth - eyes) / max(float(np.hypot(*(mouth - eyes))), 1e-6)
    center = (eyes + mouth) / 2 - _BOX_CENTER_SHIFT_IOD * iod_px * down
    size = _BOX_SIZE_IOD * iod_px
    half = np.array([size / np.sqrt(_HEIGHT_OVER_WIDTH), size * np.sqrt(_HEIGHT_OVER_WIDTH)]) / 2
    return np.concatenate([center - half, center + half])


def _center_is_in(inner: Floats, outer: Floats) -> bool:
    """Check whether the centre of ``inner`` lies in ``outer``."""
    center = (inner[:2] + inner[2:]) / 2
    return bool(np.all((center > outer[:2]) & (center < outer[2:])))

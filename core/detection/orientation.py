"""Find faces in photographs that lie on their side or upside down, with any detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceDetector
from core.types import Box, Detection, Landmarks

MIN_ROTATED_SCORE = 0.7
"""Three more searches are three more chances of a false positive, so they need a better score."""
_LYING_DEG = 65.0
"""Roll from which faces lie on their side; smaller ones are tilted heads in an upright frame."""


def search_orientations(detector: FaceDetector, frame: NDArray[np.uint8]) -> tuple[tuple[Detection, ...], int]:
    """Search a (H, W, 3) uint8 BGR frame as it is and, where no face is found, the other three ways up.

    Returns the detections in pixels of ``frame``, best score first, and the quarter turns clockwise, 0 to 3, that bring
    the frame upright: those of the search that found faces, or what the landmarks of the faces say.
    """
    found = detector.detect(frame)
    if found:
        return found, upright_turns(found)
    best, best_turns, best_score = found, 0, MIN_ROTATED_SCORE
    for turns in (1, 2, 3):
        found = detector.detect(rotate_frame(frame, turns))
        if found and found[0].score >= best_score:
            best, best_turns, best_score = found, turns, found[0].score
    height, width = frame.shape[:2]
    rotated_wh = (height, width) if best_turns % 2 else (width, height)
    return tuple(rotate_detection(face, -best_turns, rotated_wh) for face in best), best_turns


def upright_turns(detections: Sequence[Detection]) -> int:
    """Compute the quarter turns clockwise, 0 to 3, after which most faces are upright; 0 without landmarks."""
    votes = np.zeros(4)
    for face in detections:
        if face.landmarks is not None:
            points = np.array(face.landmarks.points)
            x, y = points[3:].mean(axis=0) - points[:2].mean(axis=0)
            upright = y >= np.hypot(x, y) * np.cos(np.deg2rad(_LYING_DEG))
            # How far the face points down the screen after each number of quarter turns.
            votes[0 if upright else np.argmax([y, x, -y, -x])] += face.score
    return int(np.argmax(votes))


def rotate_frame(frame: NDArray[np.uint8], quarter_turns: int) -> NDArray[np.uint8]:
    """Rotate (H, W, 3) clockwise; returns a contiguous array."""
    return np.ascontiguousarray(np.rot90(frame, -quarter_turns)) if quarter_turns % 4 else frame


def rotate_detection(detection: Detection, quarter_turns: int, resolution_wh: tuple[int, int]) -> Detection:
    """Convert a detection to pixels of its frame, of ``resolution_wh``, rotated clockwise by ``quarter_turns``.

    Landmarks keep their names, so that those of a face that is upright stay those of its own left and right.
    """
    if quarter_turns % 4 == 0:
        return detection
    points = detection.landmarks.points if detection.landmarks else ()
    x1, y1, x2, y2 = detection.box.xyxy
    corners = [_rotate(point, quarter_turns, resolution_wh) for point in ((x1, y1), (x2, y2))]
    (left, right), (top, bottom) = (sorted(values) for values in zip(*corners, strict=True))
    landmarks = Landmarks(*(_rotate(point, quarter_turns, resolution_wh) for point in points)) if points else None
    return Detection(Box(left, top, right, bottom), detection.score, landmarks)


def _rotate(point: tuple[float, float], quarter_turns: int, resolution_wh: tuple[int, int]) -> tuple[float, float]:
    (x, y), (width, height) = point, resolution_wh
    return ((x, y), (height - y, x), (width - x, height - y), (y, width - x))[quarter_turns % 4]

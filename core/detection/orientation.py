"""Find faces in photographs that lie on their side or upside down, with any detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceDetector
from core.types import Box, Detection, Landmarks

UPRIGHT_SCORE = 0.7
"""A frame with an upright face of this score needs no other search."""
MIN_ROTATED_SCORE = 0.65
"""Three more searches are three more chances of a false positive, so they need a better score."""
_LYING_DEG = 45.0
"""Roll from which a face is nearer to upright in another search."""


def search_orientations(detector: FaceDetector, frame: NDArray[np.uint8]) -> tuple[tuple[Detection, ...], int]:
    """Search a (H, W, 3) uint8 BGR frame as it is and, without a sure upright face, the other three ways up.

    Returns the detections of the way up with the best upright face, in pixels of ``frame``, best score first, and the
    quarter turns clockwise, 0 to 3, that bring the frame upright.
    """
    best, best_turns = detector.detect(frame), 0
    best_score = _upright_score(best)
    if best_score >= UPRIGHT_SCORE:
        return best, 0
    for turns in (1, 2, 3):
        found = detector.detect(rotate_frame(frame, turns))
        score = _upright_score(found)
        if score > max(best_score, MIN_ROTATED_SCORE):
            best, best_turns, best_score = found, turns, score
    height, width = frame.shape[:2]
    rotated_wh = (height, width) if best_turns % 2 else (width, height)
    return tuple(rotate_detection(face, -best_turns, rotated_wh) for face in best), best_turns


def _upright_score(detections: Sequence[Detection]) -> float:
    """Return the best score of the faces that do not lie on their side, as far as landmarks tell; 0 without any."""
    return max((face.score for face in detections if not _lies(face)), default=0.0)


def _lies(face: Detection) -> bool:
    if face.landmarks is None:
        return False
    points = np.array(face.landmarks.points)
    x, y = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    return bool(y < np.hypot(x, y) * np.cos(np.deg2rad(_LYING_DEG)))


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

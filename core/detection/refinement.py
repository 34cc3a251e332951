"""Landmarks from a second look at each face: at one size, upright and mirrored.

Errors of the two looks differ, so that their mean scatters a third less when the same face is moved by a few pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.geometry import centers
from core.types import MIRRORED_POINTS
from core.warping import cut_square

CROP_PX = 96
_FACE_PX = 84.0
"""Size, sqrt(w h), of the face in its crop."""
_BOX = (CROP_PX + _FACE_PX * np.array([-1, -1, 1, 1])) / 2
_MIN_SCORE = 0.2
_MAX_DISTANCE_PX = 28.0
"""How far the sides of a box in the crop may be from those of the face that was cut out."""
_MAX_FACES = 20

Predict = Callable[[NDArray[np.uint8], float], FaceArrays]
"""(H, W, 3) uint8 BGR and the least score -> faces before suppression, best first."""


def refine_landmarks(predict: Predict, frame: NDArray[np.uint8], faces: FaceArrays) -> FaceArrays:
    """Average the landmarks of the best 20 faces of a (H, W, 3) uint8 BGR frame with those of a second look."""
    landmarks = faces.landmarks.copy()
    middles, sides = centers(faces.xyxy), faces.sizes() * (CROP_PX / _FACE_PX)
    for row, first in enumerate(faces.landmarks[:_MAX_FACES]):
        right, down = first[3:].mean(axis=0) - first[:2].mean(axis=0)
        angle = float(np.arctan2(-right, down))
        crop = cut_square(frame, middles[row], sides[row], angle, CROP_PX)
        second = _find_landmarks(predict, np.asarray(cv2.flip(crop, 1), np.uint8))
        if second is not None:
            second[:, 0] = CROP_PX - second[:, 0]
            offsets = (second[MIRRORED_POINTS, :] - CROP_PX / 2) * (sides[row] / CROP_PX)
            rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            landmarks[row] = (first + middles[row] + offsets @ rotation.T) / 2
    return FaceArrays(faces.xyxy, faces.scores, landmarks)


def _find_landmarks(predict: Predict, crop: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Return the landmarks (5, 2) of the face that fills a crop, in its pixels: the mean, weighted by score, of what is
    found in its place; ``None`` if nothing is."""
    found = predict(crop, _MIN_SCORE)
    distances_px = np.abs(found.xyxy - _BOX).max(axis=1)
    weights = found.scores * (distances_px <= _MAX_DISTANCE_PX)
    if not weights.any():
        return None
    return np.asarray(np.tensordot(weights / weights.sum(), found.landmarks, axes=1))

"""A second look at each face: upright, mirrored and at one size.

The two looks err differently. The mean of their scores tells faces from what resembles them, and the mean of their
landmarks scatters a third less when the same face is moved by a few pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.detection.decoding import logit, sigmoid
from core.geometry import centers
from core.types import MIRRORED_POINTS
from core.warping import cut_square, rotation_matrix

CROP_PX = 96
_FACE_PX = 84.0
"""Size, sqrt(w h), of the face in its crop."""
_BOX = (CROP_PX + _FACE_PX * np.array([-1, -1, 1, 1])) / 2
_MIN_SCORE = 0.02
_MAX_DISTANCE_PX = 28.0
"""How far the sides of a box in the crop may be from those of the face that was cut out."""

Predict = Callable[[NDArray[np.uint8], float], FaceArrays]
"""(H, W, 3) uint8 BGR and the least score -> faces before suppression."""


def look_again(predict: Predict, frame: NDArray[np.uint8], faces: FaceArrays) -> FaceArrays:
    """Average scores, as logits, and landmarks of the faces of a (H, W, 3) uint8 BGR frame with those of a second look.
    A face that is not seen again keeps its landmarks and hardly any score."""
    scores, landmarks = np.full(len(faces), _MIN_SCORE), faces.landmarks.copy()
    middles, sides = centers(faces.xyxy), faces.sizes() * (CROP_PX / _FACE_PX)
    for row, first in enumerate(faces.landmarks):
        right, down = first[3:].mean(axis=0) - first[:2].mean(axis=0)
        angle = float(np.arctan2(-right, down))
        crop = cut_square(frame, middles[row], sides[row], angle, CROP_PX)
        found = predict(np.asarray(cv2.flip(crop, 1), np.uint8), _MIN_SCORE)
        weights = found.scores * (np.abs(found.xyxy - _BOX).max(axis=1) <= _MAX_DISTANCE_PX)
        if not weights.any():
            continue
        scores[row] = weights.max()
        second = np.tensordot(weights / weights.sum(), found.landmarks, axes=1)
        second[:, 0] = CROP_PX - second[:, 0]
        offsets = (second[MIRRORED_POINTS] - CROP_PX / 2) * (sides[row] / CROP_PX)
        rotation = rotation_matrix(angle)
        landmarks[row] = (first + middles[row] + offsets @ rotation.T) / 2
    return FaceArrays(faces.xyxy, sigmoid((logit(faces.scores) + logit(scores)) / 2), landmarks)

"""From a detected face to a model's crop: the one function that training, evaluation, upload and live video share."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import AlignmentSpec
from core.types import Detection, Landmarks

_SAMPLES_PER_PIXEL = 2
_LONGEST_WARPED_PX = 2**15 - 1
"""OpenCV warps no picture with a side of so many pixels."""
_PLAUSIBLE_SIDES = (0.4, 4.0)
"""Sides of an aligned crop in units of the box's longer side; outside, the points are not a face's."""


def align_faces(
    frame: NDArray[np.uint8], faces: Sequence[Detection], spec: AlignmentSpec, size: int, channels: int
) -> NDArray[np.uint8]:
    """(H, W, 3) BGR frame and N detections -> (N, size, size, channels) crops; grey for one channel, BGR for three.

    A face with landmarks is turned and scaled until its points lie on those of ``spec``; without them, the crop is the
    square that ``spec`` places on the box. What lies outside the frame repeats its border, as training images do.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels}")
    crops = np.empty((len(faces), size, size, channels), np.uint8)
    for row, face in enumerate(faces):
        crop = _drawn(frame, *alignment_square(face, spec), size)
        crops[row] = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[..., None] if channels == 1 else crop
    return crops


def alignment_square(face: Detection, spec: AlignmentSpec) -> tuple[NDArray[np.float64], float, float]:
    """Centre (x, y) in frame pixels, side in pixels and angle in radians (clockwise on screen) of the crop."""
    longer = max(face.box.width, face.box.height)
    if face.landmarks is not None and spec.points is not None:
        center, side, angle = _aligned(face.landmarks, spec.points)
        if _PLAUSIBLE_SIDES[0] <= side / longer <= _PLAUSIBLE_SIDES[1]:
            return center, side, angle
    center = np.array([face.box.center[0], face.box.center[1] + spec.shift_y * longer])
    return center, spec.scale * longer, 0.0


def _aligned(landmarks: Landmarks, points: Sequence[tuple[float, float]]) -> tuple[NDArray[np.float64], float, float]:
    """The square in which ``landmarks`` come to lie on ``points`` (fractions of its side).

    The angle is the least-squares one of all five points (Umeyama 1991). The scale is not: a face turned to the side
    has its eyes close together, one that looks down has them close to the mouth, and neither is smaller for it. So the
    less shortened of the two distances decides.
    """
    found, wanted = np.array(landmarks.points), np.array(points)
    middle, origin = found.mean(axis=0), wanted.mean(axis=0)
    f, w = found - middle, wanted - origin
    angle = float(np.arctan2((w[:, 0] * f[:, 1] - w[:, 1] * f[:, 0]).sum(), (w * f).sum()))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    level = f @ turn
    side = max(_eye_distance(level) / _eye_distance(w), _eyes_to_mouth(level) / _eyes_to_mouth(w))
    return middle + turn @ (0.5 - origin) * side, side, angle


def _eye_distance(points: NDArray[np.float64]) -> float:
    return float(points[1, 0] - points[0, 0])


def _eyes_to_mouth(points: NDArray[np.float64]) -> float:
    return float(points[3:, 1].mean() - points[:2, 1].mean())


def _drawn(
    frame: NDArray[np.uint8], center: NDArray[np.float64], side: float, angle: float, size: int
) -> NDArray[np.uint8]:
    # A bilinear warp reads four neighbours only; a much larger face would alias, so it is drawn at a multiple of the
    # size first and then averaged down.
    factor = max(1, min(8, int(np.ceil(side / (size * _SAMPLES_PER_PIXEL)))))
    drawn = size * factor
    zoom = drawn / side
    if max(frame.shape[:2]) >= _LONGEST_WARPED_PX:
        frame, center = _around(frame, center, side)
    linear = zoom * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([linear, (drawn - 1) / 2 - linear @ (center - 0.5)])
    crop = cv2.warpAffine(frame, matrix, (drawn, drawn), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if factor > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return crop.astype(np.uint8, copy=False)


def _around(
    frame: NDArray[np.uint8], center: NDArray[np.float64], side: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the frame that a crop can show however it is turned, at least a pixel, and the centre in it."""
    height, width = frame.shape[:2]
    reach = side * np.sqrt(0.5) + 2
    x1, y1 = np.clip(np.floor(center - reach), 0, [width - 1, height - 1]).astype(int)
    x2, y2 = np.clip(np.ceil(center + reach), [x1 + 1, y1 + 1], [width, height]).astype(int)
    return frame[y1:y2, x1:x2], center - [x1, y1]

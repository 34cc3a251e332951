"""Align detected faces: the one way from a box to a network's crop, for training, uploads and live video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import AlignmentSpec
from core.types import Detection, Landmarks
from core.warping import cut_square, rotation_matrix

_SPREAD = 0.05
"""Standard deviation of what views are moved by; it and the moves were chosen on validation splits."""
_MOVES = (
    (0.0, 1.4, 1.0, 0.0),
    (-1.2, -0.7, -1.0, 1.0),
    (1.2, -0.7, 0.0, -1.0),
    (0.0, -1.4, -1.0, 0.0),
    (1.2, 0.7, 1.0, -1.0),
    (-1.2, 0.7, 0.0, 1.0),
)
"""In units of the spread: x and y (all round the face), logarithm of the scale, angle."""
_PLAUSIBLE_SIDES = (0.4, 4.0)
"""Sides of an aligned square relative to the box's longer side; outside, the landmarks are not those of a face."""


@dataclass(frozen=True, slots=True)
class View:
    """A crop that differs a little from the aligned one: moved by ``x`` and ``y`` (shares of its side), ``scale`` times
    as wide, rotated by ``angle`` (radians), and perhaps mirrored."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    mirrored: bool = False


def make_views(count: int) -> tuple[View, ...]:
    """Return up to 8 views, always the same ones, the aligned crop first; every second one is mirrored."""
    moves = ((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), *_MOVES)
    return tuple(
        View(x * _SPREAD, y * _SPREAD, float(np.exp(scale * _SPREAD)), angle * _SPREAD, bool(row % 2))
        for row, (x, y, scale, angle) in enumerate(moves[:count])
    )


@dataclass(frozen=True)
class AlignedFaces:
    """``crops``: (N, size, size, channels) uint8, grey or BGR; ``sides_px``: (N,) sides in frame pixels of the squares
    that were cut out."""

    crops: NDArray[np.uint8]
    sides_px: NDArray[np.float64]


def align_faces(
    frame: NDArray[np.uint8], faces: Sequence[Detection], spec: AlignmentSpec, size: int, channels: int
) -> AlignedFaces:
    """Cut the crops of N faces out of a (H, W, 3) BGR frame: grey for one channel, BGR for three.

    A face with landmarks is rotated and scaled until they match the reference landmarks of ``spec``; otherwise the crop
    is the square that ``spec`` places on the box. Outside the frame the border is repeated, as in training images.
    """
    return align_views(frame, faces, spec, size, channels, make_views(1))


def align_views(
    frame: NDArray[np.uint8],
    faces: Sequence[Detection],
    spec: AlignmentSpec,
    size: int,
    channels: int,
    views: Sequence[View],
) -> AlignedFaces:
    """Cut V ``views`` of each of N faces, as ``align_faces`` does: (N * V, ...), the views of one face in a row."""
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels}")
    count = len(faces) * len(views)
    crops, sides_px = np.empty((count, size, size, channels), np.uint8), np.empty(count)
    squares = [alignment_square(face, spec) for face in faces]
    for row, ((center, side, angle), view) in enumerate(product(squares, views)):
        rotation = rotation_matrix(angle)
        moved = center + rotation @ [view.x, view.y] * side
        crop = cut_square(frame, moved, side * view.scale, angle + view.angle, size)
        crop = crop[:, ::-1] if view.mirrored else crop
        crops[row] = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[..., None] if channels == 1 else crop
        sides_px[row] = side
    return AlignedFaces(crops, sides_px)


def alignment_square(face: Detection, spec: AlignmentSpec) -> tuple[NDArray[np.float64], float, float]:
    """Return the crop's centre (x, y) and side in frame pixels, and its angle in radians (clockwise on screen)."""
    longer = max(face.box.width, face.box.height)
    if face.landmarks is not None and spec.points is not None:
        center, side, angle = _fit_square(face.landmarks, spec.points)
        if _PLAUSIBLE_SIDES[0] <= side / longer <= _PLAUSIBLE_SIDES[1]:
            return center, side, angle
    center = np.array([face.box.center[0], face.box.center[1] + spec.shift_y * longer])
    return center, spec.scale * longer, 0.0


def _fit_square(
    landmarks: Landmarks, reference: Sequence[tuple[float, float]]
) -> tuple[NDArray[np.float64], float, float]:
    """Fit the square that puts ``landmarks`` onto ``reference`` (fractions of its side).

    The angle is the least-squares angle of all five landmarks (Umeyama 1991). The scale is not: profile faces have a
    short inter-ocular distance, faces looking down a short distance from eyes to mouth, but neither face is smaller.
    The less foreshortened of the two distances decides.
    """
    found, wanted = np.array(landmarks.points), np.array(reference)
    middle, origin = found.mean(axis=0), wanted.mean(axis=0)
    f, w = found - middle, wanted - origin
    angle = float(np.arctan2((w[:, 0] * f[:, 1] - w[:, 1] * f[:, 0]).sum(), (w * f).sum()))
    rotation = rotation_matrix(angle)
    level = f @ rotation
    side = max(_inter_ocular(level) / _inter_ocular(w), _eyes_to_mouth(level) / _eyes_to_mouth(w))
    return middle + rotation @ (0.5 - origin) * side, side, angle


def _inter_ocular(points: NDArray[np.float64]) -> float:
    return float(points[1, 0] - points[0, 0])


def _eyes_to_mouth(points: NDArray[np.float64]) -> float:
    return float(points[3:, 1].mean() - points[:2, 1].mean())

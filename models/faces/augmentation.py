"""Training crops of packed faces: aligned by landmarks that scatter, lit, covered and corrupted at random."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import AlignmentSpec
from core.attributes.alignment import alignment_square
from core.warping import rotation_matrix
from models.corruptions import SEVERITIES, corrupt
from models.faces.packing import FACE_PX, MARGIN_PX, REFERENCE, detection_around
from models.training import augment
from models.training.augment import Image
from models.training.occluders import MASK, draw_ellipse, draw_line, draw_polygon, place_polygon

_SPEC = AlignmentSpec(points=tuple((float(x), float(y)) for x, y in REFERENCE))
_SQUARE_POINTS = REFERENCE * FACE_PX + MARGIN_PX
_CORRUPTIONS = ("noise", "defocus", "motion", "jpeg", "small", "low_light")
# In the frame of the eyes, see ``models.training.occluders``.
_SCARF = np.array([(-1.3, 1.0), (-0.4, 0.85), (0.4, 0.85), (1.3, 1.0), (1.3, 2.2), (-1.3, 2.2)])
_CAP = np.array([(-1.3, -0.45), (-0.6, -0.6), (0.6, -0.6), (1.3, -0.45), (1.3, -1.7), (-1.3, -1.7)])

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FaceAugmentation:
    """Ranges and probabilities of the random changes of a packed face."""

    detected_probability: float = 0.5
    """Of alignment by the detector's landmarks, as in the app; else the data set's own square is used."""
    landmark_scatter: float = 0.08
    """Largest standard deviation of noise on the landmarks, in distances between the eyes: twice the detector's."""
    shift: float = 0.04
    """As a fraction of the crop's side."""
    scale: float = 0.10
    rotation_deg: float = 8.0
    brightness: float = 0.12
    contrast: float = 0.35
    gamma: float = 0.4
    colour: float = 0.12
    dark_probability: float = 0.08
    grey_probability: float = 0.08
    cover_probability: float = 0.15
    """Of glasses, a mask, a scarf, a cap or a patch."""
    corruption_probability: float = 0.25


def augment_face(
    image: Image, landmarks: NDArray[np.float32], size: int, settings: FaceAugmentation, rng: np.random.Generator
) -> Image:
    """Cut a (size, size, 3) training crop out of a packed face with (5, 2) ``landmarks``, NaN if unknown."""
    known = bool(np.isfinite(landmarks).all())
    places = landmarks.astype(np.float64) if known else _SQUARE_POINTS
    if rng.random() < settings.cover_probability:
        image = _cover(image.copy(), places, rng)
    points = places if known and rng.random() < settings.detected_probability else _SQUARE_POINTS
    crop = augment.warp(image, _draw_alignment(points, size, settings, rng), (size, size))
    crop = _change_light(crop, settings, rng)
    if rng.random() < settings.corruption_probability:
        name = _CORRUPTIONS[rng.integers(len(_CORRUPTIONS))]
        crop = corrupt(crop, name, int(rng.choice(SEVERITIES[:4])), rng)
    return crop


def plain_crop(image: Image, size: int) -> Image:
    """Cut the data set's own square out of a packed face: (size, size, 3)."""
    square = image[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def aligned_crop(image: Image, landmarks: NDArray[np.float32], size: int) -> Image:
    """Cut the crop that the app would align by these (5, 2) landmarks: (size, size, 3)."""
    return augment.warp(image, _matrix(*_square(landmarks.astype(np.float64)), size), (size, size))


def _draw_alignment(
    points: Points, size: int, settings: FaceAugmentation, rng: np.random.Generator
) -> NDArray[np.float64]:
    eyes = float(np.hypot(*(points[1] - points[0])))
    sigma = rng.uniform(0, settings.landmark_scatter) * eyes
    center, side, angle = _square(points + sigma * rng.standard_normal((5, 2)))
    center = center + rng.uniform(-settings.shift, settings.shift, 2) * side
    side *= float(np.exp(rng.uniform(-settings.scale, settings.scale)))
    angle += float(np.deg2rad(rng.uniform(-settings.rotation_deg, settings.rotation_deg)))
    return _matrix(center, side, angle, size, bool(rng.random() < 0.5))


def _square(points: Points) -> tuple[Points, float, float]:
    return alignment_square(detection_around(points), _SPEC)


def _matrix(center: Points, side: float, angle: float, size: int, mirrored: bool = False) -> NDArray[np.float64]:
    linear = size / side * rotation_matrix(-angle)
    if mirrored:
        linear[0] *= -1
    return np.column_stack([linear, (size - 1) / 2 - linear @ (center - 0.5)])


def _change_light(image: Image, settings: FaceAugmentation, rng: np.random.Generator) -> Image:
    if rng.random() < settings.grey_probability:
        image = augment.remove_colour(image)
    gain = np.exp(rng.uniform(-settings.contrast, settings.contrast))
    if rng.random() < settings.dark_probability:
        gain = rng.uniform(0.1, 0.5)
    colour = gain * np.exp(rng.uniform(-settings.colour, settings.colour, 3))
    gamma = np.exp(rng.uniform(-settings.gamma, settings.gamma))
    offset = rng.uniform(-settings.brightness, settings.brightness)
    return augment.change_levels(image, gamma, colour, 0.5 * min(1.0, gain) + offset * min(1.0, gain))


def _cover(image: Image, points: Points, rng: np.random.Generator) -> Image:
    """Draw something in front of the face, into ``image``."""
    along = points[1] - points[0]
    axes = np.array([along, [-along[1], along[0]]])
    middle = points[:2].mean(axis=0)
    colour = tuple(int(level) for level in np.clip(rng.integers(0, 256) + rng.integers(-60, 61, 3), 0, 255))
    kind = rng.integers(5)
    if kind == 0:
        _draw_glasses(image, middle, axes, rng)
    elif kind == 1:
        center = middle + rng.uniform(-0.9, 0.9) * axes[0] + rng.uniform(-0.3, 1.6) * axes[1]
        half = np.maximum(rng.uniform(0.2, 0.6, 2) * np.hypot(*along), 1)
        draw_ellipse(image, center, half, float(rng.uniform(0, 180)), colour, line=cv2.LINE_AA)
    else:
        shape = (MASK, _SCARF, _CAP)[kind - 2]
        draw_polygon(image, place_polygon(shape, middle, axes, rng), colour)
    return image


def _draw_glasses(image: Image, middle: Points, axes: Points, rng: np.random.Generator) -> None:
    """Sunglasses, or frames only."""
    eyes = float(np.hypot(*axes[0]))
    colour = (int(rng.integers(0, 80)),) * 3
    thickness = -1 if rng.random() < 0.5 else max(1, round(0.06 * eyes))
    half = np.array([rng.uniform(0.3, 0.46), rng.uniform(0.2, 0.36)]) * eyes
    angle = float(np.degrees(np.arctan2(axes[0, 1], axes[0, 0])))
    for side in (-0.5, 0.5):
        draw_ellipse(image, middle + side * axes[0], half, angle, colour, thickness, cv2.LINE_AA)
    for start, end in ((-1.0, -0.8), (-0.2, 0.2), (0.8, 1.0)):
        draw_line(image, middle + start * axes[0], middle + end * axes[0], colour, 0.06 * eyes)

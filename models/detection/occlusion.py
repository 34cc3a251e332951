"""Occlude faces by sunglasses, masks, caps, hands and bars; light an image from one side, or in one colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from models.detection.labels import FACE, eye_axes
from models.training.augment import round_to_uint8
from models.training.occluders import MASK, draw_ellipse, draw_line, draw_polygon, place_polygon

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Colour = tuple[int, ...]

_MIN_SIZE_PX = 22.0
_SEPIA = np.array([[0.131, 0.534, 0.272], [0.168, 0.686, 0.349], [0.189, 0.769, 0.393]], np.float32)
# In the frame of the eyes, see ``models.training.occluders``.
_CAP = np.array([(-1.15, -0.45), (-1.05, -1.2), (-0.5, -1.7), (0.5, -1.7), (1.05, -1.2), (1.15, -0.45)])


def occlude(image: Image, faces: FaceArrays, probability: float, rng: np.random.Generator) -> Image:
    """Draw one thing in front of each larger face with ``probability``, on a copy."""
    sizes = faces.sizes()
    usable = (faces.scores == FACE) & (sizes >= _MIN_SIZE_PX) & np.isfinite(faces.landmarks).all(axis=(1, 2))
    out = image.copy()
    for row in np.nonzero(usable & (rng.random(len(sizes)) < probability))[0]:
        axes = eye_axes(faces.landmarks[row : row + 1])[0]
        # In profile the eyes are close together: what is drawn must not become tiny.
        axes = axes * max(1.0, 0.28 * sizes[row] / max(float(np.hypot(*axes[0])), 1e-6))
        draw = _OCCLUDERS[rng.integers(len(_OCCLUDERS))]
        draw(out, faces.landmarks[row, :2].mean(axis=0), axes, rng)
    return out


def _draw_sunglasses(out: Image, middle: Floats, axes: Floats, rng: np.random.Generator) -> None:
    colour, iod_px = (int(rng.integers(0, 70)),) * 3, float(np.hypot(*axes[0]))
    for side in (-0.5, 0.5):
        half = np.array([rng.uniform(0.3, 0.48), rng.uniform(0.2, 0.36)]) * iod_px
        draw_ellipse(out, middle + side * axes[0], half, float(np.degrees(np.arctan2(axes[0, 1], axes[0, 0]))), colour)
    draw_line(out, middle - axes[0], middle + axes[0], colour, 0.07 * iod_px)


def _draw_mask(out: Image, middle: Floats, axes: Floats, rng: np.random.Generator) -> None:
    _draw_cloth(out, MASK, middle, axes, rng)


def _draw_cap(out: Image, middle: Floats, axes: Floats, rng: np.random.Generator) -> None:
    _draw_cloth(out, _CAP, middle, axes, rng)


def _draw_hand(out: Image, middle: Floats, axes: Floats, rng: np.random.Generator) -> None:
    """An ellipse in about the colour of the cheek."""
    x, y = np.clip((middle + 0.75 * axes[1]).round().astype(int), 0, np.array(out.shape[1::-1]) - 1)
    colour = tuple(np.clip(out[y, x].astype(int) + rng.integers(-25, 25), 0, 255).tolist())
    center = middle + rng.uniform(-0.9, 0.9) * axes[0] + rng.uniform(0.2, 1.6) * axes[1]
    half = rng.uniform(0.25, 0.6, 2) * float(np.hypot(*axes[0]))
    draw_ellipse(out, center, half, float(rng.uniform(0, 180)), colour)


def _draw_bar(out: Image, middle: Floats, axes: Floats, rng: np.random.Generator) -> None:
    center, angle = middle + rng.uniform(-0.8, 1.5, 2) @ axes, rng.uniform(0, np.pi)
    iod_px = float(np.hypot(*axes[0]))
    reach = 1.5 * iod_px * np.array([np.cos(angle), np.sin(angle)])
    draw_line(out, center - reach, center + reach, _cloth_colour(rng), rng.uniform(0.15, 0.5) * iod_px)


_OCCLUDERS = (_draw_sunglasses, _draw_mask, _draw_cap, _draw_hand, _draw_bar)


def _draw_cloth(out: Image, polygon: Floats, middle: Floats, axes: Floats, rng: np.random.Generator) -> None:
    corners = place_polygon(polygon, middle, axes, rng)
    draw_polygon(out, corners, _cloth_colour(rng))


def _cloth_colour(rng: np.random.Generator) -> Colour:
    return tuple(np.clip(rng.integers(0, 256) + rng.integers(-60, 60, 3), 0, 255).tolist())


def light_from_side(image: Image, rng: np.random.Generator) -> Image:
    """Darken one side of a square image, with a soft or hard border."""
    size = image.shape[0]
    angle, (x0, y0) = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.75, 2) * size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    distance = ((x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)) / (rng.uniform(0.02, 0.4) * size)
    dark, bright = rng.uniform(0.1, 0.5), rng.uniform(0.9, 1.5)
    light = dark + (bright - dark) / (1 + np.exp(-np.clip(distance, -20, 20)))
    return round_to_uint8(image * light[..., None])


def tone(image: Image, rng: np.random.Generator) -> Image:
    """Turn to sepia, or put into light of one colour."""
    return round_to_uint8(image @ _SEPIA.T if rng.random() < 0.5 else image * rng.uniform(0.4, 1.2, 3))

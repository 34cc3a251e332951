"""What hides faces, or lights them badly: sunglasses, masks, caps, hands, bars; light from the side; sepia."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detection.labels import LabelledFaces
from models.detection.training_photos import eye_frame

Image = NDArray[np.uint8]
_SMALLEST_PX = 22.0
_SEPIA = np.array([[0.131, 0.534, 0.272], [0.168, 0.686, 0.349], [0.189, 0.769, 0.393]])
# In the frame of the eyes: along them and down from their middle, in inter-ocular distances.
_MASK = np.array(
    [(-0.95, 0.5), (-0.4, 0.32), (0, 0.25), (0.4, 0.32), (0.95, 0.5), (0.75, 1.35), (0, 1.8), (-0.75, 1.35)]
)
_CAP = np.array([(-1.15, -0.45), (-1.05, -1.2), (-0.5, -1.7), (0.5, -1.7), (1.05, -1.2), (1.15, -0.45)])


def occluded(image: Image, faces: LabelledFaces, share: float, rng: np.random.Generator) -> Image:
    """A ``share`` of the larger faces gets one thing in front; a new image if any does."""
    sizes = np.sqrt(np.prod(faces.boxes[:, 2:] - faces.boxes[:, :2], axis=1))
    usable = faces.sure & (sizes >= _SMALLEST_PX) & np.isfinite(faces.points).all(axis=(1, 2))
    rows = np.nonzero(usable & (rng.random(len(sizes)) < share))[0]
    out = image.copy() if len(rows) else image
    for row in rows:
        axes, iod = eye_frame(faces.points[row : row + 1])
        # Faces in profile have their eyes close together: their things must not become tiny.
        scale = max(1.0, 0.28 * sizes[row] / max(float(iod[0]), 1e-6))
        middle = faces.points[row, :2].mean(axis=0)
        _draw(out, middle, axes[0] * scale, float(iod[0]) * scale, rng)
    return out


def _draw(
    out: Image, middle: NDArray[np.float64], axes: NDArray[np.float64], iod: float, rng: np.random.Generator
) -> None:
    kind = rng.integers(5)
    jitter = lambda shape: shape + rng.normal(0, 0.07, shape.shape)  # noqa: E731
    colour = _cloth(rng)
    if kind == 0:
        dark = int(rng.integers(0, 70))
        colour = (dark, dark, dark)
        for side in (-0.5, 0.5):
            center = (middle + side * axes[0]).round().astype(int)
            half = np.maximum(np.array([rng.uniform(0.3, 0.48), rng.uniform(0.2, 0.36)]) * iod, 1).astype(int)
            angle = float(np.degrees(np.arctan2(axes[0, 1], axes[0, 0])))
            cv2.ellipse(out, tuple(map(int, center)), tuple(map(int, half)), angle, 0, 360, colour, -1)
        ends = [tuple(map(int, (middle + end * axes[0]).round())) for end in (-1.0, 1.0)]
        cv2.line(out, ends[0], ends[1], colour, max(1, round(0.07 * iod)))
    elif kind in (1, 2):
        polygon = jitter(_MASK if kind == 1 else _CAP) @ axes + middle
        cv2.fillPoly(out, [polygon.round().astype(np.int32)], colour, cv2.LINE_AA)
    elif kind == 3:
        # The colour of the cheek: a hand.
        place = (middle + 0.75 * axes[1]).round().astype(int)
        x, y = np.clip(place, 0, np.array(out.shape[1::-1]) - 1)
        tone = tuple(int(level) for level in np.clip(out[y, x].astype(int) + rng.integers(-25, 25), 0, 255))
        center = middle + rng.uniform(-0.9, 0.9) * axes[0] + rng.uniform(0.2, 1.6) * axes[1]
        half = np.maximum(rng.uniform(0.25, 0.6, 2) * iod, 1)
        cv2.ellipse(out, tuple(map(int, center)), tuple(map(int, half)), float(rng.uniform(0, 180)), 0, 360, tone, -1)
    else:
        center, width = middle + rng.uniform(-0.8, 1.5, 2) @ axes, rng.uniform(0.15, 0.5)
        along = rng.normal(0, 1, 2)
        along *= 1.5 * iod / max(float(np.hypot(*along)), 1e-6)
        ends = [tuple(map(int, center + sign * along)) for sign in (-1, 1)]
        cv2.line(out, ends[0], ends[1], colour, max(1, round(width * iod)))


def _cloth(rng: np.random.Generator) -> tuple[int, int, int]:
    level = rng.integers(0, 256)
    b, g, r = (int(np.clip(level + rng.integers(-60, 60), 0, 255)) for _ in range(3))
    return b, g, r


def side_lit(image: Image, rng: np.random.Generator) -> Image:
    """One side in the dark, with a soft or hard border."""
    size = image.shape[0]
    angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.75, 2) * size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    along = ((x - place[0]) * np.cos(angle) + (y - place[1]) * np.sin(angle)) / (rng.uniform(0.02, 0.4) * size)
    dark, bright = rng.uniform(0.1, 0.5), rng.uniform(0.9, 1.5)
    light = dark + (bright - dark) / (1 + np.exp(-np.clip(along, -20, 20)))
    return np.clip(image * light[..., None], 0, 255).astype(np.uint8)


def toned(image: Image, rng: np.random.Generator) -> Image:
    """Sepia, or one colour of light."""
    if rng.random() < 0.5:
        return np.clip(image @ _SEPIA.T.astype(np.float32), 0, 255).astype(np.uint8)
    return np.clip(image * rng.uniform(0.4, 1.2, 3), 0, 255).astype(np.uint8)

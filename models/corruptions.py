"""Corruptions of face images: twelve at five severities (after Hendrycks & Dietterich 2019).

Some of them also augment the training crops, see ``TRAINING_CORRUPTIONS``; bars over the eyes and over the mouth, whose
places must be known, are for measuring only. Lengths are shares of the image's side, so that a 48-pixel crop and a
200-pixel photograph are corrupted alike; only the pixel sizes of ``small`` are absolute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training import augment
from models.training.augment import Image

SEVERITIES = (1, 2, 3, 4, 5)
"""Mild to strong."""
_DARK, _LIGHT = (0, 60), (170, 256)
"""Grey levels that bars are drawn from, upper end excluded."""


@dataclass(frozen=True)
class Corruption:
    """``apply(image, level, rng)``: (H, W, C) uint8 -> the same shape; ``levels`` by severity, mild to strong."""

    title: str
    unit: str
    """What a level means."""
    levels: tuple[float, float, float, float, float]
    apply: Callable[[Image, float, np.random.Generator], Image]

    def at(self, severity: int, image: Image, rng: np.random.Generator) -> Image:
        """A corrupted copy of ``image`` (H, W, C) uint8; ``severity`` is 1 to 5."""
        if severity not in SEVERITIES:
            raise ValueError(f"severity must be one of {SEVERITIES}, got {severity}")
        return self.apply(image, self.levels[severity - 1], rng).reshape(image.shape)


def corrupt(image: Image, name: str, severity: int, rng: np.random.Generator) -> Image:
    """Apply one of ``CORRUPTIONS`` to a copy of ``image`` (H, W, C) uint8; ``severity`` is 1 to 5."""
    return CORRUPTIONS[name].at(severity, image, rng)


def occlusions(points: Sequence[tuple[float, float]]) -> dict[str, Corruption]:
    """``glasses`` and ``mask``: bars over eyes and mouth of images in which the landmarks lie at ``points``.

    ``points``: five (x, y) as fractions of the side, in the order of ``core.types.Landmarks``. Both bars are centred
    and two eye distances wide, about as wide as a face; glasses are dark, masks are light.
    """
    if len(points) != 5:
        raise ValueError(f"eyes and mouth are placed by five points, got {len(points)}")
    left_eye, right_eye, _, left_mouth, right_mouth = np.asarray(points, np.float64)
    width = 2 * float(np.hypot(*(right_eye - left_eye)))
    glasses = partial(_covered, center=(left_eye + right_eye) / 2, width=width, greys=_DARK)
    mask = partial(_covered, center=(left_mouth + right_mouth) / 2, width=width, greys=_LIGHT)
    unit = "height as a share of the side"
    return {
        "glasses": Corruption("Bar over the eyes (glasses)", unit, (0.08, 0.12, 0.16, 0.20, 0.26), glasses),
        "mask": Corruption("Bar over the mouth (mask)", unit, (0.08, 0.14, 0.22, 0.30, 0.40), mask),
    }


def _defocus(image: Image, radius_share: float, rng: np.random.Generator) -> Image:
    return augment.blur_defocus(image, radius_share * max(image.shape[:2]))


def _motion(image: Image, length_share: float, rng: np.random.Generator) -> Image:
    return augment.blur_motion(image, length_share * max(image.shape[:2]), rng.uniform(0, np.pi))


def _rotation(image: Image, angle_deg: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    signed = angle_deg if rng.random() < 0.5 else -angle_deg
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), signed, 1.0)
    return augment.warp(image, matrix, (width, height))


def _shift(image: Image, share: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    direction = rng.uniform(0, 2 * np.pi)
    move = np.array([[1, 0, share * width * np.cos(direction)], [0, 1, share * height * np.sin(direction)]])
    return augment.warp(image, move, (width, height))


def _bar(image: Image, height_share: float, rng: np.random.Generator) -> Image:
    """Paint a bar of one grey level across the whole image, over eyes, nose or mouth."""
    height, width = image.shape[:2]
    middle = rng.uniform(0.30, 0.85) * height
    top, bottom = (round(middle + sign * height_share * height / 2) for sign in (-1, 1))
    return augment.fill_rectangle(image, (0, top, width, bottom), rng.integers(0, 256))


def _covered(
    image: Image,
    height_share: float,
    rng: np.random.Generator,
    *,
    center: NDArray[np.float64],
    width: float,
    greys: tuple[int, int],
) -> Image:
    """Paint a bar of one grey level around ``center`` (x, y); ``width`` and ``center`` are shares of the sides."""
    height_px, width_px = image.shape[:2]
    left, right = (round(float(center[0] + sign * width / 2) * width_px) for sign in (-1, 1))
    top, bottom = (round(float(center[1] + sign * height_share / 2) * height_px) for sign in (-1, 1))
    return augment.fill_rectangle(image, (left, top, right, bottom), rng.integers(*greys))


def _fixed(change: Callable[[Image, float], Image]) -> Callable[[Image, float, np.random.Generator], Image]:
    """A change without anything random in it, in the form of the others."""
    return lambda image, level, rng: change(image, level)


CORRUPTIONS: dict[str, Corruption] = {
    "low_light": Corruption("Low light", "exponent of gamma", (1.5, 2.0, 2.5, 3.2, 4.0), _fixed(augment.apply_gamma)),
    "brightness": Corruption("Too bright", "added grey levels", (20, 40, 60, 80, 100), _fixed(augment.add_offset)),
    "noise": Corruption("Noise", "sigma in grey levels", (6, 10, 16, 24, 34), augment.add_noise),
    "defocus": Corruption("Out of focus", "radius as a share of the side", (0.012, 0.02, 0.03, 0.042, 0.056), _defocus),
    "motion": Corruption("Motion blur", "length as a share of the side", (0.05, 0.08, 0.12, 0.16, 0.20), _motion),
    "jpeg": Corruption("JPEG", "quality", (50, 30, 18, 12, 7), _fixed(augment.compress_jpeg)),
    "small": Corruption("Few pixels", "side in pixels", (40, 32, 24, 20, 16), _fixed(augment.reduce_resolution)),
    "rotation": Corruption("Rotation", "degrees", (8, 15, 22, 30, 40), _rotation),
    "shift": Corruption("Shifted box", "share of the side", (0.04, 0.08, 0.12, 0.16, 0.20), _shift),
    "bar": Corruption("Bar over the face", "height as a share of the side", (0.06, 0.10, 0.15, 0.20, 0.26), _bar),
}
TRAINING_CORRUPTIONS = ("low_light", "noise", "defocus", "motion", "jpeg", "small", "bar")
"""Those that training crops get too; rotation, shift and brightness are part of every augmentation."""

"""What goes wrong with pictures of faces: twelve corruptions at five severities (after Hendrycks & Dietterich 2019).

Ten of them serve both to make the training crops harder and to measure robustness; bars over the eyes and over the
mouth, which need to know where these are, are for measuring only. Lengths are shares of the image's side, so that a
48-pixel crop and a 200-pixel photograph suffer alike; only the pixel sizes of ``small`` are absolute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from core.evaluation.robustness import SEVERITIES

Image = NDArray[np.uint8]
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


def corrupted(image: Image, name: str, severity: int, rng: np.random.Generator) -> Image:
    """A copy of ``image`` (H, W, C) uint8 after one of ``CORRUPTIONS``; ``severity`` is 1 to 5."""
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


def _low_light(image: Image, gamma: float, rng: np.random.Generator) -> Image:
    levels = 255 * (np.arange(256) / 255) ** gamma
    return _rounded(levels)[image]


def _brightness(image: Image, offset: float, rng: np.random.Generator) -> Image:
    return _rounded(np.arange(256) + offset)[image]


def _noise(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    return _rounded(image + sigma * rng.standard_normal(image.shape, np.float32))


def _defocus(image: Image, radius_share: float, rng: np.random.Generator) -> Image:
    radius = radius_share * max(image.shape[:2])
    # A disk with a soft edge: radii below one pixel blur a little instead of not at all.
    reach = np.arange(-np.ceil(radius), np.ceil(radius) + 1)
    disk = np.clip(radius + 0.5 - np.hypot(*np.meshgrid(reach, reach)), 0, 1)
    return _filtered(image, disk)


def _motion(image: Image, length_share: float, rng: np.random.Generator) -> Image:
    length = length_share * max(image.shape[:2])
    size = int(np.ceil(length)) // 2 * 2 + 3
    direction = rng.uniform(0, np.pi)
    step = np.array([np.cos(direction), np.sin(direction)]) * length / 2
    middle = np.array([size // 2, size // 2])
    kernel = np.zeros((size, size), np.uint8)
    # Ends in sixteenths of a pixel.
    start, end = (np.rint((middle + sign * step) * 16).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 255, 1, cv2.LINE_AA, shift=4)
    return _filtered(image, kernel)


def _jpeg(image: Image, quality: float, rng: np.random.Generator) -> Image:
    _, stream = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    grey = image.ndim == 2 or image.shape[2] == 1
    return np.asarray(cv2.imdecode(stream, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR), np.uint8)


def _small(image: Image, side: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    if side >= max(height, width):
        return image.copy()
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    tiny = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(tiny, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _rotation(image: Image, angle_deg: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    signed = angle_deg if rng.random() < 0.5 else -angle_deg
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), signed, 1.0)
    return _warped(image, turn)


def _shift(image: Image, share: float, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    direction = rng.uniform(0, 2 * np.pi)
    move = np.array([[1, 0, share * width * np.cos(direction)], [0, 1, share * height * np.sin(direction)]])
    return _warped(image, move)


def _bar(image: Image, height_share: float, rng: np.random.Generator) -> Image:
    """A bar of one colour across the whole picture, over eyes, nose or mouth."""
    side = image.shape[0]
    middle = rng.uniform(0.30, 0.85) * side
    top, bottom = (round(middle + sign * height_share * side / 2) for sign in (-1, 1))
    out = image.copy()
    out[max(0, top) : max(0, bottom)] = rng.integers(0, 256)
    return out


def _covered(
    image: Image,
    height_share: float,
    rng: np.random.Generator,
    *,
    center: NDArray[np.float64],
    width: float,
    greys: tuple[int, int],
) -> Image:
    """A bar of one grey level around ``center`` (x, y); ``width`` and ``center`` are shares of the sides."""
    height_px, width_px = image.shape[:2]
    left, right = (round(float(center[0] + sign * width / 2) * width_px) for sign in (-1, 1))
    top, bottom = (round(float(center[1] + sign * height_share / 2) * height_px) for sign in (-1, 1))
    out = image.copy()
    out[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = rng.integers(*greys)
    return out


def _filtered(image: Image, kernel: NDArray) -> Image:
    normed = kernel.astype(np.float32) / kernel.sum()
    return np.asarray(cv2.filter2D(image, -1, normed, borderType=cv2.BORDER_REPLICATE), np.uint8)


def _warped(image: Image, matrix: NDArray) -> Image:
    size = image.shape[1], image.shape[0]
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _rounded(values: NDArray) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


CORRUPTIONS: dict[str, Corruption] = {
    "low_light": Corruption("Low light", "exponent of gamma", (1.5, 2.0, 2.5, 3.2, 4.0), _low_light),
    "brightness": Corruption("Too bright", "added grey levels", (20, 40, 60, 80, 100), _brightness),
    "noise": Corruption("Noise", "sigma in grey levels", (6, 10, 16, 24, 34), _noise),
    "defocus": Corruption("Out of focus", "radius as a share of the side", (0.012, 0.02, 0.03, 0.042, 0.056), _defocus),
    "motion": Corruption("Motion blur", "length as a share of the side", (0.05, 0.08, 0.12, 0.16, 0.20), _motion),
    "jpeg": Corruption("JPEG", "quality", (50, 30, 18, 12, 7), _jpeg),
    "small": Corruption("Few pixels", "side in pixels", (40, 32, 24, 20, 16), _small),
    "rotation": Corruption("Rotation", "degrees", (8, 15, 22, 30, 40), _rotation),
    "shift": Corruption("Shifted box", "share of the side", (0.04, 0.08, 0.12, 0.16, 0.20), _shift),
    "bar": Corruption("Bar over the face", "height as a share of the side", (0.06, 0.10, 0.15, 0.20, 0.26), _bar),
}
DAMAGES = ("low_light", "noise", "defocus", "motion", "jpeg", "small", "bar")
"""Those that training crops suffer; rotation, shift and brightness are part of every augmentation."""

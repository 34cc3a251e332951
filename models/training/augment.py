"""What augmentations and corruptions are made of: pure functions on (H, W, C) uint8 images.

Each returns a new image and leaves its input as it is. Points and boxes are (x, y) in half-open pixel coordinates:
pixel i covers [i, i + 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.warping import rotation_matrix

Image = NDArray[np.uint8]


def round_to_uint8(values: NDArray) -> Image:
    """Round grey levels of any type and clip them to 0-255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def apply_gamma(image: Image, gamma: float) -> Image:
    """Raise grey levels in [0, 1] to the power ``gamma``: above 1 makes the image darker."""
    return round_to_uint8(255 * (np.arange(256) / 255) ** gamma)[image]


def add_offset(image: Image, offset: float) -> Image:
    """Add ``offset`` grey levels."""
    return round_to_uint8(np.arange(256) + offset)[image]


def remove_colour(image: Image) -> Image:
    """Give all three channels of a BGR image its grey level."""
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def change_levels(image: Image, gamma: float, gains: NDArray[np.float64], middle: float) -> Image:
    """Raise levels in [0, 1] of three channels to ``gamma``, then stretch each by its gain about 0.5, which becomes
    ``middle``."""
    levels = (np.arange(256)[:, None] / 255) ** gamma
    return np.asarray(cv2.LUT(image, round_to_uint8(255 * ((levels - 0.5) * gains + middle))[None]), np.uint8)


def add_noise(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Add Gaussian noise, independent for each pixel and channel; ``sigma`` is in grey levels."""
    return round_to_uint8(image + sigma * rng.standard_normal(image.shape, np.float32))


def blur_defocus(image: Image, radius_px: float) -> Image:
    """Blur with a disk whose edge is soft: radii below one pixel blur a little instead of not at all."""
    reach = np.arange(-np.ceil(radius_px), np.ceil(radius_px) + 1)
    return _filter(image, np.clip(radius_px + 0.5 - np.hypot(*np.meshgrid(reach, reach)), 0, 1))


def blur_motion(image: Image, length_px: float, direction_rad: float) -> Image:
    """Blur along a line."""
    size = int(np.ceil(length_px)) // 2 * 2 + 3
    step = np.array([np.cos(direction_rad), np.sin(direction_rad)]) * length_px / 2
    middle = np.array([size // 2, size // 2])
    kernel = np.zeros((size, size), np.uint8)
    # Ends in sixteenths of a pixel.
    start, end = (np.rint((middle + sign * step) * 16).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 255, 1, cv2.LINE_AA, shift=4)
    return _filter(image, kernel)


def compress_jpeg(image: Image, quality: float) -> Image:
    """Encode as JPEG (``quality`` 0 to 100) and decode; an image of one channel comes back as (H, W)."""
    _, stream = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    grey = image.ndim == 2 or image.shape[2] == 1
    return np.asarray(cv2.imdecode(stream, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR), np.uint8)


def reduce_resolution(image: Image, side_px: float) -> Image:
    """Shrink until the longer side has ``side_px`` pixels, and enlarge again; an image of one channel comes back as
    (H, W). A copy if no side is longer."""
    height, width = image.shape[:2]
    if side_px >= max(height, width):
        return image.copy()
    scale = side_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def fill_rectangle(image: Image, xyxy: Sequence[int], value: Any) -> Image:
    """Paint a rectangle, clipped to the image; ``value`` is a grey level, or one for each channel."""
    left, top, right, bottom = (max(0, edge) for edge in xyxy)
    out = image.copy()
    out[top:bottom, left:right] = value
    return out


def similarity_matrix(
    center: NDArray[np.float64], target: NDArray[np.float64], zoom: float, angle_deg: float, mirrored: bool
) -> NDArray[np.float64]:
    """(2, 3) matrix that mirrors, turns and scales about ``center`` (x, y) and moves ``center`` to ``target``.

    It applies to indices of pixels, whose centres lie half a pixel further, as ``cv2.warpAffine`` does.
    """
    angle = np.deg2rad(angle_deg)
    linear = zoom * rotation_matrix(angle)
    if mirrored:
        linear[:, 0] *= -1
    return np.column_stack([linear, target - 0.5 - linear @ (center - 0.5)])


def warp(
    image: Image,
    matrix: NDArray,
    size_wh: tuple[int, int],
    interpolation: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_REPLICATE,
    colour: Sequence[float] = (),
) -> Image:
    """Apply the (2, 3) ``matrix``; ``colour`` fills what lies outside where ``border`` is ``BORDER_CONSTANT``."""
    out = cv2.warpAffine(image, matrix, size_wh, flags=interpolation, borderMode=border, borderValue=tuple(colour))
    return np.asarray(out, np.uint8)


def _filter(image: Image, kernel: NDArray) -> Image:
    normalised = kernel.astype(np.float32) / kernel.sum()
    return np.asarray(cv2.filter2D(image, -1, normalised, borderType=cv2.BORDER_REPLICATE), np.uint8)

"""Photographs -> square training crops with faces of every size, position, tilt and quality."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.geometry import areas, centers, sizes
from core.types import MIRRORED_POINTS
from models.detection.labels import FACE, IGNORED
from models.training import augment
from models.training.augment import Image

_LEAST_FILLED = 0.4
"""Minimum size of a photograph relative to the crop."""
_MIN_WARP_ZOOM = 0.6
_INTERPOLATIONS = (cv2.INTER_LINEAR,) * 5 + (cv2.INTER_CUBIC,) * 2 + (cv2.INTER_LANCZOS4,)
"""A network that has only seen soft enlargements fails on sharper ones."""


@dataclass(frozen=True, slots=True)
class DetectionAugmentation:
    """Probabilities and ranges of the random changes."""

    face_px: tuple[float, float] = (10.0, 240.0)
    """Size of the face that a crop is made around, log-uniform."""
    whole_probability: float = 0.2
    """Crops that show the whole photograph instead."""
    largest_zoom: float = 5.0
    rotation_deg: float = 12.0
    tilt_probability: float = 0.35
    tilt_deg: float = 60.0
    grey_probability: float = 0.15
    dark_probability: float = 0.07
    blur_probability: float = 0.15
    noise_probability: float = 0.2
    jpeg_probability: float = 0.15
    bar_probability: float = 0.1


def training_crop(
    image: Image,
    faces: FaceArrays,
    size_px: int,
    settings: DetectionAugmentation,
    rng: np.random.Generator,
    face_px: tuple[float, float] | None = None,
) -> tuple[Image, FaceArrays]:
    """Crop a ``size_px`` square around a random face, or the whole image, rotated, mirrored and shifted at random;
    returns the crop and the faces in its pixels."""
    matrix = _placement(image, faces, size_px, settings, rng, face_px or settings.face_px)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.4 else cv2.BORDER_CONSTANT
    return warp(image, matrix, size_px, border, rng), transform_faces(faces, matrix)


def warp(image: Image, matrix: NDArray[np.float64], size_px: int, border: int, rng: np.random.Generator) -> Image:
    """Warp to a ``size_px`` square by the similarity ``matrix`` (2, 3), with a random interpolation and border colour.

    A much smaller copy is made by area first, since ``cv2.warpAffine`` does not average.
    """
    image, matrix = shrink_first(image, matrix)
    interpolation = _INTERPOLATIONS[rng.integers(len(_INTERPOLATIONS))]
    colour = rng.integers(0, 256, 3).tolist()
    return augment.warp(image, matrix, (size_px, size_px), interpolation, border, colour)


def shrink_first(image: Image, matrix: NDArray[np.float64]) -> tuple[Image, NDArray[np.float64]]:
    """Resize ``image`` by area if ``matrix`` makes it much smaller; returns it with the matrix that is left to do."""
    zoom = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if zoom >= _MIN_WARP_ZOOM:
        return image, matrix
    small = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
    shrink = np.array(small.shape[1::-1]) / np.array(image.shape[1::-1])
    # The matrix moves indices of pixels, whose centres lie half a pixel further.
    return small, np.column_stack([matrix[:, :2] / shrink, matrix[:, 2] + matrix[:, :2] @ (0.5 / shrink - 0.5)])


def mosaic(parts: list[tuple[Image, FaceArrays]]) -> tuple[Image, FaceArrays]:
    """Join four equal squares with their faces to one square of twice the side."""
    side = parts[0][0].shape[0]
    rows = [np.concatenate([parts[i][0], parts[i + 1][0]], axis=1) for i in (0, 2)]
    shifted = []
    for number, (_, faces) in enumerate(parts):
        # A face that is cut at the seam ends there.
        shift = np.array([number % 2, number // 2]) * float(side)
        boxes = faces.xyxy + np.tile(shift, 2)
        cut = np.clip(boxes, np.tile(shift, 2), np.tile(shift + side, 2))
        visible = areas(cut) / np.maximum(areas(boxes), 1e-9)
        whole = visible >= 0.6
        xyxy = np.where(whole[:, None], boxes, cut)
        moved = FaceArrays(xyxy, np.where(whole, faces.scores, IGNORED), faces.landmarks + shift)
        shifted.append(moved.take(visible > 0.02))
    return np.concatenate(rows, axis=0), FaceArrays.merge(shifted)


def transform_faces(faces: FaceArrays, matrix: NDArray[np.float64]) -> FaceArrays:
    """Convert faces to pixels of the image warped by the similarity ``matrix`` (2, 3).

    A box is treated as the bounds of an ellipse, so that a rotation does not make it grow as its corners would.
    """
    linear, offset = matrix[:, :2], matrix[:, 2]
    # Pixel i covers [i, i + 1): the matrix moves pixel centres, the annotations are in half-open coordinates.
    middle = (centers(faces.xyxy) - 0.5) @ linear.T + offset + 0.5
    half = np.sqrt(((sizes(faces.xyxy) / 2) ** 2) @ (linear**2).T)
    landmarks = (faces.landmarks - 0.5) @ linear.T + offset + 0.5
    if np.linalg.det(linear) < 0:
        landmarks = landmarks[:, MIRRORED_POINTS]
    return FaceArrays(np.concatenate([middle - half, middle + half], axis=1), faces.scores, landmarks)


def _placement(
    image: Image,
    faces: FaceArrays,
    size_px: int,
    settings: DetectionAugmentation,
    rng: np.random.Generator,
    face_px: tuple[float, float],
) -> NDArray[np.float64]:
    height, width = image.shape[:2]
    fit = size_px / max(height, width)
    middle, target = np.array([width, height]) / 2, np.full(2, size_px / 2)
    zoom = fit * np.exp(rng.uniform(np.log(0.6), np.log(1.15)))
    chosen = np.nonzero(faces.scores == FACE)[0]
    if len(chosen) and rng.random() >= settings.whole_probability:
        box = faces.xyxy[rng.choice(chosen)]
        size = float(np.sqrt(np.prod(box[2:] - box[:2])))
        wanted = float(np.exp(rng.uniform(*np.log(face_px))))
        zoom = float(np.clip(wanted / size, _LEAST_FILLED * fit, settings.largest_zoom))
        middle = (box[:2] + box[2:]) / 2
        room = max(0.0, (size_px - size * zoom) / 2)
        target = size_px / 2 + rng.uniform(-room, room, 2)
    elif not len(chosen):
        zoom = fit * np.exp(rng.uniform(np.log(0.6), np.log(3.0)))
    tilt = settings.tilt_deg if rng.random() < settings.tilt_probability else settings.rotation_deg
    return augment.similarity_matrix(middle, target, zoom, rng.uniform(-tilt, tilt), mirrored=rng.random() < 0.5)


def degrade(image: Image, settings: DetectionAugmentation, rng: np.random.Generator) -> Image:
    """Apply bars, light and colour, blur, noise and compression, each at random, to a copy of a square crop."""
    out = image.copy()
    if rng.random() < settings.bar_probability:
        out = _bar(out, rng)
    out = _change_light(out, settings, rng)
    if rng.random() < settings.blur_probability:
        out = _blur(out, rng)
    if rng.random() < settings.noise_probability:
        out = augment.add_noise(out, rng.uniform(2, 20), rng)
    if rng.random() < settings.jpeg_probability:
        out = augment.compress_jpeg(out, int(rng.integers(15, 70)))
    return out


def _change_light(image: Image, settings: DetectionAugmentation, rng: np.random.Generator) -> Image:
    if rng.random() < settings.grey_probability:
        image = augment.remove_colour(image)
    gain = rng.uniform(0.12, 0.5) if rng.random() < settings.dark_probability else np.exp(rng.uniform(-0.35, 0.35))
    colour = gain * np.exp(rng.uniform(-0.12, 0.12, 3))
    gamma, offset = np.exp(rng.uniform(-0.4, 0.4)), rng.uniform(-0.1, 0.1)
    return augment.change_levels(image, gamma, colour, 0.5 * min(1.0, gain) + offset)


def _blur(image: Image, rng: np.random.Generator) -> Image:
    kind = rng.choice(("soft", "motion", "small"))
    if kind == "soft":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0)), np.uint8)
    if kind == "motion":
        return augment.blur_motion(image, float(rng.integers(3, 10)), rng.uniform(0, np.pi))
    return augment.reduce_resolution(image, rng.uniform(0.35, 0.8) * image.shape[0])


def _bar(image: Image, rng: np.random.Generator) -> Image:
    side = image.shape[0]
    height, width = rng.integers(side // 20, side // 4, 2)
    top, left = rng.integers(0, side - height), rng.integers(0, side - width)
    return augment.fill_rectangle(image, (left, top, left + width, top + height), rng.integers(0, 256, 3))

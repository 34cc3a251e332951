"""Photographs -> square training crops with faces of every size, position, tilt and quality."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import MIRRORED_POINTS
from models.detection.labels import LabelledFaces

_LEAST_FILLED = 0.4
"""Photographs are not made smaller than this part of a crop: the rest would be empty."""
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DetectionAugmentation:
    """Probabilities and ranges of the random changes."""

    face_px: tuple[float, float] = (14.0, 235.0)
    """Size of the face that a crop is made around, log-uniform."""
    whole_probability: float = 0.2
    """Crops that show the whole photograph instead."""
    mosaic_probability: float = 0.25
    largest_zoom: float = 3.5
    interpolations: tuple[int, ...] = (cv2.INTER_LINEAR,)
    """OpenCV's kinds, one drawn for each crop: a network that has only seen soft enlargements takes the ringing of
    sharper ones for something else."""
    rotation_deg: float = 12.0
    tilt_probability: float = 0.4
    tilt_deg: float = 40.0
    grey_probability: float = 0.15
    dark_probability: float = 0.1
    blur_probability: float = 0.15
    noise_probability: float = 0.15
    jpeg_probability: float = 0.1
    bar_probability: float = 0.1


def training_crop(
    image: Image,
    faces: LabelledFaces,
    size_px: int,
    settings: DetectionAugmentation,
    rng: np.random.Generator,
    face_px: tuple[float, float] | None = None,
) -> tuple[Image, LabelledFaces]:
    """A ``size_px`` square of ``image`` around one of its faces, or the whole of it, tilted, mirrored and placed at
    random, and the faces in its pixels."""
    matrix = _placement(image, faces, size_px, settings, rng, face_px or settings.face_px)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.4 else cv2.BORDER_CONSTANT
    colour = tuple(float(level) for level in rng.integers(0, 256, 3))
    zoom = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    source, whole = image, matrix
    if zoom < 0.6:
        source = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
        shrink = np.array([source.shape[1] / image.shape[1], source.shape[0] / image.shape[0]])
        whole = np.column_stack([matrix[:, :2] / shrink, matrix[:, 2]])
    kind = settings.interpolations[rng.integers(len(settings.interpolations))]
    crop = cv2.warpAffine(source, whole, (size_px, size_px), flags=kind, borderMode=border, borderValue=colour)
    return np.asarray(crop, np.uint8), moved(faces, matrix)


def mosaic(parts: list[tuple[Image, LabelledFaces]]) -> tuple[Image, LabelledFaces]:
    """Four equal squares with their faces -> one square of twice the side."""
    side = parts[0][0].shape[0]
    rows = [np.concatenate([parts[i][0], parts[i + 1][0]], axis=1) for i in (0, 2)]
    shifted = []
    for number, (_, faces) in enumerate(parts):
        # A face that is cut at the seam stays where it can be seen.
        shift = np.array([number % 2, number // 2]) * float(side)
        low, high = np.tile(shift, 2), np.tile(shift + side, 2)
        boxes = faces.boxes + np.tile(shift, 2)
        cut = np.clip(boxes, low, high)
        area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        left = np.prod(cut[:, 2:] - cut[:, :2], axis=1) / np.maximum(area, 1e-9)
        inside = np.where((left >= 0.6)[:, None], boxes, cut)
        keep = left > 0.02
        shifted.append(LabelledFaces(inside[keep], faces.points[keep] + shift, (faces.sure & (left >= 0.6))[keep]))
    return np.concatenate(rows, axis=0), LabelledFaces(
        np.concatenate([faces.boxes for faces in shifted]),
        np.concatenate([faces.points for faces in shifted]),
        np.concatenate([faces.sure for faces in shifted]),
    )


def moved(faces: LabelledFaces, matrix: NDArray[np.float64]) -> LabelledFaces:
    """Faces of an image in the pixels of its warp by the similarity ``matrix`` (2, 3).

    A box is taken for the bounds of an ellipse: tilting it does not make it grow as its corners would.
    """
    linear, offset = matrix[:, :2], matrix[:, 2]
    # Pixel i covers [i, i + 1): the matrix moves pixel centres, the marks are in the half-open coordinates.
    centers = ((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - 0.5) @ linear.T + offset + 0.5
    half = (faces.boxes[:, 2:] - faces.boxes[:, :2]) / 2
    half = np.sqrt((half**2) @ (linear**2).T)
    points = (faces.points - 0.5) @ linear.T + offset + 0.5
    if np.linalg.det(linear) < 0:
        points = points[:, MIRRORED_POINTS]
    return LabelledFaces(np.concatenate([centers - half, centers + half], axis=1), points, faces.sure)


def _placement(
    image: Image,
    faces: LabelledFaces,
    size_px: int,
    settings: DetectionAugmentation,
    rng: np.random.Generator,
    face_px: tuple[float, float],
) -> NDArray[np.float64]:
    height, width = image.shape[:2]
    fit = size_px / max(height, width)
    middle, target = np.array([width, height]) / 2, np.full(2, size_px / 2)
    zoom = fit * np.exp(rng.uniform(np.log(0.6), np.log(1.15)))
    chosen = np.nonzero(faces.sure)[0]
    if len(chosen) and rng.random() >= settings.whole_probability:
        box = faces.boxes[rng.choice(chosen)]
        size = float(np.sqrt(np.prod(box[2:] - box[:2])))
        wanted = float(np.exp(rng.uniform(*np.log(face_px))))
        zoom = float(np.clip(wanted / size, _LEAST_FILLED * fit, settings.largest_zoom))
        middle = (box[:2] + box[2:]) / 2
        room = max(0.0, (size_px - size * zoom) / 2)
        target = size_px / 2 + rng.uniform(-room, room, 2)
    elif not len(chosen):
        zoom = fit * np.exp(rng.uniform(np.log(0.6), np.log(3.0)))
    tilt = settings.tilt_deg if rng.random() < settings.tilt_probability else settings.rotation_deg
    angle = np.deg2rad(rng.uniform(-tilt, tilt))
    linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        linear[:, 0] *= -1
    return np.column_stack([linear, target - 0.5 - linear @ (middle - 0.5)])


def degraded(image: Image, settings: DetectionAugmentation, rng: np.random.Generator) -> Image:
    """Light, colour, blur, noise, compression and occluding bars, each at random; a new image."""
    out = image.copy()
    if rng.random() < settings.bar_probability:
        _bar(out, rng)
    out = _light(out, settings, rng)
    if rng.random() < settings.blur_probability:
        out = _blurred(out, rng)
    if rng.random() < settings.noise_probability:
        noise = rng.normal(0, rng.uniform(2, 20), out.shape)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.random() < settings.jpeg_probability:
        _, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 70))])
        out = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return out


def _light(image: Image, settings: DetectionAugmentation, rng: np.random.Generator) -> Image:
    if rng.random() < settings.grey_probability:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    levels = np.arange(256) / 255
    gain = rng.uniform(0.12, 0.5) if rng.random() < settings.dark_probability else np.exp(rng.uniform(-0.35, 0.35))
    colour = gain * np.exp(rng.uniform(-0.12, 0.12, 3))
    gamma, offset = np.exp(rng.uniform(-0.4, 0.4)), rng.uniform(-0.1, 0.1)
    table = (levels[:, None] ** gamma - 0.5) * colour + 0.5 * min(1.0, gain) + offset
    table = np.clip(np.rint(table * 255), 0, 255).astype(np.uint8)
    return np.stack([table[:, channel][image[..., channel]] for channel in range(3)], axis=-1)


def _blurred(image: Image, rng: np.random.Generator) -> Image:
    kind = rng.integers(3)
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0)), np.uint8)
    if kind == 1:
        length = int(rng.integers(3, 10))
        kernel = np.zeros((length, length), np.float32)
        cv2.line(kernel, (0, int(rng.integers(length))), (length - 1, int(rng.integers(length))), 1.0)
        return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
    side = image.shape[0]
    small = cv2.resize(image, None, fx=(zoom := rng.uniform(0.35, 0.8)), fy=zoom, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _bar(image: Image, rng: np.random.Generator) -> None:
    side = image.shape[0]
    height, width = rng.integers(side // 20, side // 4, 2)
    top, left = rng.integers(0, side - height), rng.integers(0, side - width)
    image[top : top + height, left : left + width] = rng.integers(0, 256, 3)

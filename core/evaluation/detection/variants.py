"""Variants of an image, resized, padded, rotated, shifted or mirrored, and the way back to the original's pixels.

Coordinates are half-open, as in ``core.types``: pixel i covers [i, i + 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.geometry import areas, centers, sizes
from core.types import MIRRORED_POINTS
from core.warping import rotation_matrix

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_GREY = (127, 127, 127)


@dataclass(frozen=True)
class Variant:
    """``image`` (H, W, 3) uint8 BGR, and the (2, 3) ``matrix`` from the original's coordinates to its own."""

    image: Image
    matrix: Floats
    mirrored: bool = False

    def to_original(self, faces: FaceArrays) -> FaceArrays:
        """Convert faces that were found in the variant to pixels of the original; boxes stay upright and keep their
        area."""
        inverse = np.linalg.inv(self.matrix[:, :2])
        half = sizes(faces.xyxy) / 2 @ np.abs(inverse).T
        area = 4 * np.prod(half, axis=1) / abs(np.linalg.det(inverse))
        half *= np.sqrt(np.divide(areas(faces.xyxy), area, out=np.ones(len(faces)), where=area > 0))[:, None]
        middle = (centers(faces.xyxy) - self.matrix[:, 2]) @ inverse.T
        landmarks = (faces.landmarks - self.matrix[:, 2]) @ inverse.T
        if self.mirrored:
            landmarks = landmarks[:, MIRRORED_POINTS]
        return FaceArrays(np.concatenate([middle - half, middle + half], axis=1), faces.scores, landmarks)


def keep(image: Image) -> Variant:
    """Return the image itself."""
    return Variant(image, np.eye(2, 3))


def resize(image: Image, longer_side_px: int) -> Variant:
    """Resize an image to a longer side of ``longer_side_px``."""
    return zoom(image, longer_side_px / max(image.shape[:2]))


def zoom(image: Image, factor: float) -> Variant:
    """Resize an image by ``factor``: by area to make it smaller, else bicubically."""
    height, width = image.shape[:2]
    wide, high = max(1, round(width * factor)), max(1, round(height * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, (wide, high), interpolation=interpolation)
    return Variant(np.asarray(resized, np.uint8), np.array([[wide / width, 0.0, 0.0], [0.0, high / height, 0.0]]))


def pad(image: Image, share: float) -> Variant:
    """Add a grey margin of ``share`` of the longer side to each side."""
    px = round(share * max(image.shape[:2]))
    padded = cv2.copyMakeBorder(image, px, px, px, px, cv2.BORDER_CONSTANT, value=_GREY)
    return Variant(np.asarray(padded, np.uint8), np.array([[1.0, 0.0, px], [0.0, 1.0, px]]))


def rotate(image: Image, degrees: float) -> Variant:
    """Rotate an image clockwise about its centre, on a black canvas that holds all of it."""
    matrix, canvas_wh = _rotation(image, degrees)
    # OpenCV's origin is the centre of the first pixel, the matrix's is its corner.
    by_centers = matrix + np.column_stack([np.zeros((2, 2)), matrix[:, :2] @ np.full(2, 0.5) - 0.5])
    return Variant(np.asarray(cv2.warpAffine(image, by_centers, canvas_wh), np.uint8), matrix)


def turn(image: Image, degrees: int) -> Variant:
    """Turn an image clockwise by a multiple of 90 degrees, without interpolation."""
    turned = np.ascontiguousarray(np.rot90(image, -degrees // 90))
    return Variant(turned, _rotation(image, degrees)[0])


def shift(image: Image, x_px: int, y_px: int) -> Variant:
    """Move an image by whole pixels within its frame; the border is repeated."""
    matrix = np.array([[1.0, 0.0, x_px], [0.0, 1.0, y_px]])
    moved = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return Variant(np.asarray(moved, np.uint8), matrix)


def mirror(image: Image) -> Variant:
    """Flip an image left to right."""
    matrix = np.array([[-1.0, 0.0, image.shape[1]], [0.0, 1.0, 0.0]])
    return Variant(np.ascontiguousarray(image[:, ::-1]), matrix, mirrored=True)


def fill_frame(image: Image, frame_wh: tuple[int, int]) -> Image:
    """Resize and centre-crop an image to the shape and size of a video frame."""
    factor = max(frame_wh[0] / image.shape[1], frame_wh[1] / image.shape[0])
    # A hundredth of a pixel more, so that rounding never leaves a side short.
    whole = zoom(image, factor + 0.01 / min(image.shape[:2])).image
    left, top = (whole.shape[1] - frame_wh[0]) // 2, (whole.shape[0] - frame_wh[1]) // 2
    return np.ascontiguousarray(whole[top : top + frame_wh[1], left : left + frame_wh[0]])


def _rotation(image: Image, degrees: float) -> tuple[Floats, tuple[int, int]]:
    """Compute the matrix that rotates clockwise about the centre, and the size of the canvas that holds it all."""
    resolution_wh, angle = np.array(image.shape[1::-1]), np.deg2rad(degrees)
    rotation = rotation_matrix(angle)
    # Rounded first: the last bits of the sines must not add a column.
    canvas_wh = np.ceil((np.abs(rotation) @ resolution_wh).round(6))
    matrix = np.column_stack([rotation, canvas_wh / 2 - rotation @ (resolution_wh / 2)])
    return matrix, (int(canvas_wh[0]), int(canvas_wh[1]))

"""From a box to a model's crop: the one function that training, evaluation, upload and live video share."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifact import CropSpec
from core.types import Box

_SAMPLES_PER_PIXEL = 2


def crop_faces(
    frame: NDArray[np.uint8], boxes: Sequence[Box], spec: CropSpec, size: int, channels: int
) -> NDArray[np.uint8]:
    """(H, W, 3) BGR frame and N boxes -> (N, size, size, channels) crops; grey for one channel, BGR for three.

    The crop is the square that ``spec`` places on the box. What lies outside the frame repeats its border, as the
    training images do.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels}")
    crops = np.empty((len(boxes), size, size, channels), np.uint8)
    for row, box in enumerate(boxes):
        crop = _square(frame, box, spec, size)
        crops[row] = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[..., None] if channels == 1 else crop
    return crops


def _square(frame: NDArray[np.uint8], box: Box, spec: CropSpec, size: int) -> NDArray[np.uint8]:
    longer = max(box.width, box.height)
    side = spec.scale * longer
    center_x, center_y = box.center[0], box.center[1] + spec.shift_y * longer
    # A bilinear warp reads four neighbours only; a much larger face would alias, so it is drawn at a multiple of the
    # size first and then averaged down.
    factor = max(1, min(8, int(np.ceil(side / (size * _SAMPLES_PER_PIXEL)))))
    drawn = size * factor
    zoom = drawn / side
    offset_x = (drawn - 1) / 2 - zoom * (center_x - 0.5)
    offset_y = (drawn - 1) / 2 - zoom * (center_y - 0.5)
    matrix = np.array([[zoom, 0, offset_x], [0, zoom, offset_y]])
    crop = cv2.warpAffine(frame, matrix, (drawn, drawn), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if factor > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return crop.astype(np.uint8, copy=False)

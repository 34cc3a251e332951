"""Run detectors over annotated images: what they find, and how long they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import FacePhoto
from core.detection.base import FaceArrays, FaceDetector
from core.evaluation.detection.conditions import FRAMES_WH, rotation_matrix
from core.evaluation.detection.landmarks import MIN_IOD_PX
from core.evaluation.detection.matching import inter_ocular_distances
from core.evaluation.detection.report import Latency
from core.evaluation.detection.store import quantize
from core.runtime.timing import median_ms, single_thread

_TIMED_PHOTOS = 12
_TIMED_REPEATS = 3

Image = NDArray[np.uint8]


def detect_photos(
    detector: FaceDetector, photos: Iterable[FacePhoto], longer_side_px: int | None = None
) -> tuple[FaceArrays, ...]:
    """Detect faces in every image, resized to ``longer_side_px`` first; in pixels of the original image."""
    found = []
    for photo in photos:
        image = resize(photo.image, longer_side_px)
        zoom_xy = np.array(image.shape[1::-1]) / np.array(photo.image.shape[1::-1])
        found.append(quantize(FaceArrays.from_detections(detector.detect(image)).scale(1 / zoom_xy)))
    return tuple(found)


def detect_rotated(detector: FaceDetector, photos: Iterable[FacePhoto], degrees: int) -> tuple[FaceArrays, ...]:
    """Detect faces in every image rotated by ``degrees``, in pixels of the rotated image; images without an annotated
    face that counts are skipped."""
    found = []
    for index, photo in enumerate(photos):
        counts = (inter_ocular_distances(photo.annotations.landmarks) >= MIN_IOD_PX).any()
        detections = detector.detect(rotate(photo.image, degrees, index)) if counts else ()
        found.append(quantize(FaceArrays.from_detections(detections)))
    return tuple(found)


def resize(image: Image, longer_side_px: int | None) -> Image:
    """Resize (H, W, 3) to a longer side of ``longer_side_px``; ``None`` keeps the image."""
    if longer_side_px is None:
        return image
    height, width = image.shape[:2]
    zoom = longer_side_px / max(height, width)
    resolution_wh = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    return np.asarray(cv2.resize(image, resolution_wh, interpolation=cv2.INTER_CUBIC), np.uint8)


def rotate(image: Image, degrees: float, index: int) -> Image:
    """Rotate image ``index`` about its centre, on a black canvas that holds all of it."""
    height, width = image.shape[:2]
    matrix, canvas_wh = rotation_matrix((width, height), degrees, index)
    # OpenCV's origin is the centre of the first pixel, the matrix's is its corner.
    matrix[:, 2] += matrix[:, :2] @ np.full(2, 0.5) - 0.5
    return np.asarray(cv2.warpAffine(image, matrix, canvas_wh, flags=cv2.INTER_LINEAR), np.uint8)


def measure_latencies(detector: FaceDetector, photos: Sequence[FacePhoto], live: bool) -> tuple[Latency, ...]:
    """Measure ``detect`` calls for each of ``FRAMES_WH`` on one thread; ``live``: does it have the live settings?"""
    latencies = []
    with single_thread():
        for width, height in FRAMES_WH:
            frames = [fill_frame(photo.image, (width, height)) for photo in photos[:_TIMED_PHOTOS]]
            latencies.append(Latency(live, width, height, median_ms(detector.detect, frames, _TIMED_REPEATS)))
    return tuple(latencies)


def fill_frame(image: Image, frame_wh: tuple[int, int]) -> Image:
    """Resize and centre-crop an image to the shape and size of a video frame."""
    height, width = image.shape[:2]
    zoom = max(frame_wh[0] / width, frame_wh[1] / height)
    resolution_wh = (max(frame_wh[0], round(width * zoom)), max(frame_wh[1], round(height * zoom)))
    whole = cv2.resize(image, resolution_wh, interpolation=cv2.INTER_CUBIC)
    left, top = (resolution_wh[0] - frame_wh[0]) // 2, (resolution_wh[1] - frame_wh[1]) // 2
    return np.ascontiguousarray(whole[top : top + frame_wh[1], left : left + frame_wh[0]], np.uint8)

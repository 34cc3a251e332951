"""Facet's own detector: ``models/architectures/face_detector.py`` served by LiteRT, boxes and five landmarks.

It searches an image pyramid, since the network knows faces of 12 to 240 pixels: the frame with its longer side reduced
to at most ``detail_side_px``, then halved until that side is at most 320 pixels. The levels vote. Frames of less than
``max_side_px`` are enlarged, at most to twice their size. The network takes any size that is a multiple of 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import DETECTOR_ARTIFACT, SERVED_FILE, artifacts_dir, load_card, verified_file
from core.detection.base import LANDMARKS, FaceArrays
from core.detection.decoding import NMS_IOU, STRIDE, decode, logit, sigmoid
from core.errors import ArtifactCorruptError
from core.geometry import iou_matrix
from core.runtime.litert import LiteRTRunners
from core.settings import DetectorSettings
from core.types import Detection

SIZE_MULTIPLE = 16
MIN_CANDIDATE_SCORE = 0.05
_COARSEST_SIDE_PX = 320
_LARGEST_FACE_PX = 128.0
"""In every level but the coarsest, which shows larger faces better."""
_SMALLEST_FACE_PX = 12.0
_SENSITIVITY_LOGITS = (1.0, 0.0, -1.5)
"""What sensitivities of 0, 0.5 and 1 add to the threshold on the logit scale. Easy faces score about 0.75 to 0.9, so
there is less room for being strict."""


class FaceNetwork:
    """The network without the pyramid. Safe to share between threads."""

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        """Raises ``ValueError`` or ``RuntimeError`` if ``content`` is not a LiteRT model with ``serving_default``."""
        self._runners = LiteRTRunners(content, num_threads)

    def predict(self, image: NDArray[np.uint8], min_score: float) -> FaceArrays:
        """(H, W, 3) uint8 BGR, H and W multiples of 16 -> faces before suppression, best first."""
        outputs = self._runners.run(image=image[None])
        return decode(outputs["score"][0], outputs["geometry"][0], min_score, STRIDE).best_first()


class CompactDetector:
    """Faces from about 12 px in the finest level up to the full frame, tilted and in profile too.

    ``score`` is a confidence in [0, 1], not a calibrated probability.
    """

    def __init__(self, network: FaceNetwork, min_score: float, settings: DetectorSettings = DetectorSettings()) -> None:
        """``min_score`` is the score threshold at a sensitivity of 0.5."""
        self._network = network
        self._min_score = score_threshold(min_score, settings.sensitivity)
        self._settings = settings

    @classmethod
    def installed(cls, settings: DetectorSettings = DetectorSettings()) -> CompactDetector:
        """Load the artifact of the detector. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``."""
        folder = artifacts_dir() / DETECTOR_ARTIFACT
        card = load_card(folder)
        file = verified_file(folder, SERVED_FILE, card)
        try:
            return cls(_load_network(file.read_bytes()), card.min_score, settings)
        except (ValueError, RuntimeError) as error:
            raise ArtifactCorruptError(f"{file} is not a valid LiteRT model: {error}") from error

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections with landmarks in frame pixels, best score first."""
        longest_px = max(frame.shape[:2])
        sides_px = pyramid_sizes(longest_px, self._settings.max_side_px, self._settings.detail_side_px)
        # A single level has no vote, so weaker candidates need not be decoded.
        floor = min(MIN_CANDIDATE_SCORE, self._min_score) if len(sides_px) > 1 else self._min_score
        faces = fuse_scales(
            [self._search(frame, side_px, side_px == sides_px[-1], floor) for side_px in sides_px], floor
        )
        large_enough = faces.sizes() >= self._settings.smallest_face_px(longest_px)
        return faces.take(large_enough & (faces.scores >= self._min_score)).to_detections()

    def _search(self, frame: NDArray[np.uint8], side_px: int, coarsest: bool, min_score: float) -> PyramidLevel:
        image, zoom_xy = letterbox(frame, side_px)
        faces = self._network.predict(image, min_score)
        largest_px = np.inf if coarsest else _LARGEST_FACE_PX
        faces = weighted_nms(faces.take(faces.sizes() <= largest_px).scale(1 / zoom_xy))
        zoom = float(zoom_xy.mean())
        return PyramidLevel(faces, (_SMALLEST_FACE_PX / zoom, largest_px / zoom))


@lru_cache(maxsize=1)
def _load_network(content: bytes) -> FaceNetwork:
    """Share one network between all settings: its interpreters keep the memory of the largest image they saw."""
    return FaceNetwork(content)


def weighted_nms(faces: FaceArrays, max_iou: float = NMS_IOU, merge_iou: float = 0.6) -> FaceArrays:
    """Suppress faces, given best first, that overlap a better one by more than ``max_iou``.

    Box and landmarks of a face that stays become the mean, weighted by score, of all that overlap it by ``merge_iou``
    (Bazarevsky et al. 2019, BlazeFace), which reduces jitter between frames.
    """
    overlaps = iou_matrix(faces.xyxy, faces.xyxy)
    count = len(faces)
    free = np.ones(count, bool)
    kept, weights = [], []
    for best in range(count):
        if not free[best]:
            continue
        kept.append(best)
        weight = np.where((overlaps[best] >= merge_iou) & free, faces.scores, 0.0)
        weights.append(weight / weight.sum())
        free &= overlaps[best] <= max_iou
    mixing = np.array(weights).reshape(len(kept), count)
    flat = mixing @ np.concatenate([faces.xyxy, faces.landmarks.reshape(count, 2 * LANDMARKS)], axis=1)
    return FaceArrays(flat[:, :4], faces.scores[kept], flat[:, 4:].reshape(-1, LANDMARKS, 2))


@dataclass(frozen=True)
class PyramidLevel:
    """Faces of one level of an image pyramid in pixels of the whole image, after suppression; ``size_range_px`` are the
    smallest and the largest size, sqrt(w h), that the level can show."""

    faces: FaceArrays
    size_range_px: tuple[float, float]


def fuse_scales(levels: Sequence[PyramidLevel], min_score: float) -> FaceArrays:
    """Fuse the levels of a pyramid to one face for all that show it, best first.

    The fused score is the mean, on the logit scale, over the levels that can show the face; a level without it counts
    with ``min_score``, the lowest score that was decoded. What looks like a face at one scale only is rarely a face.
    """
    faces = weighted_nms(FaceArrays.merge([level.faces for level in levels]).best_first())
    if len(levels) == 1:
        return faces
    sizes = faces.sizes()
    total, votes = np.zeros(len(faces)), np.zeros(len(faces))
    for level in levels:
        smallest_px, largest_px = level.size_range_px
        visible = (smallest_px <= sizes) & (sizes <= largest_px)
        matches = iou_matrix(faces.xyxy, level.faces.xyxy) >= NMS_IOU
        scores = np.where(matches, level.faces.scores, min_score).max(axis=1, initial=min_score)
        total += np.where(visible, logit(scores), 0.0)
        votes += visible
    scores = np.where(votes > 0, sigmoid(total / np.maximum(votes, 1)), faces.scores)
    return FaceArrays(faces.xyxy, scores, faces.landmarks).best_first()


def score_threshold(min_score: float, sensitivity: float) -> float:
    """Compute the score threshold: ``min_score`` at a sensitivity of 0.5, lower for more sensitivity."""
    return float(sigmoid(logit(min_score) + np.interp(sensitivity, (0.0, 0.5, 1.0), _SENSITIVITY_LOGITS)))


def pyramid_sizes(longest_px: int, max_side_px: int, detail_side_px: int) -> tuple[int, ...]:
    """Compute the longer sides of the pyramid's levels, largest first: the frame's, at most ``detail_side_px``, or
    twice the frame's, at most ``max_side_px``; then halved until at most 320."""
    sides_px = [max(min(longest_px, detail_side_px), min(2 * longest_px, max_side_px))]
    while sides_px[-1] > _COARSEST_SIDE_PX:
        sides_px.append(-(-sides_px[-1] // 2))
    return tuple(sides_px)


def letterbox(
    frame: NDArray[np.uint8], side_px: int, multiple: int = SIZE_MULTIPLE
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Zoom a frame to a longer side of ``side_px`` and pad it at the right and bottom to multiples of ``multiple``;
    returns the image and the zoom (x, y)."""
    height, width = frame.shape[:2]
    zoom = side_px / max(height, width)
    new_width, new_height = max(1, round(width * zoom)), max(1, round(height * zoom))
    if zoom != 1.0:
        interpolation = cv2.INTER_AREA if zoom < 1.0 else cv2.INTER_LINEAR
        frame = np.asarray(cv2.resize(frame, (new_width, new_height), interpolation=interpolation), np.uint8)
    right, bottom = -new_width % multiple, -new_height % multiple
    if right or bottom:
        frame = np.asarray(cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_CONSTANT), np.uint8)
    return frame, np.array([new_width / width, new_height / height])

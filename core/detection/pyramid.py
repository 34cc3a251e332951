"""Facet's own detector: ``models/architectures/face_detector.py`` served by LiteRT, boxes and five landmarks.

The network has maps of three strides and so finds faces from 13 px to larger than its input in one pass. Frames of less
than ``_ENLARGED_PX`` are enlarged, at most ``_MAX_ZOOM`` times. Photographs of more than ``_ONE_PASS_PX`` are searched
twice: in detail, and as an overview for the faces that are too large for its receptive field. What either search finds
is looked at once more, see ``core.detection.second_look``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import DETECTOR_ARTIFACT, SERVED_FILE, artifacts_dir, load_card, verified_file
from core.detection.base import FaceArrays
from core.detection.decoding import STRIDES, decode, logit, sigmoid, weighted_nms
from core.detection.second_look import CROP_PX, look_again
from core.errors import ArtifactCorruptError
from core.runtime.litert import LiteRTRunners
from core.settings import DetectorSettings
from core.types import Detection

SIZE_MULTIPLE = max(STRIDES)
MIN_CANDIDATE_SCORE = 0.1
"""Weaker cells take no part in the weighted mean of the cells that found the same face."""
_ENLARGED_PX, _MAX_ZOOM = 640, 1.75
_ONE_PASS_PX = 352
_LEAST_OVERVIEW_PX = 192
_OVERVIEW_SMALLEST_PX, _DETAIL_LARGEST_PX = 40.0, 300.0
"""Sizes, sqrt(w h), that either search may find when there are two; in pixels of its own copy."""
_LOOKED_AT_AGAIN = 0.25
"""Score from which a second look may make a face."""
_KINDS_PX = (CROP_PX, 256, np.inf)
"""Longest sides of crops, overviews and details."""
_SENSITIVITY_LOGITS = (1.0, 0.0, -1.5)
"""What sensitivities of 0, 0.5 and 1 add to the threshold on the logit scale. Easy faces score about 0.75 to 0.9, so
there is less room for being strict."""


class FaceNetwork:
    """The network without the search. Safe to share between threads."""

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        """Raises ``ValueError`` or ``RuntimeError`` if ``content`` is not a LiteRT model with ``serving_default``."""
        # LiteRT plans anew when the input size changes, which takes longer than a search: each kind has its own.
        self._runners = {largest_px: LiteRTRunners(content, num_threads) for largest_px in _KINDS_PX}

    def predict(self, image: NDArray[np.uint8], min_score: float) -> FaceArrays:
        """(H, W, 3) uint8 BGR, H and W multiples of 32 -> faces before suppression, best first."""
        runners = next(runners for px, runners in self._runners.items() if max(image.shape[:2]) <= px)
        outputs = runners.run(image=image[None])
        maps = [(outputs[f"score_{stride}"][0], outputs[f"geometry_{stride}"][0], stride) for stride in STRIDES]
        return FaceArrays.merge(
            [decode(scores, geometry, min_score, stride) for scores, geometry, stride in maps]
        ).best_first()


class PyramidDetector:
    """Faces from 13 px of the searched copy to larger than the frame, rotated by up to 60 degrees, and in profile.

    ``score`` is a confidence in [0, 1], not a calibrated probability.
    """

    def __init__(self, network: FaceNetwork, min_score: float, settings: DetectorSettings = DetectorSettings()) -> None:
        """``min_score`` is the score threshold at a sensitivity of 0.5."""
        self._network = network
        self._min_score = score_threshold(min_score, settings.sensitivity)
        self._settings = settings

    @classmethod
    def installed(cls, settings: DetectorSettings = DetectorSettings()) -> PyramidDetector:
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
        settings, longest_px = self._settings, max(frame.shape[:2])
        enlarged_px = min(round(_MAX_ZOOM * longest_px), _ENLARGED_PX)
        side_px = min(max(longest_px, enlarged_px), settings.detail_side_px)
        # Enlarging does not make faces out of a few pixels.
        smallest_px = settings.min_searched_px * max(1.0, side_px / longest_px)
        if side_px <= _ONE_PASS_PX:
            faces = self._search(frame, side_px, smallest_px, np.inf)
        else:
            detail = self._search(frame, side_px, smallest_px, _DETAIL_LARGEST_PX)
            # So large that the smallest faces here are the largest ones there.
            overview_px = max(round(side_px * _OVERVIEW_SMALLEST_PX / _DETAIL_LARGEST_PX), _LEAST_OVERVIEW_PX)
            overview = self._search(frame, overview_px, _OVERVIEW_SMALLEST_PX, np.inf)
            faces = FaceArrays.merge([detail, overview]).best_first()
        looked_at = self._min_score if settings.second_look_only_confirms else min(_LOOKED_AT_AGAIN, self._min_score)
        faces = weighted_nms(faces, looked_at)
        faces = faces.take(faces.sizes() >= settings.min_face_px)
        sure = faces.scores >= settings.second_look_below
        doubted = faces.take(~sure)
        again = look_again(self._network.predict, frame, doubted)
        if settings.second_look_only_confirms:
            again = replace(again, scores=np.minimum(again.scores, doubted.scores))
        faces = FaceArrays.merge([faces.take(sure), again]).best_first()
        return faces.take(faces.scores >= self._min_score).to_detections()

    def _search(self, frame: NDArray[np.uint8], side_px: int, smallest_px: float, largest_px: float) -> FaceArrays:
        """Search one copy for faces of the given sizes in its pixels; returned in frame pixels."""
        image, zoom_xy = letterbox(frame, side_px)
        faces = self._network.predict(image, min(MIN_CANDIDATE_SCORE, self._min_score))
        sizes = faces.sizes()
        return faces.take((smallest_px <= sizes) & (sizes <= largest_px)).scale(1 / zoom_xy)


@lru_cache(maxsize=1)
def _load_network(content: bytes) -> FaceNetwork:
    """Share one network between all settings: its interpreters keep the memory of the largest image they saw."""
    return FaceNetwork(content)


def score_threshold(min_score: float, sensitivity: float) -> float:
    """Compute the score threshold: ``min_score`` at a sensitivity of 0.5, lower for more sensitivity."""
    return float(sigmoid(logit(min_score) + np.interp(sensitivity, (0.0, 0.5, 1.0), _SENSITIVITY_LOGITS)))


def letterbox(
    frame: NDArray[np.uint8], side_px: int, multiple: int = SIZE_MULTIPLE
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Zoom a frame to a longer side of ``side_px`` and pad it at the right and bottom to multiples of ``multiple``;
    returns the image and the zoom (x, y)."""
    height, width = frame.shape[:2]
    zoom = side_px / max(height, width)
    new_width, new_height = max(1, round(width * zoom)), max(1, round(height * zoom))
    # Averages of exactly four pixels are fast; what is left is too little for linear interpolation to alias.
    while min(frame.shape[0] / new_height, frame.shape[1] / new_width) >= 2:
        halved = (frame.shape[1] + 1) // 2, (frame.shape[0] + 1) // 2
        frame = np.asarray(cv2.resize(frame, halved, interpolation=cv2.INTER_AREA), np.uint8)
    if frame.shape[:2] != (new_height, new_width):
        frame = np.asarray(cv2.resize(frame, (new_width, new_height), interpolation=cv2.INTER_LINEAR), np.uint8)
    right, bottom = -new_width % multiple, -new_height % multiple
    if right or bottom:
        frame = np.asarray(cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_CONSTANT), np.uint8)
    return frame, np.array([new_width / width, new_height / height])

"""Our own detector: ``models/architectures/face_detector.py`` served by LiteRT, boxes and five landmarks.

It reads a copy of the frame whose longer side is at most ``detail_side_px``; if that is more than 320 pixels, copies
of half the size too, since the network knows faces of 12 to 240 pixels, and the copies vote. Frames of less than
``max_side_px`` are enlarged, at most to twice their size. The served file takes any size that is a multiple of 16.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import DETECTOR_ARTIFACT, SERVED_FILE, artifacts_dir, load_card, verified_file
from core.detection.decoding import FoundCells, SearchedCopy, agreed, blended, decode, logit, sigmoid
from core.errors import ArtifactCorruptError
from core.runtime.litert import LiteRTRunners
from core.settings import DetectorSettings
from core.types import Box, Detection, Landmarks

_MULTIPLE = 16
_LARGEST_LAST_PX = 320
_LARGEST_BUT_LAST_PX = 128.0
_SMALLEST_PX = 12.0
_FAINTEST = 0.05
_MOVED_LOGITS = (1.0, 0.0, -1.5)
"""What sensitivities of 0, 0.5 and 1 add to the threshold on the logit scale. Plain faces score about 0.75 to 0.9, so
there is less room for being strict."""


class LiteRTFaces:
    """The network alone: an image in, decoded faces out. Safe to share between threads."""

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        """Raises ``ValueError`` or ``RuntimeError`` if ``content`` is no LiteRT model with ``serving_default``."""
        self._runners = LiteRTRunners(content, num_threads)

    def find(self, image: NDArray[np.uint8], min_score: float) -> FoundCells:
        """(H, W, 3) uint8 BGR, H and W multiples of 16 -> what its cells answer, best first."""
        output = self._runners.run(image=image[None])
        return decode(output["score"][0], output["geometry"][0], min_score)


class CompactDetector:
    """Faces from about 12 px in the searched copy up to the full frame, tilted and in profile too.

    ``score`` is a confidence in [0, 1], not a calibrated probability.
    """

    def __init__(self, network: LiteRTFaces, min_score: float, settings: DetectorSettings = DetectorSettings()) -> None:
        """``min_score`` is the score from which a box counts at the middle of the sensitivity."""
        self._network = network
        self._min_score = threshold(min_score, settings.sensitivity)
        self._settings = settings

    @classmethod
    def installed(cls, settings: DetectorSettings = DetectorSettings()) -> CompactDetector:
        """The one in the artifacts folder. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``."""
        folder = artifacts_dir() / DETECTOR_ARTIFACT
        card = load_card(folder)
        file = verified_file(folder, SERVED_FILE, card)
        try:
            return cls(_network(file.read_bytes()), card.min_score, settings)
        except (ValueError, RuntimeError) as error:
            raise ArtifactCorruptError(f"{file} is no LiteRT model: {error}") from error

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections with landmarks in frame pixels, best score first."""
        sides_px = searched_sides(max(frame.shape[:2]), self._settings.max_side_px, self._settings.detail_side_px)
        # A single copy is not voted on: what it does not show well enough need not be looked at.
        faintest = min(_FAINTEST, self._min_score) if len(sides_px) > 1 else self._min_score
        faces = agreed(
            [self._searched(frame, side_px, side_px == sides_px[-1], faintest) for side_px in sides_px], faintest
        )
        faces = faces.take(faces.scores >= self._min_score)
        faces = faces.take(faces.sizes() >= self._settings.smallest_face_px(max(frame.shape[:2])))
        return tuple(
            Detection(Box(*box), score, _landmarks(five))
            for box, score, five in zip(faces.xyxy.tolist(), faces.scores.tolist(), faces.points.tolist(), strict=True)
        )

    def _searched(self, frame: NDArray[np.uint8], side_px: int, last: bool, faintest: float) -> SearchedCopy:
        image, zoom_xy = searched_copy(frame, side_px)
        faces = self._network.find(image, faintest)
        largest_px = np.inf if last else _LARGEST_BUT_LAST_PX
        faces = blended(faces.take(faces.sizes() <= largest_px).divided(zoom_xy))
        zoom = float(zoom_xy.mean())
        return SearchedCopy(faces, (_SMALLEST_PX / zoom, largest_px / zoom))


@lru_cache(maxsize=1)
def _network(content: bytes) -> LiteRTFaces:
    """The same for all settings, of which it knows nothing: it keeps the memory of the largest picture that it saw."""
    return LiteRTFaces(content)


def threshold(min_score: float, sensitivity: float) -> float:
    """Score from which a box counts: ``min_score`` at 0.5, higher for less and lower for more sensitivity."""
    moved = logit(min_score) + np.interp(sensitivity, (0.0, 0.5, 1.0), _MOVED_LOGITS)
    return float(sigmoid(moved))


def searched_sides(longest_px: int, max_side_px: int, detail_side_px: int) -> tuple[int, ...]:
    """Longer sides of the copies that are searched, largest first: the picture's, at most ``detail_side_px``, or twice
    the picture's, at most ``max_side_px``; then halved until at most 320."""
    sides_px = [max(min(longest_px, detail_side_px), min(2 * longest_px, max_side_px))]
    while sides_px[-1] > _LARGEST_LAST_PX:
        sides_px.append(-(-sides_px[-1] // 2))
    return tuple(sides_px)


def searched_copy(frame: NDArray[np.uint8], side_px: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The frame with its longer side zoomed to ``side_px``, padded at the right and bottom to multiples of 16; and the
    zoom (x, y)."""
    height, width = frame.shape[:2]
    zoom = side_px / max(height, width)
    wide, high = max(1, round(width * zoom)), max(1, round(height * zoom))
    if zoom != 1.0:
        kind = cv2.INTER_AREA if zoom < 1.0 else cv2.INTER_LINEAR
        frame = np.asarray(cv2.resize(frame, (wide, high), interpolation=kind), np.uint8)
    right, bottom = -wide % _MULTIPLE, -high % _MULTIPLE
    if right or bottom:
        frame = np.asarray(cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_CONSTANT), np.uint8)
    return frame, np.array([wide / width, high / height])


def _landmarks(five: list[list[float]]) -> Landmarks:
    left_eye, right_eye, nose, left_mouth, right_mouth = ((x, y) for x, y in five)
    return Landmarks(left_eye, right_eye, nose, left_mouth, right_mouth)

"""Haar cascade (Viola & Jones 2001; Lienhart's ``alt2``) that comes with OpenCV: no download, frontal faces only.

Tuned on 399 web photographs with annotated eyes (at least 9 px apart): with scale factor 1.1, ``alt2`` at four
neighbours has a recall of 0.85 at 0.04 false positives per image (256 px), and 0.90 at 0.15 with the images enlarged to
640 px; equalising the histogram first makes both worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DetectorError
from core.runtime.pool import Pool
from core.settings import DetectorSettings
from core.types import Box, Detection

DEFAULT_CASCADE = "haarcascade_frontalface_alt2.xml"
_SCALE_FACTOR = 1.1
_MOST_NEIGHBORS = 7
_WINDOW_PX = 20
_HALF_SCORE_NEIGHBORS = 3.0


class HaarDetector:
    """Frontal faces as square boxes from above the brows to the chin.

    ``score`` is 1 - 2^(-n/3) for n merged windows: a ranking in [0, 1), not a probability. ``cascade`` is the name of
    one of the files that come with OpenCV.
    """

    def __init__(self, settings: DetectorSettings = DetectorSettings(), cascade: str = DEFAULT_CASCADE) -> None:
        self._settings = settings
        self._min_neighbors = min_neighbors(settings.sensitivity)
        self._file = Path(cv2.__file__).parent / "data" / cascade
        # A classifier keeps scratch buffers, so two calls must not share one.
        self._classifiers = Pool(self._open)

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections in frame pixels, best score first."""
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        zoom = min(1.0, self._settings.max_side_px / max(grey.shape))
        if min(grey.shape) * zoom < _WINDOW_PX:
            return ()
        if zoom < 1.0:
            grey = cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        smallest = max(_WINDOW_PX, round(self._settings.smallest_face_px(max(frame.shape[:2])) * zoom))
        with self._classifiers.borrow() as classifier:
            boxes, neighbors = classifier.detectMultiScale2(
                grey, scaleFactor=_SCALE_FACTOR, minNeighbors=self._min_neighbors, minSize=(smallest, smallest)
            )
        found = [_detection(box, count, zoom) for box, count in zip(boxes, neighbors, strict=True)]
        return tuple(sorted(found, key=lambda detection: -detection.score))

    def _open(self) -> cv2.CascadeClassifier:
        classifier = cv2.CascadeClassifier(str(self._file))
        if classifier.empty():
            raise DetectorError(f"{self._file} is not a cascade. Reinstall opencv-python-headless 4.x: make clean run")
        return classifier


def _detection(box: Sequence[int], neighbors: int, zoom: float) -> Detection:
    x, y, width, height = (float(value) / zoom for value in box)
    return Detection(Box(x, y, x + width, y + height), score_of(neighbors))


def min_neighbors(sensitivity: float) -> int:
    """Compute how many windows must agree: 7 at sensitivity 0, 4 at 0.5, 1 at 1."""
    return 1 + round((_MOST_NEIGHBORS - 1) * (1 - sensitivity))


def score_of(neighbors: int) -> float:
    """Compute the score of ``neighbors`` merged windows."""
    return 1 - 2 ** (-float(neighbors) / _HALF_SCORE_NEIGHBORS)

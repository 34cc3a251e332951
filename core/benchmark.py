"""Milliseconds of every stage on one thread: decode, detection, crop, each model for one face, and the whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analyzer import SERVED_ARTIFACTS, FaceAnalyzer
from core.artifact import artifacts_dir
from core.crops import crop_faces
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.estimator import LiteRTEstimator
from core.images import decode, encode_png
from core.settings import LIVE_DETECTOR, DetectorSettings
from core.types import Box, Detection

_FRAME_WH = (640, 480)
_FACE = Box(220, 120, 420, 320)
_WARM_UP_RUNS = 5


class _KnownFaces:
    """Detector stand-in that answers ``count`` faces at once, so that the networks' share does not hang on a find."""

    def __init__(self, count: int) -> None:
        self._detections = tuple(Detection(_FACE, 0.9) for _ in range(count))

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        return self._detections


def run_benchmark(repeats: int = 50) -> dict[str, Any]:
    """Stage -> median and 95th percentile over ``repeats`` runs. Raises ``ArtifactError`` or ``DetectorError``."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        stages = {name: _timed(work, repeats) for name, work in _stages().items()}
    finally:
        cv2.setNumThreads(threads)
    width, height = _FRAME_WH
    return {"repeats": repeats, "threads": 1, "frame": f"{width}x{height}", "stages": stages}


def _stages() -> dict[str, Callable[[], object]]:
    frame = _frame()
    photo_detector = create_detector(DEFAULT_DETECTOR, DetectorSettings())
    detector = create_detector(DEFAULT_DETECTOR, LIVE_DETECTOR)
    stages: dict[str, Callable[[], object]] = {
        "decode": partial(decode, encode_png(frame)),
        "detect": partial(detector.detect, frame),
        "detect, settings for photos": partial(photo_detector.detect, frame),
    }
    estimators = [LiteRTEstimator(artifacts_dir() / name) for name in SERVED_ARTIFACTS]
    for estimator in estimators:
        card = estimator.card
        crop = partial(crop_faces, frame, [_FACE], card.crop, card.input_size, card.channels)
        stages[f"crop for {card.name}"] = crop
        stages[f"{card.name}, one face"] = partial(estimator.predict, crop())
    for count in (1, 3):
        networks = FaceAnalyzer(_KnownFaces(count), estimators)
        stages[f"all but detection, {count} face{'s' * (count > 1)}"] = partial(networks.analyze, frame)
    stages["whole, 1 face"] = partial(FaceAnalyzer(_Both(detector), estimators).analyze, frame)
    return stages


class _Both:
    """Pays for a real search and then answers one known face, as the synthetic frame shows none."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        self._detector.detect(frame)
        return (Detection(_FACE, 0.9),)


def _frame() -> NDArray[np.uint8]:
    """A smooth random scene: enough structure to keep a cascade busy, the same in every run."""
    rng = np.random.default_rng(0)
    width, height = _FRAME_WH
    coarse = rng.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return cv2.resize(coarse, _FRAME_WH, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _timed(work: Callable[[], object], repeats: int) -> dict[str, float]:
    for _ in range(_WARM_UP_RUNS):
        work()
    elapsed_ms = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        work()
        elapsed_ms.append((time.perf_counter() - start_s) * 1000)
    return {"median_ms": float(np.median(elapsed_ms)), "p95_ms": float(np.percentile(elapsed_ms, 95))}

"""Time every stage from image to result on one thread; the Haar cascade runs beside it for comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analyzer import FaceAnalyzer
from core.attributes.alignment import align_faces
from core.attributes.catalog import load_networks
from core.attributes.quality import installed_settings
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.errors import ConfigError
from core.io.images import decode, encode_png
from core.runtime.timing import single_thread, time_calls
from core.settings import DEFAULT_NETWORKS, LIVE_DETECTOR, DetectorSettings, NetworkChoice
from core.types import Box, Detection, Landmarks

Stages = dict[str, Callable[[], object]]

_FRAME_WH = (640, 480)
_FACES = (Box(220, 120, 420, 320), Box(40, 100, 160, 240), Box(470, 180, 600, 330))
_POINTS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
"""Landmarks as shares of the box."""
_REFERENCE = "haar"
_WITHOUT_LANDMARKS = ("haar",)


class _KnownFaces:
    """Finds the same faces in every frame, because the synthetic one shows none; with ``search``, after running it."""

    def __init__(self, faces: Sequence[Detection], search: FaceDetector | None = None) -> None:
        self._faces = tuple(faces)
        self._search = search

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        if self._search is not None:
            self._search.detect(frame)
        return self._faces


def run_benchmark(
    repeats: int = 50,
    detector_name: str = DEFAULT_DETECTOR,
    progress: Callable[[float], object] = lambda share: None,
    choice: NetworkChoice = DEFAULT_NETWORKS,
) -> dict[str, Any]:
    """Time each stage ``repeats`` times; waits for a measurement that another thread runs.

    ``stages``: name -> median and 95th percentile in ms. ``shares``: whole -> stage -> median share of the whole, in
    [0, 1]. ``times_as_fast_as_haar``: detection -> ratio of medians, both with the same settings. ``progress`` gets the
    share done, in (0, 1]. Raises ``ArtifactError``, ``DetectorError`` or ``ConfigError``.
    """
    if repeats < 1:
        raise ConfigError(f"repeats must be at least 1, got {repeats}")
    parts: dict[str, list[Mapping[str, float]]] = {}
    with single_thread():
        elapsed_ms = time_calls(_stages(detector_name, choice, parts), repeats, progress=progress)
    stages = {
        name: {"median_ms": float(np.median(values)), "p95_ms": float(np.percentile(values, 95))}
        for name, values in elapsed_ms.items()
    }
    width, height = _FRAME_WH
    return {
        "repeats": repeats,
        "threads": 1,
        "frame": f"{width}x{height}",
        "detector": detector_name,
        "networks": choice.by_attribute,
        "stages": stages,
        "shares": {name: _shares(stage_ms[-repeats:], elapsed_ms[name]) for name, stage_ms in parts.items()},
        "times_as_fast_as_haar": _ratios(stages),
    }


def _stages(detector_name: str, choice: NetworkChoice, parts: dict[str, list[Mapping[str, float]]]) -> Stages:
    """Return every stage; the milliseconds within each call of a "whole" are added to ``parts``."""
    frame = _frame()
    stages: Stages = {"decode": partial(decode, encode_png(frame))}
    stages |= _searches(frame, detector_name)
    detector = create_detector(detector_name, LIVE_DETECTOR)
    faces = [_known_face(box, landmarks=detector_name not in _WITHOUT_LANDMARKS) for box in _FACES]
    networks = load_networks(choice)
    for network in dict.fromkeys(networks.values()):
        card = network.card
        crop = partial(align_faces, frame, faces[:1], card.crop, card.input_size, card.channels)
        stages[f"crop for {card.name}"] = crop
        stages[f"{card.name}, one face"] = partial(network.predict, crop().crops)
    for name, search in (("all but detection", None), ("whole", detector)):
        for count in (1, 3):
            analyzer = FaceAnalyzer(_KnownFaces(faces[:count], search), networks, installed_settings())
            stage = f"{name}, {count} face{'s' * (count > 1)}"
            stages[stage] = partial(analyzer.analyze, frame)
            if search is not None:
                stages[stage] = partial(_analyze, analyzer, frame, parts.setdefault(stage, []))
    return stages


def _analyze(analyzer: FaceAnalyzer, frame: NDArray[np.uint8], parts: list[Mapping[str, float]]) -> None:
    parts.append(analyzer.analyze(frame).stage_ms)


def _searches(frame: NDArray[np.uint8], detector_name: str) -> Stages:
    """Return detection with the settings for live video and for photos, by the detector and by the reference."""
    stages: Stages = {}
    for name in dict.fromkeys((detector_name, _REFERENCE)):
        for stage, settings in (("detect", LIVE_DETECTOR), ("detect, settings for photos", DetectorSettings())):
            suffix = "" if name == detector_name else f", {name}"
            stages[stage + suffix] = partial(create_detector(name, settings).detect, frame)
    return stages


def _known_face(box: Box, landmarks: bool) -> Detection:
    points = ((box.x1 + u * box.width, box.y1 + v * box.height) for u, v in _POINTS)
    return Detection(box, 0.9, Landmarks(*points) if landmarks else None)


def _shares(stage_ms: Sequence[Mapping[str, float]], whole_ms: Sequence[float]) -> dict[str, float]:
    """Return the median share of each stage over the runs; ``rest`` is what no stage accounts for."""
    shares = {
        stage: float(np.median([parts[stage] / whole for parts, whole in zip(stage_ms, whole_ms, strict=True)]))
        for stage in stage_ms[0]
    }
    return shares | {"rest": max(0.0, 1 - sum(shares.values()))}


def _ratios(times: dict[str, dict[str, float]]) -> dict[str, float]:
    suffix = f", {_REFERENCE}"
    compared = [name.removesuffix(suffix) for name in times if name.endswith(suffix)]
    return {name: times[name + suffix]["median_ms"] / times[name]["median_ms"] for name in compared}


def _frame() -> NDArray[np.uint8]:
    """Make a smooth random scene: enough structure to keep a cascade busy, the same in every run."""
    rng = np.random.default_rng(0)
    width, height = _FRAME_WH
    coarse = rng.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return cv2.resize(coarse, _FRAME_WH, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)

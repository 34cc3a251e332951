"""Run detectors over test sets: what they find, and how long they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.datasets.faces import FacePhoto
from core.detection.base import FaceArrays, FaceDetector
from core.detection.orientation import search_orientations
from core.evaluation.detection.conditions import FRAMES_WH, Run, vary_for
from core.evaluation.detection.report import DetectorInfo, Latency
from core.evaluation.detection.results import SetResults
from core.evaluation.detection.store import quantize
from core.evaluation.detection.variants import Image, Variant, fill_frame
from core.runtime.timing import median_ms, single_thread

_TIMED_REPEATS = 40


@dataclass(frozen=True)
class Detectors:
    """One detector with the settings of photographs and of live video."""

    photo: FaceDetector
    live: FaceDetector


@dataclass(frozen=True)
class Candidate:
    """A detector as it is in the ``app``, with the score threshold ``min_score``, and at a ``low_threshold`` that
    shows what higher ones would leave."""

    title: str
    min_score: float
    app: Detectors
    low_threshold: Detectors


def run_set(photos: Iterable[FacePhoto], runs: Sequence[Run], candidates: Mapping[str, Candidate]) -> SetResults:
    """Make every run of every candidate over a test set; each image is read once."""
    images = []
    found: dict[str, dict[str, list[FaceArrays]]] = {name: {run.name: [] for run in runs} for name in candidates}
    for index, photo in enumerate(photos):
        images.append(photo.annotations)
        for run in runs:
            variant = run.vary(photo.image, index)
            for name, candidate in candidates.items():
                found[name][run.name].append(_detect(candidate, run, variant))
    return SetResults(
        tuple(images), {name: {run: tuple(faces) for run, faces in by_run.items()} for name, by_run in found.items()}
    )


def _detect(candidate: Candidate, run: Run, variant: Variant) -> FaceArrays:
    if run.any_way_up:
        # Which way up is right is decided at the app's threshold.
        detections, _ = search_orientations(candidate.app.photo, variant.image)
    else:
        detector = candidate.low_threshold.live if run.live else candidate.low_threshold.photo
        detections = detector.detect(variant.image)
    faces = FaceArrays.from_detections(detections)
    if not run.landmarks:
        # No metric needs them, and they are most of the stored file.
        faces = FaceArrays(faces.xyxy, faces.scores, np.full_like(faces.landmarks, np.nan))
    return quantize(variant.to_original(faces))


def detect_photos(
    detector: FaceDetector, photos: Iterable[FacePhoto], longer_side_px: int | None = None
) -> tuple[FaceArrays, ...]:
    """Detect faces in every image, resized to ``longer_side_px`` first; in pixels of the original image."""
    both, run = Detectors(detector, detector), Run("", vary_for(longer_side_px), landmarks=True)
    candidate = Candidate("", 0.0, both, both)
    return tuple(_detect(candidate, run, run.vary(photo.image, index)) for index, photo in enumerate(photos))


def describe(candidate: Candidate, scene: Image | None) -> DetectorInfo:
    """Return what a report says about a candidate; without a ``scene`` for ``measure_latencies`` no times."""
    latencies = () if scene is None else measure_latencies(candidate, scene)
    return DetectorInfo(candidate.title, candidate.min_score, latencies)


def measure_latencies(candidate: Candidate, scene: Image) -> tuple[Latency, ...]:
    """Time ``detect`` calls on a scene (H, W, 3) in each size of ``FRAMES_WH``, on one thread, with both settings."""
    latencies = []
    with single_thread():
        for live, detector in ((False, candidate.app.photo), (True, candidate.app.live)):
            for width, height in FRAMES_WH:
                frame = fill_frame(scene, (width, height))
                latencies.append(Latency(live, width, height, median_ms(detector.detect, [frame], _TIMED_REPEATS)))
    return tuple(latencies)

"""Detections -> reports. Means are rounded to a millionth, so that every processor gives the same report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import Annotations
from core.datasets.samples import fingerprint
from core.detection.base import FaceArrays
from core.evaluation.detection.conditions import (
    CONDITIONS,
    ORIGINAL,
    ROTATIONS_DEG,
    low_threshold_run,
    rotate_points,
    rotation_run,
)
from core.evaluation.detection.landmarks import MIN_IOD_PX, SIZE_LABELS, measure_landmarks, round_metric, size_bin
from core.evaluation.detection.matching import (
    UNMATCHED,
    concatenate,
    inter_ocular_distances,
    match_image,
    match_landmarks,
)
from core.evaluation.detection.report import (
    ConditionReport,
    DetectionReport,
    DetectorReport,
    GroupRecall,
    Latency,
    RecallCurve,
)
from core.evaluation.intervals import MetricValue, wilson_interval
from core.geometry import sizes

MIN_BOX_PX = 16.0
"""Annotated boxes with a smaller shorter side do not count as missed."""
_CURVE_POINTS = 120

Images = Sequence[Annotations]
Found = Sequence[FaceArrays]
"""Detections of each image, best first."""
Runs = Mapping[str, Found]
"""Name of the run, see ``core.evaluation.detection.conditions`` -> detections."""


def is_web(image_id: str) -> bool:
    return image_id.startswith("web_")


def detection_report(
    images: Images, runs: Mapping[str, Runs], titles: Mapping[str, str], latencies: Mapping[str, tuple[Latency, ...]]
) -> DetectionReport:
    """Report on all detectors; ``runs``, ``titles`` and ``latencies`` are by name of the detector."""
    return DetectionReport(
        images=len(images),
        web_images=sum(is_web(image.id) for image in images),
        fingerprint=fingerprint(image.id for image in images),
        detectors={
            name: detector_report(images, by_run, titles[name], latencies.get(name, ()))
            for name, by_run in runs.items()
        },
    )


def recompute(report: DetectionReport, images: Images, runs: Mapping[str, Runs]) -> DetectionReport:
    """Compute the report again from ``runs``; titles and latencies are taken from ``report``."""
    old = report.detectors
    titles = {name: old[name].title if name in old else name for name in runs}
    return detection_report(images, runs, titles, {name: detector.latencies for name, detector in old.items()})


def detector_report(images: Images, runs: Runs, title: str, latencies: tuple[Latency, ...] = ()) -> DetectorReport:
    """Report on one detector; conditions and rotations without a run are left out."""
    conditions = {}
    for condition in CONDITIONS:
        if condition.name in runs:
            report = condition_report(images, runs[condition.name])
            low_threshold = runs.get(low_threshold_run(condition.name))
            curve = None if low_threshold is None else recall_curve(images, low_threshold)
            conditions[condition.name] = replace(report, curve=curve)
    return DetectorReport(title, conditions, _by_rotation(images, runs), latencies)


def condition_report(images: Images, found: Found) -> ConditionReport:
    """Report on one run over all images, without a curve."""
    matches = [match_image(faces, image) for faces, image in zip(found, images, strict=True)]
    iod_px = concatenate([inter_ocular_distances(image.landmarks) for image in images], ())
    hit = _concatenate_flags([match.landmark_matches != UNMATCHED for match in matches])
    box_hit = _concatenate_flags([match.box_matches != UNMATCHED for match in matches])
    box_px = concatenate([sizes(image.boxes) for image in images], (2,)).min(axis=1)
    web = [match for match, image in zip(matches, images, strict=True) if is_web(image.id)]
    size = size_bin(iod_px)
    return ConditionReport(
        recall=_recall(hit[iod_px >= MIN_IOD_PX]),
        by_size=tuple(GroupRecall(label, _recall(hit[size == row])) for row, label in enumerate(SIZE_LABELS)),
        street_recall=_recall(box_hit[box_px >= MIN_BOX_PX]),
        fppi_web=_per_image([match.false_positives for match in web]),
        fppi=_per_image([match.false_positives for match in matches]),
        duplicates=_per_image([match.duplicates for match in matches]),
        landmarks=measure_landmarks(images, found, matches),
        curve=None,
    )


def recall_curve(images: Images, found: Found) -> RecallCurve:
    """Sweep the score threshold of a run with low thresholds; at most 120 thresholds, falling."""
    matches = [match_image(faces, image) for faces, image in zip(found, images, strict=True)]
    true_scores = []
    for faces, match, image in zip(found, matches, images, strict=True):
        rows = match.landmark_matches[inter_ocular_distances(image.landmarks) >= MIN_IOD_PX]
        true_scores.append(np.where(rows == UNMATCHED, -1.0, np.append(faces.scores, 0.0)[rows]))
    true = np.sort(concatenate(true_scores, ()))
    false = np.sort(concatenate([f.scores[m.false_positives] for f, m in zip(found, matches, strict=True)], ()))
    scores = np.unique(concatenate([faces.scores for faces in found], ()))[::-1]
    rows = np.unique(np.linspace(0, len(scores) - 1, min(len(scores), _CURVE_POINTS)).round().astype(int))
    thresholds = scores[rows]
    true_positives = len(true) - np.searchsorted(true, thresholds)
    false_positives = len(false) - np.searchsorted(false, thresholds)
    return RecallCurve(
        tuple(round_metric(value) for value in thresholds),
        tuple(round_metric(value / max(len(images), 1)) for value in false_positives),
        tuple(round_metric(value / max(len(true), 1)) for value in true_positives),
    )


def _by_rotation(images: Images, runs: Runs) -> tuple[GroupRecall, ...]:
    groups = []
    for degrees in (0, *ROTATIONS_DEG):
        name = rotation_run(degrees) if degrees else ORIGINAL.name
        if name not in runs:
            continue
        hits = []
        for index, (faces, image) in enumerate(zip(runs[name], images, strict=True)):
            landmarks = rotate_points(image.landmarks, image.resolution_wh, degrees, index)
            counts = inter_ocular_distances(image.landmarks) >= MIN_IOD_PX
            hits.append((match_landmarks(faces.xyxy, landmarks) != UNMATCHED)[counts])
        groups.append(GroupRecall(f"{degrees}°", _recall(_concatenate_flags(hits))))
    return tuple(groups)


def _concatenate_flags(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.concatenate([np.zeros(0, bool), *parts])


def _recall(hit: NDArray[np.bool_]) -> MetricValue:
    return wilson_interval(int(hit.sum()), len(hit))


def _per_image(flags: Sequence[NDArray[np.bool_]]) -> float:
    """Count set flags per image, 0 without images."""
    return round_metric(sum(int(image.sum()) for image in flags) / max(len(flags), 1))

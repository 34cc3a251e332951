"""Detections -> reports. Means are rounded to a millionth, so that every processor gives the same report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import Annotations
from core.datasets.samples import fingerprint
from core.detection.base import FaceArrays
from core.evaluation.detection.conditions import (
    CONDITIONS,
    FACES,
    ORIGINAL,
    PORTRAITS,
    ROTATIONS_DEG,
    rotation_run,
)
from core.evaluation.detection.figures import measure_figures
from core.evaluation.detection.landmarks import (
    MIN_IOD_PX,
    SIZE_LABELS,
    YAW_LABELS,
    estimate_yaw,
    measure_landmarks,
    round_metric,
    size_bin,
    yaw_bin,
)
from core.evaluation.detection.matching import (
    UNMATCHED,
    concatenate,
    inter_ocular_distances,
    match_image,
    match_landmarks,
    match_portrait,
)
from core.evaluation.detection.report import (
    ConditionReport,
    DetectionReport,
    DetectorInfo,
    DetectorReport,
    GroupRecall,
    OperatingPoint,
    RecallCurve,
)
from core.evaluation.detection.results import Found, Results, Runs, SetResults
from core.evaluation.intervals import MetricValue, wilson_interval
from core.geometry import sizes

MIN_BOX_PX = 16.0
"""Annotated boxes with a smaller shorter side do not count as missed."""
MATCHED_FPPI = 0.10
"""False positives per web image at which detectors are compared."""
_CURVE_POINTS = 120

Images = Sequence[Annotations]


def is_web(image_id: str) -> bool:
    return image_id.startswith("web_")


def detection_report(results: Results, detectors: Mapping[str, DetectorInfo]) -> DetectionReport:
    """Report on all detectors by name."""
    images = results[FACES].images if FACES in results else ()
    return DetectionReport(
        images=len(images),
        web_images=sum(is_web(image.id) for image in images),
        fingerprint=fingerprint(image.id for image in images),
        sets={name: len(part.images) for name, part in results.items()},
        detectors={name: detector_report(results, name, info) for name, info in detectors.items()},
    )


def recompute(report: DetectionReport, results: Results) -> DetectionReport:
    """Compute the report again from ``results``; titles, thresholds and latencies are taken from ``report``."""
    infos = {
        name: DetectorInfo(old.title, old.default.min_score, old.latencies) for name, old in report.detectors.items()
    }
    return detection_report(results, infos)


def detector_report(results: Results, detector: str, info: DetectorInfo) -> DetectorReport:
    """Report on one detector; what was not run is left out."""
    curves, matched = {}, None
    if FACES in results:
        images, runs = results[FACES].of(detector)
        curves = {
            condition.name: recall_curve(images, runs[condition.name])
            for condition in CONDITIONS
            if condition.name in runs
        }
        matched = operating_point(results, detector, score_at_fppi(images, runs[ORIGINAL.name]), info)
    return DetectorReport(
        info.title, operating_point(results, detector, info.min_score, info), matched, curves, info.latencies
    )


def operating_point(results: Results, detector: str, min_score: float, info: DetectorInfo) -> OperatingPoint:
    """Report on the detections of one detector with scores of at least ``min_score``."""
    kept = {
        name: SetResults(part.images, {detector: keep_scores(part.found[detector], min_score)})
        for name, part in results.items()
    }
    conditions: dict[str, ConditionReport] = {}
    rotations: tuple[GroupRecall, ...] = ()
    yaw: tuple[GroupRecall, ...] = ()
    if FACES in kept:
        images, runs = kept[FACES].of(detector)
        named = [condition.name for condition in CONDITIONS if condition.name in runs]
        conditions = {name: condition_report(images, runs[name]) for name in named}
        rotations = _by_rotation(images, runs)
    if PORTRAITS in kept:
        images, runs = kept[PORTRAITS].of(detector)
        yaw = _by_yaw(images, runs[ORIGINAL.name])
    figures = measure_figures(kept, detector, conditions.get(ORIGINAL.name), info.latencies)
    return OperatingPoint(min_score, conditions, rotations, yaw, figures)


def keep_scores(runs: Runs, min_score: float) -> dict[str, tuple[FaceArrays, ...]]:
    """Drop detections with scores below ``min_score``."""
    return {run: tuple(faces.take(faces.scores >= min_score) for faces in found) for run, found in runs.items()}


def drop_unused(results: Results, report: DetectionReport) -> dict[str, SetResults]:
    """Drop what no metric of ``report`` needs, which is most of the stored file: detections below both score
    thresholds, but for those of recall curves, whose landmarks are forgotten."""
    trimmed = {}
    for test_set, part in results.items():
        found: dict[str, dict[str, tuple[FaceArrays, ...]]] = {}
        for name, runs in part.found.items():
            detector = report.detectors[name]
            min_score = min(detector.default.min_score, detector.at(matched=True).min_score)
            found[name] = keep_scores(runs, min_score)
            if test_set == FACES:
                curves = {run: runs[run] for run in detector.curves}
                found[name] |= {
                    run: tuple(_forget_landmarks(faces, min_score) for faces in curves[run]) for run in curves
                }
        trimmed[test_set] = SetResults(part.images, found)
    return trimmed


def _forget_landmarks(faces: FaceArrays, min_score: float) -> FaceArrays:
    known = (faces.scores >= min_score)[:, None, None]
    return FaceArrays(faces.xyxy, faces.scores, np.where(known, faces.landmarks, np.nan))


def score_at_fppi(images: Images, found: Found, fppi: float = MATCHED_FPPI) -> float:
    """Find the lowest score threshold with at most ``fppi`` false positives per web image; 0 if all have fewer."""
    web = [(faces, image) for faces, image in zip(found, images, strict=True) if is_web(image.id)]
    return threshold_for_fppi([faces.scores[match_image(faces, image).false_positives] for faces, image in web], fppi)


def threshold_for_fppi(false_positives: Sequence[NDArray[np.float64]], fppi: float) -> float:
    """Find the lowest score threshold with at most ``fppi`` false positives per image, given their scores image by
    image; 0 if all have fewer."""
    ranked = -np.sort(-concatenate(false_positives, ()))
    allowed = int(fppi * len(false_positives))
    # Rounded up, so that the highest score that is too many stays out.
    return math.ceil(ranked[allowed] * 1e4 + 1e-3) / 1e4 if len(ranked) > allowed else 0.0


def condition_report(images: Images, found: Found) -> ConditionReport:
    """Report on one run over all images."""
    matches = [match_image(faces, image) for faces, image in zip(found, images, strict=True)]
    iod_px = concatenate([inter_ocular_distances(image.landmarks) for image in images], ())
    hit = _concatenate_flags([match.landmark_matches != UNMATCHED for match in matches])
    box_hit = _concatenate_flags([match.box_matches != UNMATCHED for match in matches])
    box_px = concatenate([sizes(image.boxes) for image in images], (2,)).min(axis=1)
    web = [match for match, image in zip(matches, images, strict=True) if is_web(image.id)]
    return ConditionReport(
        recall=_recall(hit[iod_px >= MIN_IOD_PX]),
        by_size=_by_group(hit, size_bin(iod_px), SIZE_LABELS),
        street_recall=_recall(box_hit[box_px >= MIN_BOX_PX]),
        fppi_web=_per_image([match.false_positives for match in web]),
        fppi=_per_image([match.false_positives for match in matches]),
        duplicates=_per_image([match.duplicates for match in matches]),
        landmarks=measure_landmarks(images, found, matches),
    )


def recall_curve(images: Images, found: Found) -> RecallCurve:
    """Sweep the score threshold of a run; at most 120 thresholds, falling."""
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
        if name in runs:
            hits = [
                (match_landmarks(faces.xyxy, image.landmarks) != UNMATCHED)[
                    inter_ocular_distances(image.landmarks) >= MIN_IOD_PX
                ]
                for faces, image in zip(runs[name], images, strict=True)
            ]
            groups.append(GroupRecall(f"{degrees}°", _recall(_concatenate_flags(hits))))
    return tuple(groups)


def _by_yaw(images: Images, found: Found) -> tuple[GroupRecall, ...]:
    """Recall of portraits by the yaw of their reference face; those without one are left out."""
    pairs = [(image, faces) for image, faces in zip(images, found, strict=True) if len(image.pseudo_labels)]
    landmarks = concatenate([image.pseudo_labels.landmarks[:1] for image, _ in pairs], (5, 2))
    hit = np.array([match_portrait(faces.xyxy, image.resolution_wh) != UNMATCHED for image, faces in pairs], bool)
    return _by_group(hit, yaw_bin(estimate_yaw(landmarks)), YAW_LABELS) if pairs else ()


def _by_group(hit: NDArray[np.bool_], group: NDArray[np.int64], labels: Sequence[str]) -> tuple[GroupRecall, ...]:
    return tuple(GroupRecall(label, _recall(hit[group == row])) for row, label in enumerate(labels))


def _concatenate_flags(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.concatenate([np.zeros(0, bool), *parts])


def _recall(hit: NDArray[np.bool_]) -> MetricValue:
    return wilson_interval(int(hit.sum()), len(hit))


def _per_image(flags: Sequence[NDArray[np.bool_]]) -> float:
    """Count set flags per image, 0 without images."""
    return round_metric(sum(int(image.sum()) for image in flags) / max(len(flags), 1))

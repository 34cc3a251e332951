"""What detectors found -> reports. Means are rounded to a millionth, so that every processor gives the same report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.datasets.samples import fingerprint
from core.evaluation.detection.conditions import AS_IS, SETUPS, TILTS_DEG, loose_run, tilt_run, tilted_points
from core.evaluation.detection.landmarks import (
    LEAST_EYES_PX,
    SIZE_LABELS,
    kept,
    machine_point_report,
    points_against_machine,
    points_against_people,
    rater_scatter,
    size_bin,
)
from core.evaluation.detection.matching import (
    NOBODY,
    FoundFaces,
    PhotoMarks,
    eye_distances,
    find_points,
    joined,
    match_photo,
)
from core.evaluation.detection.report import (
    Curve,
    DetectionReport,
    DetectorReport,
    SetupReport,
    Share,
    Steadiness,
    Timing,
)
from core.evaluation.intervals import MetricValue, wilson_interval
from core.geometry import sizes

LEAST_BOX_PX = 16.0
"""Drawn boxes whose shorter side is less do not count as missed."""
_CURVE_POINTS = 120

Found = Sequence[FoundFaces]
Marks = Sequence[PhotoMarks]
Runs = Mapping[str, Found]


def is_web(photo_id: str) -> bool:
    return photo_id.startswith("web_")


def detection_report(
    marks: Marks,
    runs: Mapping[str, Runs],
    titles: Mapping[str, str],
    timings: Mapping[str, tuple[Timing, ...]],
    steadiness: Mapping[str, Steadiness | None],
) -> DetectionReport:
    """``runs``: detector -> name of the run (see ``core.evaluation.detection.conditions``) -> faces found, a photo each."""
    detectors = {
        name: detector_report(marks, by_run, titles[name], timings.get(name, ()), steadiness.get(name))
        for name, by_run in runs.items()
    }
    return DetectionReport(
        photos=len(marks),
        web_photos=sum(is_web(one.id) for one in marks),
        fingerprint=fingerprint(one.id for one in marks),
        machine_points=machine_point_report(marks),
        detectors=detectors,
    )


def recomputed(report: DetectionReport, marks: Marks, runs: Mapping[str, Runs]) -> DetectionReport:
    """The report that ``runs`` give; what only the machine that ran them can tell is taken from ``report``."""
    old = report.detectors
    return detection_report(
        marks,
        runs,
        {name: old[name].title if name in old else name for name in runs},
        {name: one.timings for name, one in old.items()},
        {name: one.steadiness for name, one in old.items()},
    )


def detector_report(
    marks: Marks, runs: Runs, title: str, timings: tuple[Timing, ...] = (), steadiness: Steadiness | None = None
) -> DetectorReport:
    setups = {}
    for setup in SETUPS:
        if setup.name in runs:
            point = setup_report(marks, runs[setup.name])
            loose = runs.get(loose_run(setup.name))
            setups[setup.name] = point if loose is None else replace(point, curve=curve(marks, loose))
    return DetectorReport(title, setups, _by_tilt(marks, runs), timings, steadiness)


def setup_report(marks: Marks, found: Found) -> SetupReport:
    """One run over all photographs, without a curve."""
    matches = [match_photo(faces, one) for faces, one in zip(found, marks, strict=True)]
    eyes = _marked_eyes(marks)
    hit = _joined_flags([match.found_by != NOBODY for match in matches])
    box_hit = _joined_flags([match.box_found_by != NOBODY for match in matches])
    box_px = joined([sizes(one.boxes) for one in marks], (2,)).min(axis=1)
    web = [match for match, one in zip(matches, marks, strict=True) if is_web(one.id)]
    return SetupReport(
        recall=_share_of(hit[eyes >= LEAST_EYES_PX]),
        by_size=_by_size(hit, eyes),
        street_recall=_share_of(box_hit[box_px >= LEAST_BOX_PX]),
        false_boxes_web=_an_image([match.false for match in web]),
        false_boxes_all=_an_image([match.false for match in matches]),
        double_boxes=_an_image([match.double for match in matches]),
        points=points_against_people(marks, found, matches),
        points_to_machine=points_against_machine(marks, found, matches),
        scatter=rater_scatter(marks, found, matches),
        curve=None,
    )


def curve(marks: Marks, found: Found) -> Curve:
    """Sweep the score of a run with loose settings; at most 120 thresholds, from strict to loose."""
    matches = [match_photo(faces, one) for faces, one in zip(found, marks, strict=True)]
    finders = []
    for faces, match, one in zip(found, matches, marks, strict=True):
        by = match.found_by[eye_distances(one.points) >= LEAST_EYES_PX]
        finders.append(np.where(by == NOBODY, -1.0, np.append(faces.scores, 0.0)[by]))
    true = np.sort(joined(finders, ()))
    false = np.sort(joined([faces.scores[match.false] for faces, match in zip(found, matches, strict=True)], ()))
    scores = np.unique(joined([faces.scores for faces in found], ()))[::-1]
    rows = np.unique(np.linspace(0, len(scores) - 1, min(len(scores), _CURVE_POINTS)).round().astype(int))
    thresholds = scores[rows]
    found_faces = len(true) - np.searchsorted(true, thresholds)
    false_boxes = len(false) - np.searchsorted(false, thresholds)
    return Curve(
        tuple(kept(value) for value in thresholds),
        tuple(kept(value / max(len(marks), 1)) for value in false_boxes),
        tuple(kept(value / max(len(true), 1)) for value in found_faces),
    )


def _by_size(hit: NDArray[np.bool_], eyes_px: NDArray[np.float64]) -> tuple[Share, ...]:
    size = size_bin(eyes_px)
    return tuple(Share(label, _share_of(hit[size == row])) for row, label in enumerate(SIZE_LABELS))


def _by_tilt(marks: Marks, runs: Runs) -> tuple[Share, ...]:
    """Recall as they are (0 degrees) and turned, of those tilts that were run."""
    shares = []
    for degrees in (0, *TILTS_DEG):
        name = tilt_run(degrees) if degrees else AS_IS.name
        if name not in runs:
            continue
        hits = []
        for index, (faces, one) in enumerate(zip(runs[name], marks, strict=True)):
            points = tilted_points(one.points, one.resolution_wh, degrees, index)
            hits.append((find_points(faces.xyxy, points) != NOBODY)[eye_distances(one.points) >= LEAST_EYES_PX])
        shares.append(Share(f"{degrees}°", _share_of(_joined_flags(hits))))
    return tuple(shares)


def _marked_eyes(marks: Marks) -> NDArray[np.float64]:
    return joined([eye_distances(one.points) for one in marks], ())


def _joined_flags(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.concatenate([np.zeros(0, bool), *parts])


def _share_of(hit: NDArray[np.bool_]) -> MetricValue:
    return wilson_interval(int(hit.sum()), len(hit))


def _an_image(flags: Sequence[NDArray[np.bool_]]) -> float:
    """Mean number of set flags a photograph, 0 without photographs."""
    return kept(sum(int(one.sum()) for one in flags) / max(len(flags), 1))

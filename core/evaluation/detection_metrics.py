"""What detectors found -> reports. Means are rounded to a millionth, so that every processor gives the same report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.boxes import sizes
from core.datasets.samples import fingerprint
from core.evaluation.detection_matching import (
    NOBODY,
    POINT_NAMES,
    FoundFaces,
    PhotoMarks,
    PhotoMatch,
    eye_distances,
    find_points,
    four_points,
    joined,
    match_photo,
    point_errors,
)
from core.evaluation.detection_report import (
    Curve,
    DetectionReport,
    DetectorReport,
    PointError,
    PointReport,
    SetupReport,
    Share,
    Steadiness,
    Timing,
)
from core.evaluation.detection_setups import AS_IS, SETUPS, TILTS_DEG, loose_run, tilt_run, tilted_points
from core.evaluation.intervals import Measured, proportion

LEAST_EYES_PX = 9.0
"""Marked faces with less between the eyes, in the photograph as it is, do not count as missed."""
LEAST_BOX_PX = 16.0
"""Drawn boxes whose shorter side is less do not count as missed."""
SIZE_EDGES_PX = (9.0, 14.0, 25.0, 40.0)
SIZE_LABELS = ("9-14 px", "14-25 px", "25-40 px", "40 px and more")
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
    """``runs``: detector -> name of the run (see ``core.evaluation.detection_setups``) -> faces found, a photo each."""
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
        points=_human_points(marks, found, matches),
        points_to_machine=_machine_points(marks, found, matches),
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
    kept = np.unique(np.linspace(0, len(scores) - 1, min(len(scores), _CURVE_POINTS)).round().astype(int))
    thresholds = scores[kept]
    found_faces = len(true) - np.searchsorted(true, thresholds)
    false_boxes = len(false) - np.searchsorted(false, thresholds)
    return Curve(
        tuple(_kept(value) for value in thresholds),
        tuple(_kept(value / max(len(marks), 1)) for value in false_boxes),
        tuple(_kept(value / max(len(true), 1)) for value in found_faces),
    )


def machine_point_report(marks: Marks) -> PointReport | None:
    """The machine's own landmarks in the data against the human ones, ``None`` if no face has both."""
    faces = [_machine_faces(one) for one in marks]
    return _human_points(marks, faces, [match_photo(found, one) for found, one in zip(faces, marks, strict=True)])


def _human_points(marks: Marks, found: Found, matches: Sequence[PhotoMatch]) -> PointReport | None:
    errors, eyes = [], []
    for faces, match, one in zip(found, matches, marks, strict=True):
        distance = eye_distances(one.points)
        hit = (match.found_by != NOBODY) & (distance >= LEAST_EYES_PX)
        points = four_points(faces.points[match.found_by[hit]])
        errors.append(point_errors(points, one.points[hit], distance[hit]))
        eyes.append(distance[hit])
    return point_report(joined(errors, (4,)), joined(eyes, ()))


def _machine_points(marks: Marks, found: Found, matches: Sequence[PhotoMatch]) -> PointReport | None:
    """On the human-marked faces that detector and machine both found."""
    errors, eyes = [], []
    for faces, match, one in zip(found, matches, marks, strict=True):
        machine = _machine_faces(one)
        by_machine = find_points(machine.xyxy, one.points)
        distance = eye_distances(one.points)
        hit = (match.found_by != NOBODY) & (by_machine != NOBODY) & (distance >= LEAST_EYES_PX)
        points = four_points(faces.points[match.found_by[hit]])
        errors.append(point_errors(points, four_points(machine.points[by_machine[hit]]), distance[hit]))
        eyes.append(distance[hit])
    return point_report(joined(errors, (4,)), joined(eyes, ()))


def _machine_faces(marks: PhotoMarks) -> FoundFaces:
    order = np.argsort(-marks.machine_scores, kind="stable")
    return FoundFaces(marks.machine_boxes[order], marks.machine_scores[order], marks.machine_points[order])


def point_report(errors: NDArray[np.float64], eyes_px: NDArray[np.float64]) -> PointReport | None:
    """(F, 4) errors of found faces with (F,) pixels between the eyes; faces without landmarks are left out."""
    known = np.isfinite(errors).all(axis=1)
    errors, eyes_px = errors[known], eyes_px[known]
    if not len(errors):
        return None
    faces, size = errors.mean(axis=1), _size_bin(eyes_px)
    return PointReport(
        mean=_kept(faces.mean()),
        median=_kept(np.median(faces)),
        n=len(faces),
        by_point=tuple(_point_error(name, errors[:, column]) for column, name in enumerate(POINT_NAMES)),
        by_size=tuple(_point_error(label, faces[size == row]) for row, label in enumerate(SIZE_LABELS)),
    )


def _point_error(label: str, errors: NDArray[np.float64]) -> PointError:
    return PointError(label, _kept(errors.mean()) if len(errors) else math.nan, len(errors))


def _by_size(hit: NDArray[np.bool_], eyes_px: NDArray[np.float64]) -> tuple[Share, ...]:
    size = _size_bin(eyes_px)
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


def _size_bin(eyes_px: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index into ``SIZE_LABELS``; -1 for smaller faces."""
    return np.searchsorted(SIZE_EDGES_PX, eyes_px, side="right").astype(np.int64) - 1


def _marked_eyes(marks: Marks) -> NDArray[np.float64]:
    return joined([eye_distances(one.points) for one in marks], ())


def _joined_flags(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.concatenate([np.zeros(0, bool), *parts])


def _share_of(hit: NDArray[np.bool_]) -> Measured:
    return proportion(int(hit.sum()), len(hit))


def _an_image(flags: Sequence[NDArray[np.bool_]]) -> float:
    """Mean number of set flags a photograph, 0 without photographs."""
    return _kept(sum(int(one.sum()) for one in flags) / max(len(flags), 1))


def _kept(value: float | np.floating) -> float:
    return round(float(value), 6)

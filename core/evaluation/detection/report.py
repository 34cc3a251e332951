"""How good face detectors are: frozen reports. Shares are in [0, 1], points in shares of the eye distance.

A figure that its photographs cannot give (recall of a size that does not occur) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.evaluation.intervals import MetricValue


@dataclass(frozen=True, slots=True)
class Share:
    """Faces of one kind and how many of them were found."""

    label: str
    found: MetricValue


@dataclass(frozen=True, slots=True)
class PointError:
    """Mean distance in shares of the eye distance over ``n`` faces, of one point or of one size."""

    label: str
    mean: float
    n: int


@dataclass(frozen=True, slots=True)
class PointReport:
    """How far points are from those that somebody else marked on the same faces, in shares of the distance between the
    eyes that people marked: mean over the four points, then over the ``n`` faces."""

    mean: float
    median: float
    n: int
    by_point: tuple[PointError, ...]
    by_size: tuple[PointError, ...]


@dataclass(frozen=True, slots=True)
class RaterScatter:
    """Root mean square scatter of the landmarks of three raters, each one's own, in shares of the eye distance, over
    the ``n`` faces that all three marked: constant differences of opinion are taken out."""

    people: float
    machine: float
    detector: float
    n: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Faces found and false boxes an image (all photographs) for falling score thresholds."""

    thresholds: tuple[float, ...]
    false_boxes: tuple[float, ...]
    recall: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SetupReport:
    """One detector on the photographs in one size, at its default sensitivity.

    ``recall`` is of the faces that people marked on web photographs, ``street_recall`` of the boxes that people drew
    on street photographs, where about half of the faces wear masks; boxes an image are means over the photographs.
    ``points`` are compared with the human marks, ``points_to_machine`` with the machine's marks of the same faces.
    """

    recall: MetricValue
    by_size: tuple[Share, ...]
    street_recall: MetricValue
    false_boxes_web: float
    false_boxes_all: float
    double_boxes: float
    points: PointReport | None
    points_to_machine: PointReport | None
    scatter: RaterScatter | None
    curve: Curve | None


@dataclass(frozen=True, slots=True)
class Timing:
    """Median time of one ``detect`` call on frames of one size, on one thread."""

    live: bool
    width: int
    height: int
    median_ms: float


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Standard deviation (root mean square of both axes) of the box centre on a still face with sensor noise, mean
    over ``photos``: in pixels, and as a share of the face's size; as detected, and after tracking. ``found`` is the
    share of noisy copies in which the face was found at all."""

    photos: int
    found: float
    raw_px: float
    raw_share: float
    tracked_px: float
    tracked_share: float


@dataclass(frozen=True, slots=True)
class DetectorReport:
    """Everything about one detector; ``setups`` by name of ``SETUPS``, ``by_tilt`` on the photographs as they are."""

    title: str
    setups: Mapping[str, SetupReport]
    by_tilt: tuple[Share, ...]
    timings: tuple[Timing, ...] = ()
    steadiness: Steadiness | None = None


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """All detectors on the same photographs. ``machine_points`` compares the machine's marks in the data with the human
    ones: how far two annotators are apart."""

    photos: int
    web_photos: int
    fingerprint: str
    machine_points: PointReport | None
    detectors: Mapping[str, DetectorReport]


def summary_metrics(report: SetupReport) -> dict[str, float | int]:
    """Flat figures for a model card; one that is NaN or missing is left out."""
    figures: dict[str, float] = {
        "recall": report.recall.value,
        "recall_low": report.recall.low,
        "recall_high": report.recall.high,
        "street_recall": report.street_recall.value,
        "false_boxes_web": report.false_boxes_web,
        "false_boxes_all": report.false_boxes_all,
        "double_boxes": report.double_boxes,
    }
    figures |= {f"recall_{share.label}": share.found.value for share in report.by_size}
    if report.points is not None:
        figures |= {"point_error": report.points.mean, "point_error_median": report.points.median}
    return {"marked_faces": report.recall.n} | {name: value for name, value in figures.items() if math.isfinite(value)}

"""How good face detectors are: frozen reports. Shares are in [0, 1]; landmark errors are normalised by the inter-ocular
distance (NME). A metric that the images cannot give (recall of a size that does not occur) is NaN.

Names that differ in the stored file are given as ``JSON_KEY``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.artifacts.storage import JSON_KEY
from core.evaluation.intervals import MetricValue


@dataclass(frozen=True, slots=True)
class GroupRecall:
    """Recall of one group of faces."""

    label: str
    recall: MetricValue = field(metadata={JSON_KEY: "found"})


@dataclass(frozen=True, slots=True)
class GroupNME:
    """NME of one landmark or of one group over ``n`` faces."""

    label: str
    mean: float
    n: int


@dataclass(frozen=True, slots=True)
class LandmarkReport:
    """NME against annotated landmarks: mean over the four landmarks, then over the ``n`` faces."""

    mean: float
    median: float
    n: int
    by_landmark: tuple[GroupNME, ...] = field(metadata={JSON_KEY: "by_point"})
    by_size: tuple[GroupNME, ...]


@dataclass(frozen=True, slots=True)
class RecallCurve:
    """Recall and false positives per image (FPPI, all images) for falling score thresholds."""

    thresholds: tuple[float, ...]
    fppi: tuple[float, ...] = field(metadata={JSON_KEY: "false_boxes"})
    recall: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ConditionReport:
    """One detector under one condition, at one score threshold.

    ``recall`` is of the annotated faces of web images, ``street_recall`` of the annotated boxes of street images, where
    about half of the faces wear masks. ``fppi_web`` are the false positives per web image, ``fppi`` those per image of
    all, ``duplicates`` the further boxes per image on a face that has one already.
    """

    recall: MetricValue
    by_size: tuple[GroupRecall, ...]
    street_recall: MetricValue
    fppi_web: float = field(metadata={JSON_KEY: "false_boxes_web"})
    fppi: float = field(metadata={JSON_KEY: "false_boxes_all"})
    duplicates: float = field(metadata={JSON_KEY: "double_boxes"})
    landmarks: LandmarkReport | None = field(metadata={JSON_KEY: "points"})


@dataclass(frozen=True, slots=True)
class Latency:
    """Median milliseconds of one ``detect`` call on frames of one size, on one thread."""

    live: bool
    width: int
    height: int
    median_ms: float


@dataclass(frozen=True, slots=True)
class DetectorInfo:
    """What a report does not compute: ``min_score`` is the detector's own score threshold."""

    title: str
    min_score: float
    latencies: tuple[Latency, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One detector at one score threshold.

    ``conditions`` by name of a ``Condition``. ``by_rotation`` is of web images, ``by_yaw`` of portraits. ``figures`` by
    key of ``core.evaluation.detection.figures.FIGURES``; those of test sets that were not there are missing.
    """

    min_score: float
    conditions: Mapping[str, ConditionReport]
    by_rotation: tuple[GroupRecall, ...]
    by_yaw: tuple[GroupRecall, ...]
    figures: Mapping[str, MetricValue]


@dataclass(frozen=True, slots=True)
class DetectorReport:
    """Everything about one detector; ``curves`` by name of a ``Condition``.

    ``default`` is at the detector's own score threshold, ``matched`` at the lowest one with at most 0.10 false
    positives per web image: detectors are compared there. Without web images there is no such point.
    """

    title: str
    default: OperatingPoint
    matched: OperatingPoint | None
    curves: Mapping[str, RecallCurve]
    latencies: tuple[Latency, ...] = ()

    def at(self, matched: bool) -> OperatingPoint:
        """Return the matched operating point if it is wanted and there is one, else the default."""
        return self.matched if matched and self.matched is not None else self.default


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """All detectors on the same images, of which ``web_images`` are from the web; ``sets``: test set -> its images."""

    images: int
    web_images: int
    fingerprint: str
    sets: Mapping[str, int]
    detectors: Mapping[str, DetectorReport]


def summary_metrics(report: ConditionReport) -> dict[str, float | int]:
    """Flatten a report to the metrics of a model card; those that are NaN or missing are left out."""
    metrics: dict[str, float] = {
        "recall": report.recall.value,
        "recall_low": report.recall.low,
        "recall_high": report.recall.high,
        "street_recall": report.street_recall.value,
        "false_boxes_web": report.fppi_web,
        "false_boxes_all": report.fppi,
        "double_boxes": report.duplicates,
    }
    metrics |= {f"recall_{group.label}": group.recall.value for group in report.by_size}
    if report.landmarks is not None:
        metrics |= {"point_error": report.landmarks.mean, "point_error_median": report.landmarks.median}
    return {"marked_faces": report.recall.n} | {name: value for name, value in metrics.items() if math.isfinite(value)}

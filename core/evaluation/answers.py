"""Reports in words: what a reader takes away who looks at no chart. All figures are computed from the reports."""

from __future__ import annotations

import numpy as np

from core.evaluation.detection.report import ConditionReport
from core.evaluation.metrics import AgeReport, ClassificationReport


def describe_accuracy(report: ClassificationReport, data_set: str, what: str = "") -> str:
    """Say how many of 100 faces like those of ``data_set`` are read right, and which class is the hardest; ``what``
    names what is read where it is not clear."""
    hardest = hardest_class(report)
    right = f"{_of_100(report.accuracy.value)} are read right{f' in {what}' if what else ''}"
    return f"Of 100 faces like {data_set}'s, {right}; {report.labels[hardest]} is the hardest: {_recall(report)}."


def describe_hardest(report: ClassificationReport) -> str:
    """Say how many of 100 of the hardest class are read right."""
    return f"{report.labels[hardest_class(report)]}, {_recall(report)} of 100 right"


def describe_confusion(report: ClassificationReport) -> str:
    """Say which class is most often taken for which other one; empty if none ever is."""
    shares = report.normalised.copy()
    np.fill_diagonal(shares, 0)
    true, predicted = np.unravel_index(int(shares.argmax()), shares.shape)
    if not shares[true, predicted]:
        return ""
    return f"of 100 {report.labels[true]}, {_of_100(shares[true, predicted])} are taken for {report.labels[predicted]}"


def describe_age(report: AgeReport, data_set: str) -> str:
    """Say how far ages of faces like those of ``data_set`` are off, and for whom most."""
    return (
        f"Ages of faces like {data_set}'s are {report.mae.value:.1f} years off on average; "
        f"those of people of {hardest_ages(report)} are the hardest."
    )


def hardest_ages(report: AgeReport) -> str:
    """Return the true ages with the largest error, and the error: ``70+ years (8.4 off)``."""
    worst = max((bracket for bracket in report.by_bracket if bracket.mae.n), key=lambda bracket: bracket.mae.value)
    return f"{worst.label} years ({worst.mae.value:.1f} off)"


def describe_detection(report: ConditionReport) -> str:
    """Say how many of 100 faces are found, and how many boxes without a face there are."""
    found, wrong = _of_100(report.recall.value), _of_100(report.fppi_web)
    return f"Of 100 faces on web photographs, {found} are found. False boxes per 100 photographs: {wrong}."


def hardest_class(report: ClassificationReport) -> int:
    """Return the class, of those with samples, whose samples are read right least often."""
    return int(np.where(report.support > 0, np.nan_to_num(report.recall), np.inf).argmin())


def _recall(report: ClassificationReport) -> int:
    return _of_100(float(report.recall[hardest_class(report)]))


def _of_100(share: float) -> int:
    return round(100 * share)

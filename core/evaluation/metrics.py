"""Compute metrics from predictions, as frozen reports. Shares are in [0, 1], ages in years; nothing is rounded.

A metric that the samples cannot give (the recall of a class without samples, the precision of a class that was never
predicted) is NaN. No predictions at all raise ``ConfigError``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.evaluation.intervals import MetricValue, mean_absolute_error, mean_share, wilson_interval
from core.evaluation.predictions import Predictions, classifier_outputs, truth_of
from core.tasks import CLASSES, TASKS

_BRACKET_STARTS: tuple[int, ...] = (0, 3, 10, 20, 30, 40, 50, 60, 70)
AGE_BRACKETS: tuple[str, ...] = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+")
"""Age brackets of the evaluation protocol, in completed years; ``_BRACKET_STARTS`` holds the first year of each."""
_BRACKET_ENDS: tuple[int, ...] = (*_BRACKET_STARTS[1:], 90)
"""First year after each bracket; few people are 90 or older."""
CUMULATIVE_SCORE_YEARS = 5
"""CS@5: share of ages with an error of at most this many years."""
METRIC_PREFIXES = {"emotion": "", "age_group": "age_group_", "gender": "gender_"}
"""Output -> what the keys of its metrics begin with."""


@dataclass(frozen=True)
class ClassificationReport:
    """Metrics of a classifier with K classes.

    ``confusion``: (K, K) int64 counts, rows are true classes, columns predictions. ``precision``, ``recall`` (the
    per-class accuracy) and ``f1``: (K,) in [0, 1] or NaN; ``support``: (K,) int64 samples of each class.
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    accuracy: MetricValue
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes with samples."""
        return float(self.f1[self.support > 0].mean())

    @property
    def normalised(self) -> NDArray[np.float64]:
        """(K, K) shares of each true class: rows sum to 1, that of a class without samples is zeros."""
        shares: NDArray[np.float64] = self.confusion / np.maximum(self.support, 1)[:, None]
        return shares

    @property
    def within_one(self) -> MetricValue:
        """Share of predictions at most one class off, for classes in an order."""
        close = sum(int(np.trace(self.confusion, offset)) for offset in (-1, 0, 1))
        return wilson_interval(close, int(self.confusion.sum()))

    @property
    def recall_intervals(self) -> tuple[MetricValue, ...]:
        """Recall with its 95 % interval, in the order of ``labels``."""
        correct = np.diag(self.confusion)
        return tuple(wilson_interval(int(c), int(n)) for c, n in zip(correct, self.support, strict=True))


@dataclass(frozen=True, slots=True)
class BracketError:
    """Age error of the people of one true age bracket; ``bias`` is the mean of prediction minus truth."""

    label: str
    mae: MetricValue
    bias: float


@dataclass(frozen=True)
class AgeReport:
    """Age error in years against the label, also where the label is older than the model can predict.

    ``within_5_years`` is the cumulative score; ``coverage`` the share of people whose true age lies in the predicted
    interval, whose mean width is ``interval_width`` years; ``brackets`` takes age brackets as classes.
    """

    mae: MetricValue
    bias: float
    within_5_years: MetricValue
    coverage: MetricValue
    interval_width: float
    brackets: ClassificationReport
    by_bracket: tuple[BracketError, ...]


def bracket_indices(years: NDArray[Any]) -> NDArray[np.int64]:
    """Convert ages (N,) in years to (N,) indices into ``AGE_BRACKETS``.

    A fractional age belongs to the bracket of its nearest whole year, the year that is also shown on screen.
    """
    whole = np.floor(np.asarray(years, np.float64) + 0.5)
    if not (whole >= 0).all():
        raise ValueError("ages must be numbers of at least 0 years")
    return np.searchsorted(_BRACKET_STARTS, whole, side="right").astype(np.int64) - 1


def classification_report(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: tuple[str, ...]
) -> ClassificationReport:
    """Compare (N,) true and predicted indices into ``labels``. Raises ``ConfigError`` if N is 0."""
    # Only here: scikit-learn takes most of a second to import, which only metrics should wait for.
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    if len(truth) == 0:
        raise ConfigError("there are no predictions to report on: at least one sample is needed")
    classes = np.arange(len(labels))
    confusion = confusion_matrix(truth, predicted, labels=classes)
    scores = precision_recall_fscore_support(truth, predicted, labels=classes, zero_division=np.nan)
    return ClassificationReport(labels, confusion, wilson_interval(int(np.trace(confusion)), len(truth)), *scores)


def class_report(predictions: Predictions, output: str) -> ClassificationReport:
    """Report on the classes of ``output`` that the task tells apart. Raises ``ConfigError`` without predictions."""
    known = predictions.class_indices(output)
    truth, predicted = predictions.truth[output], predictions.predicted(output)
    labels = TASKS[predictions.task].classes(output)
    return classification_report(np.searchsorted(known, truth), np.searchsorted(known, predicted), labels)


def age_report(predictions: Predictions) -> AgeReport:
    """Report on predicted ages and their intervals. Raises ``ConfigError`` without predictions."""
    truth, ages, errors = predictions.truth["age"], predictions.ages, predictions.age_errors
    brackets, true_bracket = bracket_report(predictions), bracket_indices(truth)
    close = np.abs(errors) <= CUMULATIVE_SCORE_YEARS
    return AgeReport(
        mae=mean_absolute_error(errors),
        bias=float(errors.mean()),
        within_5_years=wilson_interval(int(close.sum()), len(errors)),
        coverage=mean_share(interval_shares(predictions)),
        interval_width=float((ages.high - ages.low).mean(dtype=np.float64)),
        brackets=brackets,
        by_bracket=tuple(_bracket_error(label, errors[true_bracket == row]) for row, label in enumerate(AGE_BRACKETS)),
    )


def true_brackets(labels: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the true age brackets, known or from the true ages, as (N,) indices into ``AGE_BRACKETS``."""
    return labels["age_bracket"] if "age_bracket" in labels else bracket_indices(labels["age"])


def bracket_report(predictions: Predictions) -> ClassificationReport:
    """Report on predicted ages with age brackets as classes. Raises ``ConfigError`` without predictions."""
    predicted = bracket_indices(predictions.ages.years)
    return classification_report(true_brackets(predictions.truth), predicted, AGE_BRACKETS)


def interval_shares(predictions: Predictions) -> NDArray[np.float64]:
    """Return (N,) how much of the true age is in the predicted interval: 1 or 0, or the share of a bracket's years."""
    low, high = predictions.ages.low[:, None], predictions.ages.high[:, None]
    if "age" in predictions.truth:
        return _are_inside(predictions.truth["age"][:, None], low, high)[:, 0]
    shares = np.empty(len(predictions))
    for row, (start, end) in enumerate(zip(_BRACKET_STARTS, _BRACKET_ENDS, strict=True)):
        people = predictions.truth["age_bracket"] == row
        shares[people] = _are_inside(np.arange(start, end), low[people], high[people]).mean(axis=1)
    return shares


def _are_inside(years: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32]) -> NDArray[np.float64]:
    return ((low <= years) & (years <= high)).astype(np.float64)


def end_to_end_accuracy(predictions: Predictions, output: str) -> MetricValue:
    """Return the share of correct classes of ``output`` if missed faces count as wrong."""
    correct = int((predictions.predicted(output) == predictions.truth[output]).sum())
    return wilson_interval(correct, len(predictions) + len(predictions.missed or ()))


def classes_without_samples(task: str, labels: Mapping[str, NDArray[np.int64]]) -> dict[str, tuple[str, ...]]:
    """Return what ``task`` is measured on, emotion for example, -> its classes without samples, if there are any.

    ``labels``: name -> (N,), as those of ``Samples`` or the truth of ``Predictions``. Ages count by bracket. Per-class
    metrics lack these classes, and means over classes are over the others.
    """
    truth = truth_of(task, labels)
    missing = {
        output: tuple(
            name for name in TASKS[task].classes(output) if not (truth[output] == CLASSES[output].index(name)).any()
        )
        for output in classifier_outputs(task)
    }
    if "age" in TASKS[task].outputs:
        found = set(true_brackets(truth).tolist())
        missing["age bracket"] = tuple(name for row, name in enumerate(AGE_BRACKETS) if row not in found)
    return {what: names for what, names in missing.items() if names}


def describe_classes(missing: Mapping[str, Sequence[str]]) -> str:
    """Describe what ``classes_without_samples`` returned."""
    listed = "; ".join(f"{what} {', '.join(names)}" for what, names in missing.items())
    return f"{listed}: per-class metrics lack these classes, and means are over the others"


def sample_scores(predictions: Predictions, output: str) -> NDArray[np.float64] | None:
    """Return (N,) values whose mean is the metric of ``output``: 1 or 0 for correct or wrong classes, absolute errors
    in years for ``age``; ``None`` if the predictions have no such output or label."""
    if output == "age" and predictions.age is not None:
        return np.abs(predictions.age_errors) if "age" in predictions.truth else None
    if output == "age_bracket" and output in predictions.truth:
        correct = bracket_indices(predictions.ages.years) == predictions.truth[output]
        return correct.astype(np.float64)
    if output not in predictions.probabilities:
        return None
    return (predictions.predicted(output) == predictions.truth[output]).astype(np.float64)


def summary_metrics(predictions: Predictions) -> dict[str, float | int]:
    """Return flat metrics for the model card and ``--json``, without those that are NaN, which JSON does not have.

    Emotion: ``n accuracy accuracy_low accuracy_high macro_f1 recall_<emotion>``. Age: ``n age_mae age_mae_low
    age_mae_high age_bias age_cs5 age_mae_0_2 ... age_mae_70_plus`` (by true age) ``bracket_accuracy
    bracket_accuracy_low bracket_accuracy_high bracket_macro_f1 interval_coverage interval_width``. Age groups:
    ``age_group_accuracy age_group_accuracy_low age_group_accuracy_high age_group_macro_f1``. Gender:
    ``gender_accuracy gender_accuracy_low gender_accuracy_high gender_macro_f1 recall_male recall_female``. True age
    brackets instead of years: ``bracket_within_one`` and its bounds, without errors in years. Whole photographs:
    ``found_share`` and ``gender_end_to_end`` with their bounds, all others are of the faces found.
    """
    metrics: dict[str, float] = {}
    if predictions.age is not None:
        metrics |= (
            _age_metrics(age_report(predictions)) if "age" in predictions.truth else _bracket_metrics(predictions)
        )
    for output in predictions.probabilities:
        report = class_report(predictions, output)
        metrics |= _class_metrics(METRIC_PREFIXES[output], report)
        if output != "age_group":
            metrics |= dict(zip((f"recall_{label}" for label in report.labels), report.recall.tolist(), strict=True))
    if predictions.missed is not None:
        total = len(predictions) + len(predictions.missed)
        metrics |= _with_interval("found_share", wilson_interval(len(predictions), total))
        for output in predictions.probabilities:
            metrics |= _with_interval(f"{METRIC_PREFIXES[output]}end_to_end", end_to_end_accuracy(predictions, output))
    return {"n": len(predictions)} | {name: value for name, value in metrics.items() if math.isfinite(value)}


def _age_metrics(age: AgeReport) -> dict[str, float]:
    return {
        **_with_interval("age_mae", age.mae),
        "age_bias": age.bias,
        "age_cs5": age.within_5_years.value,
        **{f"age_mae_{_bracket_key(bracket.label)}": bracket.mae.value for bracket in age.by_bracket},
        **_class_metrics("bracket_", age.brackets),
        "interval_coverage": age.coverage.value,
        "interval_width": age.interval_width,
    }


def _bracket_metrics(predictions: Predictions) -> dict[str, float]:
    brackets, ages = bracket_report(predictions), predictions.ages
    return {
        **_class_metrics("bracket_", brackets),
        **_with_interval("bracket_within_one", brackets.within_one),
        "interval_coverage": float(interval_shares(predictions).mean()),
        "interval_width": float((ages.high - ages.low).mean(dtype=np.float64)),
    }


def _class_metrics(prefix: str, report: ClassificationReport) -> dict[str, float]:
    return {**_with_interval(f"{prefix}accuracy", report.accuracy), f"{prefix}macro_f1": report.macro_f1}


def _with_interval(name: str, metric: MetricValue) -> dict[str, float]:
    return {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high}


def _bracket_error(label: str, errors: NDArray[np.float64]) -> BracketError:
    return BracketError(label, mean_absolute_error(errors), float(errors.mean()) if len(errors) else math.nan)


def _bracket_key(bracket: str) -> str:
    """``0-2`` -> ``0_2``, ``70+`` -> ``70_plus``."""
    return bracket.replace("-", "_").replace("+", "_plus")

"""Measure whether confidences and age intervals hold. Shares are in [0, 1]; no predictions raise ``ConfigError``.

Stored probabilities are calibrated already. The probabilities before temperature scaling follow from them, because a
temperature is a power of the probabilities, which can be undone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.artifacts.model_card import ModelCard
from core.attributes.postprocessing import apply_temperature
from core.errors import ConfigError
from core.evaluation.intervals import MetricValue, mean_share, wilson_interval
from core.evaluation.metrics import AGE_BRACKETS, METRIC_PREFIXES, interval_shares, true_brackets
from core.evaluation.predictions import Predictions
from core.evaluation.tables import interval_columns

BINS = 15
"""Equal-width bins of the confidence, as in Guo et al. 2017."""
_CURVE_STEPS = 100


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Predictions with a confidence in (``low``, ``high``]: their mean ``confidence`` (NaN if none) and accuracy."""

    low: float
    high: float
    confidence: float
    accuracy: MetricValue

    @property
    def n(self) -> int:
        return self.accuracy.n


@dataclass(frozen=True)
class Reliability:
    """``ece``: expected calibration error, the mean distance of confidence and accuracy over the bins, weighted by
    their samples. ``brier``: mean over the samples of the summed squared distance of all class probabilities from the
    truth, between 0 and 2."""

    bins: tuple[ReliabilityBin, ...]
    ece: float
    brier: float


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Predictions with a confidence of at least ``threshold``: their share of all (``coverage``) and their accuracy
    (selective accuracy)."""

    threshold: float
    coverage: MetricValue
    accuracy: MetricValue


@dataclass(frozen=True)
class CalibrationReport:
    """One output of a model, ``before`` and ``after`` scaling with ``temperature``. ``curve``: from few, very confident
    predictions to all of them; ``default``: the point of the card's confidence threshold."""

    temperature: float
    before: Reliability
    after: Reliability
    curve: tuple[CoveragePoint, ...]
    default: CoveragePoint


@dataclass(frozen=True, slots=True)
class BracketCoverage:
    """``coverage``: share of the people of a true age bracket whose age is in the predicted interval; ``width``: mean
    width of these intervals in years, NaN without people."""

    label: str
    coverage: MetricValue
    width: float


@dataclass(frozen=True)
class IntervalReport:
    """Coverage of the age interval over all people, and in every bracket of the true age, empty ones too."""

    overall: BracketCoverage
    brackets: tuple[BracketCoverage, ...]

    @property
    def lowest(self) -> BracketCoverage:
        return min(self._occupied, key=lambda bracket: bracket.coverage.value)

    @property
    def highest(self) -> BracketCoverage:
        return max(self._occupied, key=lambda bracket: bracket.coverage.value)

    @property
    def _occupied(self) -> list[BracketCoverage]:
        return [bracket for bracket in self.brackets if bracket.coverage.n]


def reliability(probabilities: NDArray[np.floating], truth: NDArray[np.int64]) -> Reliability:
    """Bin (N, K) probabilities by confidence; ``truth``: (N,) indices of the true class."""
    confidence, correct = _confidence(probabilities, truth)
    edges = np.linspace(0, 1, BINS + 1)
    bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    bins = tuple(
        ReliabilityBin(
            float(edges[row]), float(edges[row + 1]), _mean(confidence[bin_of == row]), _share(correct[bin_of == row])
        )
        for row in range(BINS)
    )
    ece = sum(bin.n * abs(bin.accuracy.value - bin.confidence) for bin in bins if bin.n) / len(truth)
    errors = probabilities.astype(np.float64) - np.eye(probabilities.shape[1])[truth]
    return Reliability(bins, float(ece), float((errors**2).sum(axis=1).mean()))


def coverage_point(probabilities: NDArray[np.floating], truth: NDArray[np.int64], threshold: float) -> CoveragePoint:
    """Measure coverage and selective accuracy when predictions below ``threshold`` are shown as uncertain."""
    return _point(*_confidence(probabilities, truth), threshold)


def coverage_curve(probabilities: NDArray[np.floating], truth: NDArray[np.int64]) -> tuple[CoveragePoint, ...]:
    """Measure selective accuracy in coverage steps of one percent; equally confident predictions stay together."""
    confidence, correct = _confidence(probabilities, truth)
    ordered = np.sort(confidence)[::-1]
    last = np.ceil(np.arange(1, _CURVE_STEPS + 1) / _CURVE_STEPS * len(ordered)).astype(np.int64) - 1
    return tuple(_point(confidence, correct, float(threshold)) for threshold in np.unique(ordered[last])[::-1])


def calibration_report(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64], temperature: float, threshold: float
) -> CalibrationReport:
    """Report on (N, K) ``probabilities`` that were scaled with ``temperature``."""
    return CalibrationReport(
        temperature=temperature,
        before=reliability(apply_temperature(probabilities, 1 / temperature), truth),
        after=reliability(probabilities, truth),
        curve=coverage_curve(probabilities, truth),
        default=coverage_point(probabilities, truth, threshold),
    )


def calibrate_output(predictions: Predictions, output: str, card: ModelCard) -> CalibrationReport:
    """Report on ``output`` with the temperature and the confidence threshold of ``card``."""
    temperature, threshold = card.temperature.get(output, 1.0), card.min_confidence.get(output, 0.0)
    return calibration_report(predictions.probabilities[output], predictions.truth[output], temperature, threshold)


def interval_report(predictions: Predictions) -> IntervalReport:
    """Measure the coverage of the predicted age intervals; of a true bracket, the share of its years counts."""
    if len(predictions) == 0:
        raise ConfigError("there are no predictions to report on: at least one sample is needed")
    covered, ages = interval_shares(predictions), predictions.ages
    width = (ages.high - ages.low).astype(np.float64)
    bracket = true_brackets(predictions.truth)
    return IntervalReport(
        overall=BracketCoverage("All ages", mean_share(covered), _mean(width)),
        brackets=tuple(
            BracketCoverage(label, mean_share(covered[bracket == row]), _mean(width[bracket == row]))
            for row, label in enumerate(AGE_BRACKETS)
        ),
    )


def calibration_metrics(predictions: Predictions, card: ModelCard) -> dict[str, float]:
    """Return flat metrics for the model card and ``--json``, beside ``core.evaluation.metrics.summary_metrics``.

    Emotion: ``ece ece_before brier brier_before kept_share kept_accuracy``; gender and age groups: the same after
    ``gender_`` and ``age_group_``; age: ``interval_coverage_lowest`` and ``_highest`` of the true age brackets. NaN (no
    prediction above the threshold) is left out.
    """
    metrics: dict[str, float] = {}
    if predictions.age is not None:
        intervals = interval_report(predictions)
        metrics["interval_coverage_lowest"] = intervals.lowest.coverage.value
        metrics["interval_coverage_highest"] = intervals.highest.coverage.value
    for output in predictions.probabilities:
        report, prefix = calibrate_output(predictions, output, card), METRIC_PREFIXES[output]
        for name, scores in (("", report.after), ("_before", report.before)):
            metrics |= {f"{prefix}ece{name}": scores.ece, f"{prefix}brier{name}": scores.brier}
        metrics[f"{prefix}kept_share"] = report.default.coverage.value
        metrics[f"{prefix}kept_accuracy"] = report.default.accuracy.value
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def reliability_table(report: CalibrationReport) -> pd.DataFrame:
    """Tabulate the filled bins of the reliability diagram, before and after temperature scaling, one row per bin."""
    stages = {"before": report.before, "after": report.after}
    bins = [(stage, bin) for stage, scores in stages.items() for bin in scores.bins if bin.n]
    return pd.DataFrame(
        {
            "temperature_scaling": [stage for stage, _ in bins],
            "confidence_from": [bin.low for _, bin in bins],
            "confidence_to": [bin.high for _, bin in bins],
            "mean_confidence": [bin.confidence for _, bin in bins],
            **interval_columns("accuracy", [bin.accuracy for _, bin in bins]),
            "samples": [bin.n for _, bin in bins],
        }
    )


def coverage_table(reports: Mapping[str, CalibrationReport]) -> pd.DataFrame:
    """Tabulate selective accuracy against coverage, one row per model and confidence threshold."""
    points = [(name, point) for name, report in reports.items() for point in report.curve]
    return pd.DataFrame(
        {
            "model": [name for name, _ in points],
            "confidence_threshold": [point.threshold for _, point in points],
            "coverage": [point.coverage.value for _, point in points],
            **interval_columns("selective_accuracy", [point.accuracy for _, point in points]),
            "samples": [point.accuracy.n for _, point in points],
        }
    )


def interval_table(report: IntervalReport) -> pd.DataFrame:
    """Tabulate coverage and mean width of the age interval: all ages first, then one row per true age bracket."""
    rows = (report.overall, *report.brackets)
    return pd.DataFrame(
        {
            "age_bracket": [row.label for row in rows],
            **interval_columns("interval_coverage", [row.coverage for row in rows]),
            "interval_width": [row.width for row in rows],
            "people": [row.coverage.n for row in rows],
        }
    )


def _confidence(
    probabilities: NDArray[np.floating], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(N,) confidence, and whether the most probable class is correct."""
    if len(truth) == 0:
        raise ConfigError("there are no predictions to report on: at least one sample is needed")
    return probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == truth


def _point(confidence: NDArray[np.float64], correct: NDArray[np.bool_], threshold: float) -> CoveragePoint:
    certain = confidence >= threshold
    return CoveragePoint(threshold, _share(certain), _share(correct[certain]))


def _share(values: NDArray[np.bool_]) -> MetricValue:
    return wilson_interval(int(values.sum()), len(values))


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan

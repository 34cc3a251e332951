"""Do the stated confidences and age intervals hold? Stored predictions -> frozen reports. Shares are in [0, 1].

Stored probabilities are calibrated already; those from before the correction follow from them, because a temperature
is a power of the probabilities and can be undone. No predictions at all is an error: ``ConfigError``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import ModelCard
from core.attributes.postprocessing import apply_temperature
from core.errors import ConfigError
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.metrics import AGE_BRACKETS, METRIC_PREFIXES, bracket_indices
from core.evaluation.predictions import Predictions

BINS = 15
"""Equal-width bins of the confidence, as in Guo et al. 2017."""
_CURVE_STEPS = 100


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Answers with a confidence in (``low``, ``high``]: their mean ``confidence`` (NaN if none) and accuracy."""

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
    their answers. ``brier``: mean over the answers of the summed squared distance of all class probabilities from the
    truth, between 0 and 2."""

    bins: tuple[ReliabilityBin, ...]
    ece: float
    brier: float

    @property
    def n(self) -> int:
        return sum(one.n for one in self.bins)


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Answers with at least ``min_confidence``: which share of all they are, and how many of them are right."""

    min_confidence: float
    share: MetricValue
    accuracy: MetricValue


@dataclass(frozen=True)
class CalibrationReport:
    """One output of a model. ``before`` and ``after`` the ``temperature``; ``curve``: from few, very confident answers
    to all of them; ``default``: what the card's minimum keeps."""

    temperature: float
    before: Reliability
    after: Reliability
    curve: tuple[CoveragePoint, ...]
    default: CoveragePoint


@dataclass(frozen=True, slots=True)
class BracketCoverage:
    """``coverage``: share of the people of a true age bracket whose age is in the stated interval; ``width``: mean
    width of these intervals in years, NaN without people."""

    label: str
    coverage: MetricValue
    width: float


@dataclass(frozen=True)
class IntervalReport:
    """Coverage of the stated age interval: of everybody, and in every bracket of the true age, empty ones too."""

    everybody: BracketCoverage
    brackets: tuple[BracketCoverage, ...]

    @property
    def lowest(self) -> BracketCoverage:
        return min(self._occupied, key=lambda one: one.coverage.value)

    @property
    def highest(self) -> BracketCoverage:
        return max(self._occupied, key=lambda one: one.coverage.value)

    @property
    def _occupied(self) -> list[BracketCoverage]:
        return [one for one in self.brackets if one.coverage.n]


def reliability(probabilities: NDArray[np.floating], truth: NDArray[np.int64]) -> Reliability:
    """(N, K) probabilities and (N,) indices of the true class. Raises ``ConfigError`` if N is 0."""
    confidence, right = _confidence(probabilities, truth)
    edges = np.linspace(0, 1, BINS + 1)
    bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    bins = tuple(
        _bin(edges[row], edges[row + 1], confidence[bin_of == row], right[bin_of == row]) for row in range(BINS)
    )
    ece = sum(one.n * abs(one.accuracy.value - one.confidence) for one in bins if one.n) / len(truth)
    errors = probabilities.astype(np.float64) - np.eye(probabilities.shape[1])[truth]
    return Reliability(bins, float(ece), float((errors**2).sum(axis=1).mean()))


def coverage_point(
    probabilities: NDArray[np.floating], truth: NDArray[np.int64], min_confidence: float
) -> CoveragePoint:
    """What is left when every answer below ``min_confidence`` is called uncertain."""
    confidence, right = _confidence(probabilities, truth)
    return _kept(confidence, right, min_confidence)


def coverage_curve(probabilities: NDArray[np.floating], truth: NDArray[np.int64]) -> tuple[CoveragePoint, ...]:
    """Accuracy against the share that is kept, in steps of one percent; equally confident answers stay together."""
    confidence, right = _confidence(probabilities, truth)
    ordered = np.sort(confidence)[::-1]
    last = np.ceil(np.arange(1, _CURVE_STEPS + 1) / _CURVE_STEPS * len(ordered)).astype(np.int64) - 1
    return tuple(_kept(confidence, right, float(least)) for least in np.unique(ordered[last])[::-1])


def calibration_report(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64], temperature: float, min_confidence: float
) -> CalibrationReport:
    """``probabilities``: (N, K), made with ``temperature``. Raises ``ConfigError`` if N is 0."""
    return CalibrationReport(
        temperature=temperature,
        before=reliability(apply_temperature(probabilities, 1 / temperature), truth),
        after=reliability(probabilities, truth),
        curve=coverage_curve(probabilities, truth),
        default=coverage_point(probabilities, truth, min_confidence),
    )


def output_calibration(predictions: Predictions, output: str, card: ModelCard) -> CalibrationReport:
    """Of the probabilities of ``output``, which were made with the temperature on ``card``."""
    temperature, min_confidence = card.temperature.get(output, 1.0), card.min_confidence.get(output, 0.0)
    return calibration_report(predictions.probabilities[output], predictions.truth[output], temperature, min_confidence)


def interval_report(predictions: Predictions) -> IntervalReport:
    """Raises ``ConfigError`` without predictions."""
    if len(predictions) == 0:
        raise ConfigError("there are no predictions to report on: at least one sample is needed")
    truth, ages = predictions.truth["age"], predictions.ages
    covered = (ages.low <= truth) & (truth <= ages.high)
    width = (ages.high - ages.low).astype(np.float64)
    bracket = bracket_indices(truth)
    return IntervalReport(
        everybody=_coverage("everybody", covered, width),
        brackets=tuple(
            _coverage(label, covered[bracket == row], width[bracket == row]) for row, label in enumerate(AGE_BRACKETS)
        ),
    )


def calibration_metrics(predictions: Predictions, card: ModelCard) -> dict[str, float]:
    """Flat figures for the model card and ``--json``, to be merged with ``core.evaluation.metrics.summary_metrics``.

    Emotion: ``ece ece_before brier brier_before kept_share kept_accuracy``; gender and age groups: the same after
    ``gender_`` and ``age_group_``; age: ``interval_coverage_lowest`` and ``_highest`` of the true age brackets. What is
    NaN (no answer kept) is left out.
    """
    figures: dict[str, float] = {}
    if predictions.age is not None:
        intervals = interval_report(predictions)
        figures |= {
            "interval_coverage_lowest": intervals.lowest.coverage.value,
            "interval_coverage_highest": intervals.highest.coverage.value,
        }
    for output in predictions.probabilities:
        figures |= _headline(METRIC_PREFIXES[output], output_calibration(predictions, output, card))
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _headline(prefix: str, report: CalibrationReport) -> dict[str, float]:
    figures = {
        "ece": report.after.ece,
        "ece_before": report.before.ece,
        "brier": report.after.brier,
        "brier_before": report.before.brier,
        "kept_share": report.default.share.value,
        "kept_accuracy": report.default.accuracy.value,
    }
    return {f"{prefix}{name}": value for name, value in figures.items()}


def _confidence(
    probabilities: NDArray[np.floating], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if len(truth) == 0:
        raise ConfigError("there are no predictions to report on: at least one sample is needed")
    return probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == truth


def _bin(low: float, high: float, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> ReliabilityBin:
    mean = float(confidence.mean()) if len(confidence) else math.nan
    return ReliabilityBin(float(low), float(high), mean, wilson_interval(int(right.sum()), len(right)))


def _kept(confidence: NDArray[np.float64], right: NDArray[np.bool_], min_confidence: float) -> CoveragePoint:
    kept = confidence >= min_confidence
    count = int(kept.sum())
    return CoveragePoint(
        min_confidence, wilson_interval(count, len(kept)), wilson_interval(int((kept & right).sum()), count)
    )


def _coverage(label: str, covered: NDArray[np.bool_], width: NDArray[np.float64]) -> BracketCoverage:
    mean_width = float(width.mean()) if len(width) else math.nan
    return BracketCoverage(label, wilson_interval(int(covered.sum()), len(covered)), mean_width)

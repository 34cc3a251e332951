from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.artifacts.model_card import ModelCard
from core.attributes.postprocessing import apply_temperature
from core.errors import ConfigError
from core.evaluation.calibration import (
    BINS,
    calibrate_output,
    calibration_metrics,
    calibration_report,
    coverage_curve,
    coverage_point,
    coverage_table,
    interval_report,
    interval_table,
    reliability,
    reliability_table,
)
from core.evaluation.metrics import AGE_BRACKETS
from core.evaluation.predictions import AgeArrays, Predictions
from tests.fakes.evaluation import age_gender_predictions, card_dict, emotion_predictions

FOUR = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.55, 0.45]])
"""Correct, correct, wrong, wrong for ``TRUTH``."""
TRUTH = np.array([0, 0, 0, 1])


def _card(task: str, **changes: Any) -> ModelCard:
    return ModelCard.from_dict(card_dict("a", task, **changes))


def test_reliability_by_hand() -> None:
    report = reliability(FOUR, TRUTH)
    filled = {round(bin.confidence, 2): (bin.accuracy.value, bin.n) for bin in report.bins if bin.n}
    assert filled == {0.9: (1.0, 2), 0.7: (0.0, 1), 0.55: (0.0, 1)}
    assert report.ece == pytest.approx((2 * 0.1 + 0.7 + 0.55) / 4)
    assert report.brier == pytest.approx((2 * 2 * 0.01 + 2 * 0.49 + 2 * 0.55**2) / 4)


def test_bins_are_15_of_one_width_that_hold_every_confidence() -> None:
    confidence = np.array([0.5, 1.0, 10 / 15, 10 / 15 + 1e-9])
    report = reliability(np.stack([confidence, 1 - confidence], axis=1), np.zeros(4, np.int64))
    assert len(report.bins) == BINS == 15
    assert [bin.high - bin.low for bin in report.bins] == pytest.approx([1 / 15] * 15)
    assert [row for row, bin in enumerate(report.bins) for _ in range(bin.n)] == [7, 9, 10, 14]
    assert math.isnan(report.bins[0].confidence)


def test_labels_drawn_from_the_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(7, 0.5), 20_000)
    truth = (probabilities.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1).clip(0, 6)
    assert reliability(probabilities, truth).ece < 0.01
    assert reliability(apply_temperature(probabilities, 0.5), truth).ece > 0.05


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_is_undone_for_the_report_before(temperature: float) -> None:
    predictions = emotion_predictions()
    raw, truth = predictions.probabilities["emotion"], predictions.truth["emotion"]
    scaled = apply_temperature(raw, temperature).astype(np.float32)
    report = calibration_report(scaled, truth, temperature, 0.4)
    assert report.before.ece == pytest.approx(reliability(raw, truth).ece, abs=1e-3)
    assert report.before.brier == pytest.approx(reliability(raw, truth).brier, abs=1e-4)
    assert report.after == reliability(scaled, truth)


@pytest.mark.parametrize(
    ("threshold", "coverage", "accuracy"),
    [(0.0, 1.0, 0.5), (0.55, 1.0, 0.5), (0.56, 0.75, 2 / 3), (0.8, 0.5, 1.0), (0.95, 0.0, math.nan)],
)
def test_coverage_and_selective_accuracy(threshold: float, coverage: float, accuracy: float) -> None:
    point = coverage_point(FOUR, TRUTH, threshold)
    assert (point.coverage.value, point.accuracy.value) == pytest.approx((coverage, accuracy), nan_ok=True)
    assert (point.coverage.n, point.accuracy.n) == (4, round(4 * coverage))


def test_the_curve_goes_from_confident_predictions_to_all() -> None:
    curve = coverage_curve(FOUR, TRUTH)
    assert [point.coverage.value for point in curve] == [0.5, 0.75, 1.0]
    assert [point.accuracy.value for point in curve] == pytest.approx([1.0, 2 / 3, 0.5])
    predictions = emotion_predictions(1000)
    curve = coverage_curve(predictions.probabilities["emotion"], predictions.truth["emotion"])
    shares = [point.coverage.value for point in curve]
    assert shares == sorted(shares)
    assert len(shares) <= 100


def test_temperature_and_threshold_come_from_the_card() -> None:
    card = _card("emotion", temperature={"emotion": 0.8}, min_confidence={"emotion": 0.5})
    emotions = calibrate_output(emotion_predictions(), "emotion", card)
    assert (emotions.temperature, emotions.default.threshold) == (0.8, 0.5)
    genders = calibrate_output(age_gender_predictions(), "gender", _card("age_gender"))
    assert (genders.temperature, genders.default.coverage.value) == (1.0, 1.0)
    assert genders.before.ece == pytest.approx(genders.after.ece, abs=1e-6)


def test_interval_coverage_includes_both_ends_by_true_age() -> None:
    predictions = age_gender_predictions()
    low, years, high = (np.full(len(predictions), value, np.float32) for value in (20, 24.5, 29))
    report = interval_report(replace(predictions, age=AgeArrays(years, low, high)))
    assert {bracket.label: bracket.coverage.value for bracket in report.brackets} == {
        label: float(label == "20-29") for label in AGE_BRACKETS
    }
    assert report.highest.label == "20-29"
    assert report.lowest.coverage.value == 0.0
    assert {bracket.width for bracket in report.brackets} == {9.0}
    assert report.overall.coverage.n == 150


def test_brackets_without_people_are_ignored() -> None:
    predictions = age_gender_predictions()
    age = predictions.truth["age"]
    report = interval_report(predictions.take((age >= 20) & (age < 60)))
    assert [bracket.coverage.n == 0 for bracket in report.brackets] == [True] * 3 + [False] * 4 + [True] * 2
    assert report.lowest.coverage.n > 0
    assert report.lowest.coverage.value <= report.overall.coverage.value <= report.highest.coverage.value


def test_metrics_for_the_card() -> None:
    card = _card("emotion", temperature={"emotion": 0.8}, min_confidence={"emotion": 0.5})
    predictions = emotion_predictions()
    report, metrics = calibrate_output(predictions, "emotion", card), calibration_metrics(predictions, card)
    assert metrics == {
        "ece": report.after.ece,
        "ece_before": report.before.ece,
        "brier": report.after.brier,
        "brier_before": report.before.brier,
        "kept_share": report.default.coverage.value,
        "kept_accuracy": report.default.accuracy.value,
    }
    people = calibration_metrics(age_gender_predictions(), _card("age_gender"))
    assert people["interval_coverage_lowest"] <= people["interval_coverage_highest"]
    assert {name for name in people if name.startswith("gender_")} == {f"gender_{name}" for name in metrics}
    nothing_certain = calibration_metrics(predictions, _card("emotion", min_confidence={"emotion": 1.0}))
    assert nothing_certain["kept_share"] == 0
    assert "kept_accuracy" not in nothing_certain


def test_tables_hold_what_the_reports_hold() -> None:
    report = calibration_report(FOUR.astype(np.float32), TRUTH, 0.8, 0.6)
    bins = reliability_table(report)
    assert bins.groupby("temperature_scaling")["samples"].sum().to_dict() == {"before": 4, "after": 4}
    assert coverage_table({"a": report, "b": report})["coverage"].tolist() == [0.5, 0.75, 1.0] * 2
    intervals = interval_table(interval_report(age_gender_predictions()))
    assert intervals["age_bracket"].tolist() == ["All ages", *AGE_BRACKETS]
    assert intervals["people"].iloc[1:].sum() == intervals["people"].iloc[0] == 150


@pytest.mark.parametrize(
    "report",
    [interval_report, lambda nobody: calibrate_output(nobody, "gender", _card("age_gender"))],
    ids=["interval", "confidence"],
)
def test_no_predictions_are_an_error(report: Any) -> None:
    nobody: Predictions = age_gender_predictions(count=0)
    with pytest.raises(ConfigError, match="no predictions"):
        report(nobody)

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
    calibration_metrics,
    calibration_report,
    coverage_curve,
    coverage_point,
    interval_report,
    output_calibration,
    reliability,
)
from core.evaluation.calibration_tables import coverage_table, interval_table, reliability_table
from core.evaluation.metrics import AGE_BRACKETS
from core.evaluation.predictions import AgeArrays, Predictions
from tests.fakes.evaluation import age_gender_predictions, card_dict, emotion_predictions

FOUR = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.55, 0.45]])
"""Right, right, wrong, wrong for ``TRUTH``."""
TRUTH = np.array([0, 0, 0, 1])


def _card(task: str, **changes: Any) -> ModelCard:
    return ModelCard.from_dict(card_dict("a", task, **changes))


def test_reliability_by_hand() -> None:
    report = reliability(FOUR, TRUTH)
    filled = {round(one.confidence, 2): (one.accuracy.value, one.n) for one in report.bins if one.n}
    assert filled == {0.9: (1.0, 2), 0.7: (0.0, 1), 0.55: (0.0, 1)}
    assert report.ece == pytest.approx((2 * 0.1 + 0.7 + 0.55) / 4)
    assert report.brier == pytest.approx((2 * 2 * 0.01 + 2 * 0.49 + 2 * 0.55**2) / 4)
    assert report.n == 4


def test_bins_are_15_of_one_width_that_hold_every_confidence() -> None:
    confidence = np.array([0.5, 1.0, 10 / 15, 10 / 15 + 1e-9])
    report = reliability(np.stack([confidence, 1 - confidence], axis=1), np.zeros(4, np.int64))
    assert len(report.bins) == BINS == 15
    assert [one.high - one.low for one in report.bins] == pytest.approx([1 / 15] * 15)
    assert [row for row, one in enumerate(report.bins) for _ in range(one.n)] == [7, 9, 10, 14]
    assert math.isnan(report.bins[0].confidence)


def test_drawn_by_their_own_probabilities_answers_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(7, 0.5), 20_000)
    truth = (probabilities.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1).clip(0, 6)
    assert reliability(probabilities, truth).ece < 0.01
    assert reliability(apply_temperature(probabilities, 0.5), truth).ece > 0.05


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_before_is_what_the_network_said(temperature: float) -> None:
    predictions = emotion_predictions()
    network, truth = predictions.probabilities["emotion"], predictions.truth["emotion"]
    answered = apply_temperature(network, temperature).astype(np.float32)
    report = calibration_report(answered, truth, temperature, 0.4)
    assert report.before.ece == pytest.approx(reliability(network, truth).ece, abs=1e-3)
    assert report.before.brier == pytest.approx(reliability(network, truth).brier, abs=1e-4)
    assert report.after == reliability(answered, truth)


@pytest.mark.parametrize(
    ("least", "share", "accuracy"),
    [(0.0, 1.0, 0.5), (0.55, 1.0, 0.5), (0.56, 0.75, 2 / 3), (0.8, 0.5, 1.0)],
)
def test_kept_are_answers_with_at_least_the_minimum(least: float, share: float, accuracy: float) -> None:
    kept = coverage_point(FOUR, TRUTH, least)
    assert (kept.share.value, kept.accuracy.value) == pytest.approx((share, accuracy))
    assert (kept.share.n, kept.accuracy.n) == (4, round(4 * share))


def test_nothing_kept_has_no_accuracy() -> None:
    assert math.isnan(coverage_point(FOUR, TRUTH, 0.95).accuracy.value)
    figures = calibration_metrics(emotion_predictions(), _card("emotion", min_confidence={"emotion": 1.0}))
    assert figures["kept_share"] == 0
    assert "kept_accuracy" not in figures


def test_the_curve_goes_from_the_surest_answers_to_all() -> None:
    curve = coverage_curve(FOUR, TRUTH)
    assert [one.share.value for one in curve] == [0.5, 0.75, 1.0]
    assert [one.accuracy.value for one in curve] == pytest.approx([1.0, 2 / 3, 0.5])
    predictions = emotion_predictions(1000)
    curve = coverage_curve(predictions.probabilities["emotion"], predictions.truth["emotion"])
    shares = [one.share.value for one in curve]
    assert shares == sorted(shares)
    assert len(shares) <= 100
    assert shares[-1] == 1.0


def test_the_card_gives_temperature_and_minimum_of_its_output() -> None:
    card = _card("emotion", temperature={"emotion": 0.8}, min_confidence={"emotion": 0.5})
    emotions = output_calibration(emotion_predictions(), "emotion", card)
    assert (emotions.temperature, emotions.default.min_confidence) == (0.8, 0.5)
    genders = output_calibration(age_gender_predictions(), "gender", _card("age_gender"))
    assert (genders.temperature, genders.default.share.value) == (1.0, 1.0)
    assert genders.before.ece == pytest.approx(genders.after.ece, abs=1e-6)


def _covering(low: float, high: float) -> Predictions:
    one = age_gender_predictions()
    years = np.full(len(one), (low + high) / 2, np.float32)
    return replace(one, age=AgeArrays(years, years - (high - low) / 2, years + (high - low) / 2))


def test_interval_coverage_counts_both_ends_by_true_age() -> None:
    report = interval_report(_covering(20, 29))
    assert {one.label: one.coverage.value for one in report.brackets} == {
        label: float(label == "20-29") for label in AGE_BRACKETS
    }
    assert report.highest.label == "20-29"
    assert report.lowest.coverage.value == 0.0
    assert {one.width for one in report.brackets} == {9.0}
    assert report.everybody.coverage.n == 150


def test_a_bracket_without_people_is_neither_lowest_nor_highest() -> None:
    one = age_gender_predictions()
    report = interval_report(one.take((one.truth["age"] >= 20) & (one.truth["age"] < 60)))
    assert [bracket.coverage.n == 0 for bracket in report.brackets] == [True] * 3 + [False] * 4 + [True] * 2
    assert report.lowest.coverage.n > 0
    assert report.lowest.coverage.value <= report.everybody.coverage.value <= report.highest.coverage.value


def test_headline_figures() -> None:
    card = _card("emotion", temperature={"emotion": 0.8}, min_confidence={"emotion": 0.5})
    predictions = emotion_predictions()
    report, figures = output_calibration(predictions, "emotion", card), calibration_metrics(predictions, card)
    assert figures == {
        "ece": report.after.ece,
        "ece_before": report.before.ece,
        "brier": report.after.brier,
        "brier_before": report.before.brier,
        "kept_share": report.default.share.value,
        "kept_accuracy": report.default.accuracy.value,
    }
    both = calibration_metrics(age_gender_predictions(), _card("age_gender"))
    assert both["interval_coverage_lowest"] <= both["interval_coverage_highest"]
    assert {name for name in both if name.startswith("gender_")} == {f"gender_{name}" for name in figures}


def test_tables_hold_what_the_reports_hold() -> None:
    report = calibration_report(FOUR.astype(np.float32), TRUTH, 0.8, 0.6)
    table = reliability_table(report)
    assert table.groupby("correction")["answers"].sum().to_dict() == {"before": 4, "after": 4}
    kept = coverage_table({"a": report, "b": report})
    assert kept["share_kept"].tolist() == [0.5, 0.75, 1.0] * 2
    intervals = interval_table(interval_report(age_gender_predictions()))
    assert intervals["true_age"].tolist() == [*AGE_BRACKETS, "everybody"]
    assert intervals["people"].iloc[:-1].sum() == intervals["people"].iloc[-1] == 150


def test_no_predictions_are_an_error() -> None:
    nobody = age_gender_predictions(count=0)
    for report in (lambda: interval_report(nobody), lambda: output_calibration(nobody, "gender", _card("age_gender"))):
        with pytest.raises(ConfigError, match="no predictions"):
            report()

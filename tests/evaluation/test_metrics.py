from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from core.errors import ConfigError
from core.evaluation.metrics import (
    age_report,
    class_report,
    classification_report,
    summary_metrics,
)
from core.evaluation.predictions import AgeArrays, Predictions
from core.types import EMOTIONS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions


def _only(predictions: Predictions, classes: list[int]) -> Predictions:
    return predictions.take(np.isin(predictions.truth["emotion"], classes))


CASES = {
    "all classes": emotion_predictions(),
    "without disgust": _only(emotion_predictions(), [0, 2, 3, 4, 5, 6]),
    "one class": _only(emotion_predictions(), [3]),
    "one sample": emotion_predictions(count=1),
}


@pytest.mark.parametrize("predictions", CASES.values(), ids=CASES.keys())
def test_report_agrees_with_scikit_learn(predictions: Predictions) -> None:
    report = class_report(predictions, "emotion")
    truth, answer = predictions.truth["emotion"], predictions.probabilities["emotion"].argmax(axis=1)
    classes = range(7)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, answer, labels=classes, zero_division=np.nan
    )
    np.testing.assert_array_equal(report.confusion, confusion_matrix(truth, answer, labels=classes))
    np.testing.assert_allclose(report.precision, precision)
    np.testing.assert_allclose(report.recall, recall)
    np.testing.assert_allclose(report.f1, f1)
    np.testing.assert_array_equal(report.support, support)
    assert report.macro_f1 == pytest.approx(f1_score(truth, answer, average="macro"))
    assert report.accuracy.value == pytest.approx((answer == truth).mean())


def test_a_perfect_model() -> None:
    truth = np.arange(7)
    report = classification_report(truth, truth, EMOTIONS)
    assert report.accuracy.value == report.macro_f1 == 1.0
    np.testing.assert_array_equal(report.normalised, np.eye(7))


def test_rows_are_the_truth_and_sum_to_1_unless_empty() -> None:
    report = classification_report(np.array([0, 0, 2]), np.array([0, 1, 1]), ("a", "b", "c"))
    assert report.confusion.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert report.normalised.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert math.isnan(report.recall[1])
    assert math.isnan(report.recall_intervals[1].value)
    assert math.isnan(report.precision[2])


EMPTY: dict[str, Predictions] = {
    "emotion": emotion_predictions(count=0),
    "age and gender": age_gender_predictions(count=0),
}


@pytest.mark.parametrize("predictions", EMPTY.values(), ids=EMPTY.keys())
def test_no_predictions_are_an_error(predictions: Predictions) -> None:
    with pytest.raises(ConfigError, match="at least one sample"):
        summary_metrics(predictions)


def test_age_error_is_against_the_label_as_it_is() -> None:
    people = age_gender_predictions(count=4)
    predictions = replace(
        people,
        truth={**people.truth, "age": np.array([1, 25, 40, 110])},
        age=AgeArrays(
            np.array([2, 31, 35, 100], np.float32),
            np.array([0, 24, 33, 90], np.float32),
            np.array([5, 40, 39, 105], np.float32),
        ),
    )
    report = age_report(predictions)
    assert report.mae.value == pytest.approx((1 + 6 + 5 + 10) / 4)
    assert report.bias == pytest.approx((1 + 6 - 5 - 10) / 4)
    assert report.within_5_years.value == 0.5
    assert report.coverage.value == 0.5
    assert report.interval_width == pytest.approx((5 + 16 + 6 + 15) / 4)
    assert report.brackets.accuracy.value == 0.5
    by_bracket = {one.label: one for one in report.by_bracket}
    assert by_bracket["70+"].mae.value == 10
    assert by_bracket["70+"].bias == -10
    assert by_bracket["50-59"].mae.n == 0
    assert math.isnan(by_bracket["50-59"].bias)


def test_brackets_share_out_everybody() -> None:
    report = age_report(age_gender_predictions())
    assert sum(one.mae.n for one in report.by_bracket) == report.n == 150
    weighted = sum(one.mae.value * one.mae.n for one in report.by_bracket if one.mae.n)
    assert weighted / report.n == pytest.approx(report.mae.value)


def test_headline_of_emotions() -> None:
    figures = summary_metrics(emotion_predictions())
    assert {"n", "accuracy", "accuracy_low", "accuracy_high", "macro_f1"} < set(figures)
    assert {f"recall_{emotion}" for emotion in EMOTIONS} < set(figures)
    assert figures["n"] == 120
    assert figures["accuracy_low"] < figures["accuracy"] < figures["accuracy_high"]


def test_headline_of_age_and_gender() -> None:
    figures = summary_metrics(age_gender_predictions())
    assert {"age_mae", "age_mae_low", "age_mae_high", "age_cs5", "bracket_accuracy"} < set(figures)
    assert {"gender_accuracy", "gender_accuracy_low", "gender_accuracy_high", "recall_female"} < set(figures)


def test_headline_has_the_age_error_of_every_bracket() -> None:
    predictions = age_gender_predictions(count=400)
    errors = {one.label: one.mae.value for one in age_report(predictions).by_bracket}
    figures = summary_metrics(predictions)
    assert figures["age_mae_3_9"] == errors["3-9"]
    assert figures["age_mae_70_plus"] == errors["70+"]


@pytest.mark.parametrize(
    "predictions",
    [emotion_predictions(count=1), age_gender_predictions(count=1), age_gender_predictions()],
    ids=["one emotion", "one age", "many ages"],
)
def test_headline_is_strict_json(predictions: Predictions) -> None:
    assert json.loads(json.dumps(summary_metrics(predictions), allow_nan=False)) == summary_metrics(predictions)

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ConfigError
from core.evaluation.metrics import (
    AGE_BRACKETS,
    age_report,
    bracket_indices,
    class_report,
    classes_without_samples,
    classification_report,
    describe_classes,
    sample_scores,
    summary_metrics,
)
from core.evaluation.predictions import AgeArrays, Predictions
from core.types import EMOTIONS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions


@pytest.mark.parametrize(
    ("years", "bracket"),
    [
        (0, "0-2"),
        (2.4, "0-2"),
        (2.5, "3-9"),
        (9.4, "3-9"),
        (10, "10-19"),
        (29.49, "20-29"),
        (69.4, "60-69"),
        (70, "70+"),
        (116, "70+"),
    ],
)
def test_bracket_of_the_nearest_whole_year(years: float, bracket: str) -> None:
    assert AGE_BRACKETS[bracket_indices(np.array([years]))[0]] == bracket


@pytest.mark.parametrize("years", [-1.0, math.nan], ids=["negative", "NaN"])
def test_ages_without_bracket_are_refused(years: float) -> None:
    with pytest.raises(ValueError, match="ages"):
        bracket_indices(np.array([years]))


def test_classification_report_by_hand() -> None:
    report = classification_report(np.array([0, 0, 2]), np.array([0, 1, 1]), ("a", "b", "c"))
    assert report.confusion.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert report.normalised.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert report.recall.tolist() == pytest.approx([0.5, math.nan, 0.0], nan_ok=True)
    assert report.precision.tolist() == pytest.approx([1.0, 0.0, math.nan], nan_ok=True)
    assert report.f1.tolist() == pytest.approx([2 / 3, 0.0, 0.0])
    assert report.macro_f1 == pytest.approx(1 / 3), "over the two classes with samples"
    assert report.support.tolist() == [2, 0, 1]
    assert report.accuracy.value == pytest.approx(1 / 3)
    assert math.isnan(report.recall_intervals[1].value)


def test_a_class_that_never_occurs_leaves_macro_f1() -> None:
    report = classification_report(np.array([0, 1]), np.array([0, 1]), ("a", "b", "c"))
    assert math.isnan(report.f1[2])
    assert report.macro_f1 == report.accuracy.value == 1.0


def test_classes_without_samples_are_named() -> None:
    labels = {"age": np.array([1, 25, 70]), "gender": np.array([0, 0, 0]), "race": np.zeros(3, np.int64)}
    missing = classes_without_samples("age_gender", labels)
    assert missing == {"gender": ("female",), "age bracket": ("3-9", "10-19", "30-39", "40-49", "50-59", "60-69")}
    assert describe_classes({"gender": missing["gender"]}).startswith("gender female: per-class metrics lack")
    angry = {"emotion": np.zeros(1, np.int64)}
    assert classes_without_samples("emotion_five", angry) == {"emotion": ("happy", "sad", "surprise", "neutral")}


@pytest.mark.parametrize(
    "predictions", [emotion_predictions(count=0), age_gender_predictions(count=0)], ids=["emotion", "age"]
)
def test_no_predictions_are_an_error(predictions: Predictions) -> None:
    with pytest.raises(ConfigError, match="at least one sample"):
        summary_metrics(predictions)


def test_age_error_is_against_the_label_as_it_is() -> None:
    predictions = age_gender_predictions(count=4)
    predictions = replace(
        predictions,
        truth={**predictions.truth, "age": np.array([1, 25, 40, 110])},
        age=AgeArrays(
            years=np.array([2, 31, 35, 100], np.float32),
            low=np.array([0, 24, 33, 90], np.float32),
            high=np.array([5, 40, 39, 105], np.float32),
        ),
    )
    report = age_report(predictions)
    assert report.mae.value == pytest.approx((1 + 6 + 5 + 10) / 4)
    assert report.bias == pytest.approx((1 + 6 - 5 - 10) / 4)
    assert report.within_5_years.value == 0.5
    assert report.coverage.value == 0.5
    assert report.interval_width == pytest.approx((5 + 16 + 6 + 15) / 4)
    assert report.brackets.accuracy.value == 0.5
    by_bracket = {bracket.label: bracket for bracket in report.by_bracket}
    assert (by_bracket["70+"].mae.value, by_bracket["70+"].bias) == (10, -10)
    assert by_bracket["50-59"].mae.n == 0
    assert math.isnan(by_bracket["50-59"].bias)


def test_sample_scores_average_to_the_metric() -> None:
    people, emotions = age_gender_predictions(), emotion_predictions()
    assert np.mean(sample_scores(people, "age")) == pytest.approx(age_report(people).mae.value)
    assert np.mean(sample_scores(emotions, "emotion")) == class_report(emotions, "emotion").accuracy.value
    assert sample_scores(people, "emotion") is None
    assert sample_scores(emotions, "age") is None


def test_summary_of_emotions() -> None:
    metrics = summary_metrics(emotion_predictions())
    intervals = {f"accuracy{end}" for end in ("", "_low", "_high")}
    assert set(metrics) == {"n", *intervals, "macro_f1"} | {f"recall_{emotion}" for emotion in EMOTIONS}
    assert metrics["n"] == 120
    assert metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"]


def test_summary_has_the_age_error_of_every_bracket() -> None:
    predictions = age_gender_predictions(count=400)
    errors = {bracket.label: bracket.mae.value for bracket in age_report(predictions).by_bracket}
    metrics = summary_metrics(predictions)
    assert (metrics["age_mae_3_9"], metrics["age_mae_70_plus"]) == (errors["3-9"], errors["70+"])
    assert {"age_mae", "age_cs5", "bracket_accuracy", "gender_accuracy_low", "recall_female"} < set(metrics)


@pytest.mark.parametrize(
    "predictions", [emotion_predictions(count=1), age_gender_predictions(count=1)], ids=["emotion", "age"]
)
def test_summary_of_one_sample_leaves_out_nan(predictions: Predictions) -> None:
    assert json.loads(json.dumps(summary_metrics(predictions), allow_nan=False)) == summary_metrics(predictions)

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.datasets.utkface import RACES
from core.errors import ConfigError
from core.evaluation.fairness import (
    MIN_GROUP_SIZE,
    GroupError,
    fairness_metrics,
    fairness_report,
    group_table,
    mae_in_age_range,
)
from core.evaluation.intervals import MetricValue
from core.evaluation.metrics import AGE_BRACKETS, age_report, class_report
from core.evaluation.predictions import AgeArrays, Predictions
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions

INTERSECTIONS = [("race",), ("age",), ("gender",), ("race", "age"), ("age", "gender"), ("race", "age", "gender")]


def _known(race: list[int], errors: list[float], right: list[bool]) -> Predictions:
    """Forty-year-old men of these races, whose predicted ages are off by ``errors`` years."""
    count = len(race)
    years = (40 + np.array(errors)).astype(np.float32)
    male = np.where(right, 0.9, 0.1)
    return Predictions(
        "age_gender",
        np.array([str(row) for row in range(count)], dtype=np.str_),
        {"age": np.full(count, 40), "gender": np.zeros(count, np.int64), "race": np.array(race)},
        {"gender": np.stack([male, 1 - male], axis=1).astype(np.float32)},
        AgeArrays(years, years, years),
    )


@pytest.mark.parametrize("by", INTERSECTIONS, ids="-".join)
def test_groups_partition_all_people(by: tuple[str, ...]) -> None:
    predictions = age_gender_predictions()
    report = fairness_report(predictions, by)
    assert sum(group.n for group in report.groups) == report.overall.n == 150
    for metric, whole in (
        ("age_mae", age_report(predictions).mae),
        ("gender_accuracy", class_report(predictions, "gender").accuracy),
    ):
        assert report.overall.metric(metric) == whole
        together = sum(group.metric(metric).value * group.n for group in report.groups if group.n)
        assert together / 150 == pytest.approx(whole.value)


def test_intersections_hold_the_people_of_both_labels() -> None:
    predictions = age_gender_predictions(count=400)
    report = fairness_report(predictions, ("race", "age"))
    assert [group.labels for group in report.groups] == list(product(RACES, AGE_BRACKETS))
    race, age = predictions.truth["race"], predictions.truth["age"]
    chosen = (race == 2) & (age >= 30) & (age < 40)
    group = next(group for group in report.groups if group.label == "Asian, 30-39")
    errors = np.abs(predictions.age_errors)[chosen]
    assert group.n == chosen.sum() > 0
    assert group.metrics["age_mae"].value == pytest.approx(errors.mean())


def test_a_group_without_people_has_no_metrics() -> None:
    predictions = age_gender_predictions()
    report = fairness_report(replace(predictions, truth={**predictions.truth, "race": np.full(150, 1)}))
    groups = {group.label: group for group in report.groups}
    assert list(groups) == list(RACES)
    assert groups["White"].n == 0
    assert math.isnan(groups["White"].metrics["age_mae"].value)
    assert groups["Black"].n == 150
    assert report.gaps == ()
    assert report.gap("age_mae") is None


def test_groups_under_30_are_marked_and_leave_the_gap() -> None:
    race = [0] * 30 + [1] * 30 + [2] * 29
    predictions = _known(race, [1.0] * 30 + [3.0] * 30 + [20.0] * 29, [True] * 30 + [False] * 15 + [True] * 44)
    report = fairness_report(predictions)
    assert MIN_GROUP_SIZE == 30
    assert [group.is_small for group in report.groups] == [False, False, True, True, True]
    gap, of_all = report.gap("age_mae"), report.gap("age_mae", with_small=True)
    assert gap is not None
    assert of_all is not None
    assert (gap.best.label, gap.worst.label, gap.size) == ("White", "Black", 2.0)
    assert (of_all.best.label, of_all.worst.label, of_all.size) == ("White", "Asian", 19.0)
    gender = report.gap("gender_accuracy")
    assert gender is not None
    assert (gender.best.label, gender.worst.label, gender.size) == ("White", "Black", 0.5)


def test_a_gap_is_compared_with_permuted_labels() -> None:
    rng = np.random.default_rng(0)
    race = rng.integers(0, 2, 600)
    errors = rng.normal(0, 5, 600)
    alike = fairness_report(_known(list(race), list(errors), [True] * 600)).gap("age_mae")
    apart = fairness_report(_known(list(race), list(errors * (1 + race)), [True] * 600)).gap("age_mae")
    assert alike is not None
    assert apart is not None
    assert alike.size < alike.chance_gap < apart.chance_gap < apart.size


@pytest.mark.parametrize("by", [(), ("height",), ("race", "race")], ids=["none", "unknown", "twice"])
def test_unknown_groupings_say_what_is_allowed(by: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="race, fairface_race, age, gender, got"):
        fairness_report(age_gender_predictions(), by)


def test_no_predictions_are_an_error() -> None:
    with pytest.raises(ConfigError, match="at least one sample"):
        fairness_report(age_gender_predictions(count=0))


def test_both_metrics_are_of_the_same_people() -> None:
    with pytest.raises(ValueError, match="same 5 people"):
        GroupError((), 5, {"age_mae": MetricValue(1, 0, 2, 5), "gender_accuracy": MetricValue(1, 0, 1, 6)})


def test_ages_are_chosen_with_both_ends() -> None:
    truth = np.array([9, 10, 20, 21])
    years = (truth + np.array([1, 2, 4, 8])).astype(np.float32)
    known = _known([0] * 4, [0.0] * 4, [True] * 4)
    predictions = replace(known, truth={**known.truth, "age": truth}, age=AgeArrays(years, years, years))
    error = mae_in_age_range(predictions, 10, 20)
    assert (error.value, error.n) == (3.0, 2)


def test_metrics_for_the_card() -> None:
    predictions = age_gender_predictions(count=400)
    metrics = fairness_metrics(predictions)
    assert set(metrics) == {"age_mae_gap_race", "gender_accuracy_gap_race", "age_mae_0_9"}
    assert metrics["age_mae_0_9"] == mae_in_age_range(predictions, 0, 9).value
    assert fairness_metrics(emotion_predictions()) == {}
    assert fairness_metrics(_known([0] * 40, [1.0] * 40, [True] * 40)) == {}, "one race, no children"


def test_table_marks_small_groups() -> None:
    table = group_table(fairness_report(age_gender_predictions(), ("race", "age")))
    assert len(table) == 45
    assert table["people"].sum() == 150
    assert table["small_group"].tolist() == (table["people"] < 30).tolist()
    assert table.loc[0, ["race_label", "age_label"]].tolist() == ["White", "0-2"]

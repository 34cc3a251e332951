"""Networks compared image by image, with made-up answers and those that are stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, PREDICTIONS_FILE
from core.evaluation.intervals import MetricValue, mean_difference
from core.evaluation.leaderboard import UNMEASURED, Group, load_leaderboard
from core.evaluation.leaderboard_tables import format_difference, group_table, whole_table
from core.evaluation.measures import MEASURES, Measure
from core.evaluation.paired import by_image, differences_to_best
from core.evaluation.predictions import Predictions, save_predictions
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions
from tests.fakes.leaderboard import write_networks

EMOTION, AGE = (next(one for one in MEASURES if one.key == key) for key in ("emotion", "age"))


def answering(truth: list[int], answers: list[int]) -> Predictions:
    ids = np.array([f"image {row}" for row in range(len(truth))])
    probabilities = np.eye(7, dtype=np.float32)[answers]
    return Predictions("emotion", ids, {"emotion": np.array(truth, np.int64)}, {"emotion": probabilities})


def emotions(root: Path, **answered: Predictions) -> Group:
    for name, predictions in answered.items():
        save_predictions(root / name / PREDICTIONS_FILE, {"private": predictions})
    return load_leaderboard(root).groups[0]


def test_what_is_hard_for_both_takes_no_part(tmp_path: Path) -> None:
    write_networks(tmp_path)
    truth = [0, 1, 2, 3] * 25
    best = answering(truth, [0, 1, 2, 4] * 25)
    # Wrong on the same quarter, and on four images more.
    other = replace(best, probabilities={"emotion": best.probabilities["emotion"].copy()})
    other.probabilities["emotion"][[0, 1, 4, 5]] = np.eye(7, dtype=np.float32)[6]
    backwards = other.take(np.arange(100)[::-1])
    group = emotions(tmp_path, emotion=best, four_conv=backwards)
    apart = differences_to_best(group, tmp_path)["four_conv"]
    assert apart.value == pytest.approx(-0.04)
    assert apart.n == 100
    assert apart.low == pytest.approx(-0.0786, abs=1e-3)
    assert apart.high < 0


def test_networks_without_answers_about_these_images_are_left_out(tmp_path: Path) -> None:
    write_networks(tmp_path)
    group = emotions(tmp_path, emotion=emotion_predictions(50))
    assert differences_to_best(group, tmp_path) == {}
    assert differences_to_best(emotions(tmp_path, four_conv=emotion_predictions(49)), tmp_path) == {}
    (tmp_path / "emotion" / PREDICTIONS_FILE).write_bytes(b"no archive")
    assert differences_to_best(group, tmp_path) == {}
    assert group_table(group)["behind"].isna().all()


def test_scores_are_right_answers_or_years() -> None:
    people = age_gender_predictions(20)
    years = by_image(people, AGE)
    assert years is not None
    assert list(years.values()) == pytest.approx(np.abs(people.age_errors).tolist())
    assert by_image(people, EMOTION) is None


@pytest.mark.parametrize(
    ("apart", "measure", "text"),
    [
        (MetricValue(-0.0266, -0.0342, -0.019, 4732), EMOTION, "-2.7 points (-3.4 to -1.9)"),
        (MetricValue(1.353, 1.209, 1.497, 4732), AGE, "+1.35 years (+1.21 to +1.50)"),
        (UNMEASURED, AGE, ""),
    ],
    ids=["share", "years", "unknown"],
)
def test_a_distance_in_words(apart: MetricValue, measure: Measure, text: str) -> None:
    assert format_difference(apart, measure) == text


@pytest.mark.parametrize("count", [0, 1])
def test_a_mean_of_too_few_has_no_interval(count: int) -> None:
    found = mean_difference(np.ones(count))
    assert found.n == count
    assert np.isnan([found.low, found.high]).all()


def test_stored_answers_give_the_differences_of_the_stored_figures() -> None:
    board = load_leaderboard(ARTIFACTS_DIR)
    behind = {group.title: differences_to_best(group, ARTIFACTS_DIR) for group in board.groups}
    for group in board.groups:
        best, *others = group.rows
        assert behind[group.title].keys() == {row.network.name for row in others}
        for row in others:
            difference = row.reported.value - best.reported.value
            assert behind[group.title][row.network.name].value == pytest.approx(difference, abs=1e-6)
    table = whole_table(board, behind)
    assert table["behind"].notna().sum() == sum(len(group.rows) - 1 for group in board.groups)

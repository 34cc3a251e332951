"""Figures, calibration and errors by group of networks that answer only part, or age groups, or five emotions."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from core.artifacts.model_card import ModelCard
from core.attributes.postprocessing import postprocess_outputs
from core.datasets.label_subsets import FIVE_EMOTIONS
from core.datasets.loading import has_data, read_split
from core.datasets.samples import Samples
from core.evaluation.calibration import calibration_metrics
from core.evaluation.fairness import fairness_metrics, fairness_report
from core.evaluation.metrics import age_group_report, emotion_report, summary_metrics
from core.evaluation.predict import predictions_from_outputs
from core.evaluation.predictions import (
    KINDS,
    AgeGroupGenderPredictions,
    EmotionPredictions,
    GenderPredictions,
)
from core.evaluation.tables import group_table
from tests.fakes.classic import age_group_predictions, five_emotion_predictions, predictions_of
from tests.fakes.evaluation import card_dict, write_fer2013_csv

MAIN = {
    "emotion": ("accuracy",),
    "emotion_five": ("accuracy",),
    "age_gender": ("age_mae", "bracket_accuracy", "gender_accuracy"),
    "gender": ("gender_accuracy",),
    "age": ("age_mae", "bracket_accuracy"),
    "age_group_gender": ("age_mae", "bracket_accuracy", "age_group_accuracy", "gender_accuracy"),
    "age_gender_published": ("age_mae", "bracket_accuracy", "gender_accuracy"),
}
ALL_MAIN = {name for names in MAIN.values() for name in names}


def _card(task: str) -> ModelCard:
    return ModelCard.from_dict(card_dict("toy", task))


@pytest.mark.parametrize("task", KINDS)
def test_each_kind_has_its_main_figures_with_intervals_and_no_others(task: str) -> None:
    figures = summary_metrics(predictions_of(task))
    assert ALL_MAIN & set(figures) == set(MAIN[task])
    for name in MAIN[task]:
        assert figures[f"{name}_low"] < figures[name] < figures[f"{name}_high"]
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


@pytest.mark.parametrize("task", ["gender", "age", "age_gender"])
def test_a_part_has_the_figures_of_the_whole(task: str) -> None:
    whole, part = summary_metrics(predictions_of("age_group_gender")), summary_metrics(predictions_of(task))
    assert part.items() <= whole.items()


def test_five_emotions_have_five_classes() -> None:
    predictions = five_emotion_predictions()
    report = emotion_report(predictions)
    seven = emotion_report(EmotionPredictions(predictions.ids, predictions.truth, predictions.probabilities))
    assert report.labels == FIVE_EMOTIONS
    assert report.confusion.shape == (5, 5)
    assert report.accuracy == seven.accuracy
    assert np.array_equal(report.confusion, seven.confusion[np.ix_(*[predictions.class_indices] * 2)])
    assert "recall_fear" not in summary_metrics(predictions)


def test_age_groups_have_eight_classes() -> None:
    predictions = age_group_predictions()
    report = age_group_report(predictions)
    assert report.labels[-1] == "60+"
    assert report.confusion.sum() == len(predictions)
    right = predictions.age_group_probabilities.argmax(axis=1) == predictions.age_group_true
    assert report.accuracy.value == right.mean()


CALIBRATED = {
    "emotion_five": {"ece"},
    "gender": {"gender_ece"},
    "age": {"interval_coverage_lowest"},
    "age_group_gender": {"interval_coverage_lowest", "age_group_ece", "gender_ece"},
}


@pytest.mark.parametrize("task", CALIBRATED)
def test_calibration_is_about_what_is_answered(task: str) -> None:
    figures = calibration_metrics(predictions_of(task), _card(task))
    asked = {name for names in CALIBRATED.values() for name in names}
    assert asked & set(figures) == CALIBRATED[task]


@pytest.mark.parametrize(
    ("task", "figures"), [("gender", ("gender_accuracy",)), ("age", ("age_mae",))], ids=["gender", "age"]
)
def test_groups_of_a_part_are_those_of_the_whole(task: str, figures: tuple[str, ...]) -> None:
    whole = predictions_of("age_gender", 400)
    part = predictions_of(task, 400)
    assert not isinstance(whole, EmotionPredictions)
    assert not isinstance(part, EmotionPredictions)
    of_whole, of_part = fairness_report(whole), fairness_report(part)
    assert of_part.figures == figures
    for name in of_part.figures:
        measured = [one.measured(name) for one in of_part.groups]
        assert measured == [one.measured(name) for one in of_whole.groups]
        assert of_part.gap(name) is not None
    assert {gap.figure for gap in of_part.gaps} == set(figures)
    columns = group_table(of_part).columns
    assert ("gender_accuracy" in columns, "age_mae_years" in columns) == (task == "gender", task == "age")
    assert fairness_metrics(part).items() <= fairness_metrics(whole).items()


def _people(count: int) -> Samples:
    rng = np.random.default_rng(3)
    labels = {"age": rng.integers(0, 90, count), "gender": rng.integers(0, 2, count), "race": rng.integers(0, 5, count)}
    return Samples(np.array([f"p{row}" for row in range(count)]), np.zeros((count, 2, 2, 3), np.uint8), labels)


OUTPUTS = {"gender": {"gender": 2}, "age": {"age": 1}, "age_group_gender": {"age_group": 8, "gender": 2}}


@pytest.mark.parametrize("task", OUTPUTS)
def test_outputs_become_the_predictions_of_their_task(task: str) -> None:
    rng, samples = np.random.default_rng(0), _people(30)
    outputs = {
        name: rng.dirichlet(np.ones(width), 30).astype(np.float32) if width > 1 else rng.uniform(0, 90, (30, 1))
        for name, width in OUTPUTS[task].items()
    }
    temperature = {"gender": 2.0, "age_group": 1.5}
    predictions = predictions_from_outputs(outputs, samples, temperature=temperature)
    assert type(predictions) is KINDS[task]
    served = postprocess_outputs(outputs, temperature)
    if "gender" in served.probabilities:
        assert isinstance(predictions, GenderPredictions)
        assert predictions.gender_probabilities == pytest.approx(served.probabilities["gender"])
    if isinstance(predictions, AgeGroupGenderPredictions):
        assert served.age is not None
        assert predictions.age_years == pytest.approx(served.age.years)
        assert predictions.age_group_probabilities.argmax(1).tolist() == outputs["age_group"].argmax(1).tolist()
    assert {"age_true", "gender_true", "race"} <= {field.name for field in fields(predictions)}


def test_five_emotions_are_the_tasks_word_not_the_outputs() -> None:
    known = five_emotion_predictions()
    images = np.zeros((len(known), 2, 2, 1), np.uint8)
    samples = Samples(known.ids, images, {"emotion": known.truth})
    outputs = {"emotion": known.probabilities}
    assert type(predictions_from_outputs(outputs, samples)) is EmotionPredictions
    assert type(predictions_from_outputs(outputs, samples, task="emotion_five")) is KINDS["emotion_five"]


def test_the_five_emotions_of_a_test_set_are_read_again(tmp_path) -> None:
    folder = write_fer2013_csv(tmp_path, private=60)
    everything = read_split(folder, "emotion", "private", np.array([]), 48)
    five = read_split(folder, "emotion_five", "five_private", np.array([]), 48)
    wanted = ~np.isin(everything.labels["emotion"], [1, 2])
    assert 0 < len(five) < 60
    assert five.ids.tolist() == everything.ids[wanted].tolist()
    assert has_data(folder, "emotion_five")
    assert not has_data(folder, "gender")

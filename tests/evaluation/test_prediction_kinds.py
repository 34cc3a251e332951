"""Figures, calibration and errors by group of networks that answer only part, or age groups, or five emotions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.artifacts.model_card import ModelCard
from core.attributes.postprocessing import postprocess_outputs
from core.datasets.loading import has_data, read_split
from core.datasets.samples import Samples
from core.evaluation.calibration import calibration_metrics
from core.evaluation.fairness import fairness_metrics, fairness_report
from core.evaluation.metrics import class_report, summary_metrics
from core.evaluation.predict import predict_images, predictions_from_outputs
from core.evaluation.tables import group_table
from core.tasks import ATTRIBUTE_TASKS, CLASSES, FIVE_EMOTIONS, TASKS
from tests.fakes.evaluation import card_dict, predictions_of, write_fer2013_csv

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


@pytest.mark.parametrize("task", ATTRIBUTE_TASKS)
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
    predictions = predictions_of("emotion_five")
    report = class_report(predictions, "emotion")
    seven = class_report(replace(predictions, task="emotion"), "emotion")
    assert report.labels == FIVE_EMOTIONS
    assert report.confusion.shape == (5, 5)
    assert report.accuracy == seven.accuracy
    known = predictions.class_indices("emotion")
    assert np.array_equal(report.confusion, seven.confusion[np.ix_(known, known)])
    assert "recall_fear" not in summary_metrics(predictions)


def test_age_groups_have_eight_classes() -> None:
    predictions = predictions_of("age_group_gender")
    report = class_report(predictions, "age_group")
    assert report.labels[-1] == "60+"
    assert report.confusion.sum() == len(predictions)
    right = predictions.predicted("age_group") == predictions.truth["age_group"]
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
    predictions = predictions_from_outputs(outputs, samples, task, temperature=temperature)
    served = postprocess_outputs(outputs, temperature)
    assert set(predictions.probabilities) == set(TASKS[task].outputs) & set(CLASSES)
    if "gender" in served.probabilities:
        assert predictions.probabilities["gender"] == pytest.approx(served.probabilities["gender"])
    if served.age is not None:
        assert predictions.ages.years == pytest.approx(served.age.years)
    if "age_group" in outputs:
        assert predictions.predicted("age_group").tolist() == outputs["age_group"].argmax(1).tolist()
    assert {"age", "gender", "race"} <= set(predictions.truth)


class LeftMinusRight:
    """Answers how bright the left half and the right half are."""

    def predict(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        halves = crops.astype(np.float32)
        return {"side": np.stack([half.mean(axis=(1, 2, 3)) for half in (halves[:, :, :2], halves[:, :, 2:])], axis=1)}


def test_batches_are_joined_and_progress_reaches_1() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (70, 4, 4, 1), np.uint8)
    shares: list[float] = []
    outputs = predict_images(LeftMinusRight(), crops, shares.append)
    assert outputs["side"] == pytest.approx(LeftMinusRight().predict(crops)["side"])
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_test_time_augmentation_averages_each_crop_and_its_mirror_image() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8)
    outputs = predict_images(LeftMinusRight(), crops, tta=True)["side"]
    assert outputs[:, 0] == pytest.approx(outputs[:, 1])
    assert outputs[:, 0] == pytest.approx(crops.mean(axis=(1, 2, 3)), abs=1e-3)


def test_the_five_emotions_of_a_test_set_are_read_again(tmp_path) -> None:
    folder = write_fer2013_csv(tmp_path, private=60)
    everything = read_split(folder, "emotion", "private", np.array([]), 48)
    five = read_split(folder, "emotion_five", "five_private", np.array([]), 48)
    wanted = ~np.isin(everything.labels["emotion"], [1, 2])
    assert 0 < len(five) < 60
    assert five.ids.tolist() == everything.ids[wanted].tolist()
    assert has_data(folder, "emotion_five")
    assert not has_data(folder, "gender")

"""From outputs to predictions and metrics, for every task."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.artifacts.model_card import ModelCard
from core.attributes.postprocessing import postprocess_outputs
from core.datasets.samples import Samples
from core.evaluation.calibration import calibration_metrics
from core.evaluation.fairness import fairness_metrics
from core.evaluation.metrics import class_report, summary_metrics
from core.evaluation.predict import predict_images, predictions_from_outputs
from core.tasks import ATTRIBUTE_TASKS, CLASSES, FIVE_EMOTIONS, TASKS
from tests.fakes.evaluation import card_dict, predictions_of

CALIBRATION = {
    "accuracy": "ece",
    "gender_accuracy": "gender_ece",
    "age_group_accuracy": "age_group_ece",
    "age_mae": "interval_coverage_lowest",
}
FAIRNESS = {"gender_accuracy": "gender_accuracy_gap_race", "age_mae": "age_mae_gap_race"}


@pytest.mark.parametrize("task", ATTRIBUTE_TASKS)
def test_each_task_has_its_metrics_and_no_others(task: str) -> None:
    predictions, wanted = predictions_of(task, 400), set(TASKS[task].metrics)
    summary = summary_metrics(predictions)
    assert CALIBRATION.keys() & summary.keys() == wanted
    assert all(summary[f"{name}_low"] < summary[name] < summary[f"{name}_high"] for name in wanted)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    calibration = calibration_metrics(predictions, ModelCard.from_dict(card_dict("toy", task)))
    assert {name for name, other in CALIBRATION.items() if other in calibration} == wanted
    fairness = fairness_metrics(predictions)
    assert {name for name, other in FAIRNESS.items() if other in fairness} == wanted & FAIRNESS.keys()


@pytest.mark.parametrize("task", ["gender", "age", "age_gender"])
def test_metrics_of_an_output_do_not_depend_on_the_others(task: str) -> None:
    part, whole = predictions_of(task), predictions_of("age_group_gender")
    assert summary_metrics(part).items() <= summary_metrics(whole).items()
    assert fairness_metrics(part).items() <= fairness_metrics(whole).items()


def test_a_report_has_the_classes_that_the_task_tells_apart() -> None:
    predictions = predictions_of("emotion_five")
    five = class_report(predictions, "emotion")
    seven = class_report(replace(predictions, task="emotion"), "emotion")
    known = predictions.class_indices("emotion")
    assert five.labels == FIVE_EMOTIONS
    assert five.accuracy == seven.accuracy
    assert np.array_equal(five.confusion, seven.confusion[np.ix_(known, known)])
    assert "recall_fear" not in summary_metrics(predictions)


WIDTHS = {"gender": {"gender": 2}, "age": {"age": 1}, "age_group_gender": {"age_group": 8, "gender": 2}}


@pytest.mark.parametrize("task", WIDTHS)
def test_outputs_become_the_predictions_that_are_served(task: str) -> None:
    rng, count = np.random.default_rng(3), 30
    labels = {name: rng.integers(0, most, count) for name, most in (("age", 90), ("gender", 2), ("race", 5))}
    samples = Samples(np.array([f"p{row}" for row in range(count)]), np.zeros((count, 2, 2, 3), np.uint8), labels)
    outputs = {
        name: rng.dirichlet(np.ones(width), count).astype(np.float32) if width > 1 else rng.uniform(0, 90, (count, 1))
        for name, width in WIDTHS[task].items()
    }
    temperature = {"gender": 2.0, "age_group": 1.5}
    predictions = predictions_from_outputs(outputs, samples, task, temperature=temperature)
    served = postprocess_outputs(outputs, temperature)
    assert set(predictions.probabilities) == set(TASKS[task].outputs) & set(CLASSES)
    for output, probabilities in predictions.probabilities.items():
        assert probabilities == pytest.approx(served.probabilities[output])
    if served.age is not None:
        assert predictions.ages.years == pytest.approx(served.age.years)
    assert all(np.array_equal(predictions.truth[name], values) for name, values in labels.items())


class HalvesModel:
    """Outputs how bright the left half and the right half are."""

    def predict(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        halves = (crops[:, :, :2], crops[:, :, 2:])
        return {"halves": np.stack([half.mean(axis=(1, 2, 3), dtype=np.float32) for half in halves], axis=1)}


def test_batches_are_joined_and_progress_reaches_1() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (70, 4, 4, 1), np.uint8)
    shares: list[float] = []
    outputs = predict_images(HalvesModel(), crops, shares.append)
    assert outputs["halves"] == pytest.approx(HalvesModel().predict(crops)["halves"])
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_views_of_each_crop_are_averaged() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8)
    outputs = predict_images(HalvesModel(), crops, views=2)["halves"]
    assert outputs[:, 0] == pytest.approx(outputs[:, 1])
    assert outputs[:, 0] == pytest.approx(crops.mean(axis=(1, 2, 3)), abs=1e-3)

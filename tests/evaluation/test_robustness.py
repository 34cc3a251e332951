from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.artifacts.model_card import ROBUSTNESS_FILE, load_card
from core.errors import ArtifactCorruptError, ArtifactMissingError, ConfigError
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.metrics import summary_metrics
from core.evaluation.predictions import Predictions
from core.evaluation.robustness import (
    ConditionMetrics,
    CorruptionMetrics,
    load_report,
    measure_condition,
    robustness_table,
    summarize,
)
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions
from tests.fakes.robustness import CORRECT, MODEL_SHA256, example_report, list_on_card, write_measured

AGE = MetricValue(5.0, 4.0, 6.0, 100)
NONE_CORRECT = ConditionMetrics(wilson_interval(0, 100), 0.5)
ADVICE = "python -m models robustness emotion --data DIR"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_measured(tmp_path)


@pytest.mark.parametrize("task", ["emotion", "age_gender"])
def test_the_report_comes_back(tmp_path: Path, task: str) -> None:
    folder = write_measured(tmp_path, task)
    assert load_report(folder, load_card(folder)) == example_report(task)


def test_the_file_keeps_its_keys(folder: Path) -> None:
    content = json.loads((folder / ROBUSTNESS_FILE).read_text())
    assert {"side", "side_images", "model_sha256", "limited_by", "clean", "summary"} <= content.keys()
    assert content["corruptions"][0].keys() == {"name", "title", "unit", "levels", "figures"}
    assert content["summary"] == pytest.approx(summarize(example_report()))


def test_an_unknown_interval_comes_back_as_nan(tmp_path: Path) -> None:
    single = ConditionMetrics(wilson_interval(1, 1), 0.9, MetricValue(3.0, math.nan, math.nan, 1))
    corruption = CorruptionMetrics("noise", "Noise", "steps", (1.0,), (single,))
    folder = write_measured(tmp_path, "age_gender", images=1, clean=single, corruptions=(corruption,))
    age = load_report(folder, load_card(folder)).clean.metric("age_mae")
    assert age.value == 3.0
    assert math.isnan(age.low)


def test_means_are_over_all_corruptions_and_severities() -> None:
    report = example_report("age_gender")
    assert [corruption.mean("accuracy") for corruption in report.corruptions] == pytest.approx([0.5, 0.74])
    assert report.mean_corrupted("accuracy") == pytest.approx(0.62)
    assert report.retained_accuracy == pytest.approx(0.62 / 0.8)
    assert report.mean_corrupted("age_mae") == pytest.approx(5 + (80 - 62) / 10)
    assert summarize(report)["mean_relative_drop"] == pytest.approx(1 - 0.62 / 0.8)
    assert "clean_age_mae" not in summarize(example_report())


def test_relative_drop_is_positive_for_what_gets_worse() -> None:
    report = example_report("age_gender")
    noise, glasses = report.corruptions
    assert report.relative_drop(noise, "accuracy") == pytest.approx(0.3 / 0.8)
    assert report.relative_drop(noise, "age_mae") == pytest.approx(3 / 5)
    assert report.relative_drop(glasses, "age_mae") == pytest.approx(0.6 / 5)


def test_shares_of_no_accuracy_are_unknown(tmp_path: Path) -> None:
    report = replace(example_report(), clean=NONE_CORRECT)
    assert math.isnan(report.retained_accuracy)
    assert math.isnan(report.relative_drop(report.corruptions[0], "accuracy"))
    folder = write_measured(tmp_path, clean=NONE_CORRECT)
    assert json.loads((folder / ROBUSTNESS_FILE).read_text())["summary"]["mean_relative_drop"] is None


@pytest.mark.parametrize(
    ("predictions", "accuracy", "output"),
    [(emotion_predictions(), "accuracy", "emotion"), (age_gender_predictions(), "gender_accuracy", "gender")],
    ids=["emotion", "age and gender"],
)
def test_metrics_of_a_condition(predictions: Predictions, accuracy: str, output: str) -> None:
    metrics, expected = measure_condition(predictions), summary_metrics(predictions)
    assert (metrics.accuracy.value, metrics.n) == (expected[accuracy], len(predictions))
    assert metrics.confidence == pytest.approx(predictions.probabilities[output].max(axis=1).mean())
    assert (metrics.age_mae and metrics.age_mae.value) == expected.get("age_mae")


def test_complete_certainty_is_no_more_than_1() -> None:
    sure = np.eye(7, dtype=np.float32)[[0, 3]] * np.float32(1 + 1e-7)
    predictions = Predictions("emotion", np.array(["a", "b"]), {"emotion": np.array([0, 3])}, {"emotion": sure})
    assert measure_condition(predictions).confidence == 1.0


@pytest.mark.parametrize("name", ["age_mae", "valence"])
def test_metrics_that_were_not_measured_are_refused(name: Any) -> None:
    with pytest.raises(ConfigError, match="one of accuracy, age_mae and measured"):
        example_report().mean_corrupted(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "detection"}, "task must be one of"),
        ({"limited_by": "none"}, "do not fit limited_by"),
        ({"split_images": 100}, "do not fit limited_by"),
        ({"split_images": 99}, r"images must be in 1\.\.99"),
        ({"images": 99}, "metrics must be of 99 images"),
        ({"task": "age_gender"}, "with ages for age_gender only"),
        ({"clean": ConditionMetrics(wilson_interval(80, 100), 0.8, AGE)}, "with ages for age_gender only"),
        ({"corruptions": ()}, "at least one"),
        ({"corruptions": example_report().corruptions[:1] * 2}, "unique"),
    ],
)
def test_reports_that_contradict_themselves_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(example_report(), **changes)


def test_metrics_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="shares"):
        ConditionMetrics(wilson_interval(8, 10), 1.2)
    with pytest.raises(ValueError, match="shares"):
        ConditionMetrics(MetricValue(math.nan, math.nan, math.nan, 0), 0.5)
    with pytest.raises(ValueError, match="age error"):
        ConditionMetrics(wilson_interval(8, 10), 0.8, AGE)
    with pytest.raises(ValueError, match="as many levels"):
        CorruptionMetrics("noise", "Noise", "steps", (1.0,), example_report().corruptions[0].by_severity)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / ROBUSTNESS_FILE).unlink()
    with pytest.raises(ArtifactMissingError, match=rf"{ROBUSTNESS_FILE} is missing.*{ADVICE}"):
        load_report(folder, load_card(folder))


def test_a_report_about_another_network_is_refused(folder: Path) -> None:
    card = load_card(folder)
    files = dict(card.files) | {"model.tflite": {"bytes": 1, "sha256": "f" * 64}}
    with pytest.raises(ArtifactCorruptError, match=f"another network.*{ADVICE}"):
        load_report(folder, replace(card, files=files))
    with pytest.raises(ArtifactCorruptError, match="another network"):
        load_report(folder, replace(card, task="age_gender"))


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "no accuracy": lambda content: content["clean"]["accuracy"].update(value=None),
    "a severity is missing": lambda content: content["corruptions"][0]["figures"].pop(),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_contents_that_are_not_a_report_are_refused(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / ROBUSTNESS_FILE).read_text())
    change(content)
    (folder / ROBUSTNESS_FILE).write_text(json.dumps(content))
    card = list_on_card(folder, ROBUSTNESS_FILE)
    assert card.files["model.tflite"]["sha256"] == MODEL_SHA256
    with pytest.raises(ArtifactCorruptError, match=rf"{ROBUSTNESS_FILE} cannot be used.*{ADVICE}"):
        load_report(folder, card)


def test_table_of_corruptions_and_severities() -> None:
    report = example_report("age_gender")
    table = robustness_table(replace(report, corruptions=report.corruptions[::-1]), "accuracy")
    columns = [f"severity_{severity}_accuracy" for severity in (1, 2, 3, 4, 5)]
    assert list(table.columns) == ["corruption", "clean_accuracy", *columns, "mean_accuracy", "relative_drop"]
    assert list(table["corruption"]) == ["Noise", "Glasses"]
    assert table.loc[0, columns].tolist() == [correct / 100 for correct in CORRECT["noise"]]
    assert table["mean_accuracy"].tolist() == pytest.approx([0.5, 0.74])
    assert table["relative_drop"].tolist() == pytest.approx([0.375, 0.075])
    years = robustness_table(report, "age_mae")
    assert years.loc[0, ["clean_years", "severity_5_years"]].tolist() == [5, 10]
    assert years["relative_increase"].tolist() == pytest.approx([0.6, 0.12])

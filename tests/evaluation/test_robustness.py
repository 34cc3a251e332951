from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.artifacts.model_card import load_card
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.metrics import summary_metrics
from core.evaluation.predictions import Predictions
from core.evaluation.robustness import (
    ROBUSTNESS_FILE,
    CorruptionFigures,
    Figures,
    figures_of,
    load_report,
    report_dict,
    summary,
)
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions
from tests.fakes.robustness import MODEL_SHA256, example_report, list_on_card, write_measured

TASKS = ["emotion", "age_gender"]
AGE = MetricValue(5.0, 4.0, 6.0, 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_measured(tmp_path)


def _rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the file and list it on the card as it is then."""
    content = json.loads((folder / ROBUSTNESS_FILE).read_text())
    change(content)
    (folder / ROBUSTNESS_FILE).write_text(json.dumps(content))
    list_on_card(folder, ROBUSTNESS_FILE)


@pytest.mark.parametrize("task", TASKS)
def test_the_report_comes_back(tmp_path: Path, task: str) -> None:
    folder = write_measured(tmp_path, task)
    assert load_report(folder, load_card(folder)) == example_report(task)
    assert not list(folder.glob("*.partial"))


def test_an_interval_of_one_picture_comes_back_as_nan(tmp_path: Path) -> None:
    one = Figures(wilson_interval(1, 1), 0.9, MetricValue(3.0, math.nan, math.nan, 1))
    corruption = CorruptionFigures("noise", "Noise", "steps", (1.0,) * 5, (one,) * 5)
    folder = write_measured(tmp_path, "age_gender", images=1, clean=one, corruptions=(corruption,))
    age = load_report(folder, load_card(folder)).clean.age_mae
    assert age is not None
    assert age.value == 3.0
    assert math.isnan(age.low)
    assert math.isnan(age.high)


def test_means_are_over_all_corruptions_and_severities() -> None:
    report = example_report("age_gender")
    assert [one.mean_accuracy for one in report.corruptions] == pytest.approx([0.5, 0.74])
    assert report.mean_corrupted_accuracy == pytest.approx(0.62)
    assert report.mean_relative_drop == pytest.approx(1 - 0.62 / 0.8)
    assert report.mean_corrupted_age_mae == pytest.approx(5 + (80 - 62) / 10)
    assert summary(report)["mean_corrupted_age_mae"] == report.mean_corrupted_age_mae
    assert "clean_age_mae" not in summary(example_report())


def test_without_any_right_answer_the_drop_is_unknown_and_json_has_no_nan() -> None:
    report = replace(example_report(), clean=Figures(wilson_interval(0, 100), 0.5))
    assert math.isnan(report.mean_relative_drop)
    text = json.dumps(report_dict(report), allow_nan=False)
    assert json.loads(text)["summary"]["mean_relative_drop"] is None


def test_figures_of_emotions() -> None:
    predictions = emotion_predictions()
    figures = figures_of(predictions)
    assert figures.accuracy.value == summary_metrics(predictions)["accuracy"]
    assert figures.confidence == pytest.approx(predictions.probabilities["emotion"].max(axis=1).mean())
    assert (figures.n, figures.age_mae) == (120, None)


def test_figures_of_ages_and_genders() -> None:
    predictions = age_gender_predictions()
    figures, expected = figures_of(predictions), summary_metrics(predictions)
    assert figures.accuracy.value == expected["gender_accuracy"]
    assert figures.confidence == pytest.approx(predictions.probabilities["gender"].max(axis=1).mean())
    assert figures.age_mae is not None
    assert (figures.age_mae.value, figures.n) == (expected["age_mae"], 150)


def test_complete_certainty_is_no_more_than_1() -> None:
    sure = np.eye(7, dtype=np.float32)[[0, 3]] * np.float32(1 + 1e-7)
    predictions = Predictions("emotion", np.array(["a", "b"]), {"emotion": np.array([0, 3])}, {"emotion": sure})
    assert figures_of(predictions).confidence == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "detection"}, "task must be one of"),
        ({"limited_by": "mood"}, "limited_by must be one of"),
        ({"limited_by": "none"}, "do not fit limited_by"),
        ({"side_images": 100}, "do not fit limited_by"),
        ({"side_images": 99}, "do not fit limited_by"),
        ({"images": 99}, "figures must be of 99 images"),
        ({"task": "age_gender"}, "with ages for age_gender only"),
        ({"clean": Figures(wilson_interval(80, 100), 0.8, AGE)}, "with ages for age_gender only"),
        ({"corruptions": ()}, "at least one"),
        ({"corruptions": example_report().corruptions[:1] * 2}, "unique"),
    ],
)
def test_reports_that_contradict_themselves_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(example_report(), **changes)


def test_figures_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="shares"):
        Figures(wilson_interval(8, 10), 1.2)
    with pytest.raises(ValueError, match="shares"):
        Figures(MetricValue(math.nan, math.nan, math.nan, 0), 0.5)
    with pytest.raises(ValueError, match="age error"):
        Figures(wilson_interval(8, 10), 0.8, AGE)
    with pytest.raises(ValueError, match="noise needs 5"):
        CorruptionFigures("noise", "Noise", "steps", (1.0,), example_report().corruptions[0].figures)


def test_reports_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        example_report().seed = 1  # type: ignore[misc]


def test_a_missing_file_is_named_with_the_command_that_makes_it(folder: Path) -> None:
    (folder / ROBUSTNESS_FILE).unlink()
    with pytest.raises(ArtifactMissingError, match=rf"{ROBUSTNESS_FILE} is missing.*models\.robustness emotion --data"):
        load_report(folder, load_card(folder))


def test_a_file_that_is_not_on_the_card_is_refused(folder: Path) -> None:
    card = replace(load_card(folder), files={"model.tflite": {"sha256": MODEL_SHA256}})
    with pytest.raises(ArtifactCorruptError, match=r"not listed.*models\.robustness emotion --data"):
        load_report(folder, card)


def test_an_altered_file_is_refused(folder: Path) -> None:
    file = folder / ROBUSTNESS_FILE
    file.write_text(file.read_text().replace("12.5", "12.6"))
    with pytest.raises(ArtifactCorruptError, match=r"SHA-256 on its card.*models\.robustness emotion --data"):
        load_report(folder, load_card(folder))


def test_a_report_about_another_network_is_refused(folder: Path) -> None:
    card = load_card(folder)
    files = dict(card.files) | {"model.tflite": {"bytes": 1, "sha256": "f" * 64}}
    with pytest.raises(ArtifactCorruptError, match=r"another network.*models\.robustness emotion --data"):
        load_report(folder, replace(card, files=files))
    with pytest.raises(ArtifactCorruptError, match="another network"):
        load_report(folder, replace(card, task="age_gender"))


DAMAGE: dict[str, Callable[[dict[str, Any]], object]] = {
    "a field is missing": lambda content: content.pop("clean"),
    "no corruptions": lambda content: content.update(corruptions=None),
    "text for a figure": lambda content: content["clean"].update(confidence="much"),
    "no figure": lambda content: content["clean"]["accuracy"].update(value=None),
    "a number for text": lambda content: content.update(split=5),
    "a severity is missing": lambda content: content["corruptions"][0]["figures"].pop(),
    "a better figure than measured": lambda content: content["corruptions"][0]["figures"][0]["accuracy"].update(
        value=0.9
    ),
    "a better summary": lambda content: content["summary"].update(mean_relative_drop=0.01),
    "another summary": lambda content: content.update(summary={}),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_contents_that_are_no_report_are_refused(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    _rewritten(folder, change)
    with pytest.raises(ArtifactCorruptError, match=rf"{ROBUSTNESS_FILE} is no report.*models\.robustness emotion"):
        load_report(folder, load_card(folder))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"null"])
def test_files_that_are_no_json_object_are_refused(folder: Path, content: bytes) -> None:
    (folder / ROBUSTNESS_FILE).write_bytes(content)
    card = list_on_card(folder, ROBUSTNESS_FILE)
    with pytest.raises(ArtifactCorruptError, match="is no report"):
        load_report(folder, card)


def test_a_last_digit_of_the_summary_may_differ(folder: Path) -> None:
    def nudge(content: dict[str, Any]) -> None:
        value = content["summary"]["mean_corrupted_accuracy"]
        content["summary"]["mean_corrupted_accuracy"] = float(np.nextafter(value, 1))

    _rewritten(folder, nudge)
    assert load_report(folder, load_card(folder)) == example_report()

"""The evaluation page with made-up predictions: what can be chosen, which tabs there are, what the tabs show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.samples import Samples
from core.errors import ArtifactMissingError
from core.evaluation import predict
from core.evaluation.metrics import summary_metrics
from core.evaluation.predictions import Predictions
from pages.shared.evaluation import cache, tabs
from pages.shared.evaluation.selection import DETAIL_KEY, TAB_KEY, TEST_SET_KEY, VIEW_KEY
from tests.fakes.evaluation import (
    emotion_predictions,
    write_artifact,
    write_artifacts,
    write_baseline,
    write_fer2013_csv,
)
from tests.pages.evaluation_page import download_names, open_page, switch_tab, tab_names

CSV_IDS = np.array([f"PrivateTest_{row}" for row in range(4, 16)])
"""What the reader calls the private rows of ``write_fer2013_csv``."""
OTHER_IDS = np.array([f"PrivateTest_{row + 5_000_000}" for row in range(120)])
ALWAYS = ["Speed", "Training", "Model card"]


def wrong_predictions() -> Predictions:
    """Never the truth: 90 % sure of the emotion after it."""
    truth = np.arange(12) % 7
    probabilities = np.full((12, 7), 0.1 / 6, np.float32)
    probabilities[np.arange(12), (truth + 1) % 7] = 0.9
    return Predictions("emotion", CSV_IDS, {"emotion": truth}, {"emotion": probabilities})


def rows(table: Any) -> list[dict[str, Any]]:
    return list(table.value.to_dict("records"))


# Choosing test set, models and tab.


def test_metrics_come_from_the_stored_predictions(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page()
    accuracy = summary_metrics(emotion_predictions(seed=0))["accuracy"]
    assert page.metric[0].value == f"{accuracy * 100:.1f} %"
    assert tab_names(page) == ["Accuracy", "Confusion matrix", "Calibration", "Robustness", *ALWAYS]
    assert "Held-out test split" in page.info[0].value
    assert len(page.get("plotly_chart")) == 1, "only the open tab is computed"
    assert download_names(page) == ["emotion_private_emotion_classes.csv"]
    assert not page.error


def test_the_validation_split_is_called_optimistic(artifacts: Path) -> None:
    write_artifacts(artifacts)
    assert "slightly optimistic" in open_page("FER2013 PublicTest").warning[0].value


def test_models_are_compared_and_one_is_shown_in_detail(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page()
    page.multiselect[0].set_value(["emotion", "emotion_small"]).run()
    assert [metric.label for metric in page.metric] == ["Accuracy", "Macro F1"] * 2
    page.selectbox(key=DETAIL_KEY).select("emotion_small").run()
    assert not page.exception
    assert download_names(page) == ["emotion_small_private_emotion_classes.csv"]


def test_the_open_tab_and_the_choices_stay(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page(tab="Calibration")
    page.selectbox(key=TEST_SET_KEY).select("UTKFace test").run()
    assert page.session_state[TAB_KEY] == "Calibration", "the other test set has that tab too"
    switch_tab(page, "Leaderboard", VIEW_KEY)
    switch_tab(page, "By test set", VIEW_KEY)
    assert page.selectbox(key=TEST_SET_KEY).value == "UTKFace test"
    switch_tab(page, "Confusion matrix")
    assert page.session_state[TAB_KEY] == "Age", "the first tab in place of one that is not there"


@pytest.mark.parametrize(
    ("task", "test_set", "expected"),
    [
        ("emotion", "FER2013 PrivateTest", ["Accuracy", "Confusion matrix"]),
        ("emotion_five", "FER2013 PrivateTest, five emotions", ["Accuracy", "Confusion matrix"]),
        ("age_gender", "UTKFace test", ["Age", "Age brackets", "Perceived gender"]),
        ("gender", "UTKFace test", ["Perceived gender"]),
        ("age", "UTKFace test", ["Age", "Age brackets"]),
        ("age_group_gender", "UTKFace test", ["Age", "Age brackets", "Age groups", "Perceived gender"]),
        ("age_gender_published", "UTKFace, published split: test", ["Age", "Age brackets", "Perceived gender"]),
    ],
    ids=lambda value: value.replace(" ", "_") if isinstance(value, str) else None,
)
def test_a_baseline_has_a_tab_for_each_of_its_outputs(
    artifacts: Path, task: str, test_set: str, expected: list[str]
) -> None:
    write_baseline(artifacts, "network", task)
    page = open_page(test_set)
    fairness = [] if task.startswith("emotion") else ["Fairness"]
    assert tab_names(page) == [*expected, "Calibration", *fairness, *ALWAYS]
    for tab in expected:
        assert not switch_tab(page, tab).error
        assert page.get("plotly_chart")


@pytest.mark.parametrize(
    ("task", "test_set", "tab", "file", "size"),
    [
        ("emotion", "FER2013 PrivateTest", "Confusion matrix", "private_emotion", 7),
        ("emotion_five", "FER2013 PrivateTest, five emotions", "Confusion matrix", "five_private_emotion", 5),
        ("gender", "UTKFace test", "Perceived gender", "test_perceived_gender", 2),
        ("age_group_gender", "UTKFace test", "Age groups", "test_age_group", 8),
        ("age", "UTKFace test", "Age brackets", "test_age_bracket", 9),
    ],
    ids=["emotion", "five emotions", "gender", "age groups", "age brackets"],
)
def test_the_confusion_matrix_has_the_classes_of_the_output(
    artifacts: Path, task: str, test_set: str, tab: str, file: str, size: int
) -> None:
    write_baseline(artifacts, "network", task)
    page = open_page(test_set, tab)
    assert f"network_{file}_confusion_shares.csv" in download_names(page)
    assert [len(table.value) for table in page.dataframe if "true_class" in table.value.columns] == [size]
    page.segmented_control[0].set_value("Counts").run()
    assert not page.exception
    assert f"network_{file}_confusion_counts.csv" in download_names(page)


def test_built_in_models_come_first(artifacts: Path) -> None:
    write_baseline(artifacts, "a_baseline", "emotion")
    write_artifacts(artifacts)
    page = open_page()
    assert page.multiselect[0].options == ["emotion", "emotion_small", "a_baseline (baseline)"]
    assert page.multiselect[0].value == ["emotion"]


def test_models_of_different_tasks_are_compared_in_what_both_predict(artifacts: Path) -> None:
    write_artifacts(artifacts)
    write_baseline(artifacts, "only_gender", "gender")
    page = open_page("UTKFace test")
    page.multiselect[0].set_value(["age_gender", "only_gender (baseline)"]).run()
    assert any("do not predict this: only_gender" in caption.value for caption in page.caption)
    page.selectbox(key=DETAIL_KEY).select("only_gender").run()
    assert not page.exception
    assert tab_names(page) == ["Perceived gender", "Calibration", "Fairness", *ALWAYS]
    assert {"**age_gender**", "**only_gender**"} <= {text.value for text in page.markdown}


def test_a_model_can_be_chosen_from_elsewhere(artifacts: Path) -> None:
    write_artifacts(artifacts)
    write_baseline(artifacts, "only_gender", "gender")
    page = AppTest.from_function(_chosen_elsewhere, default_timeout=120).run()
    page.button[0].click().run()
    assert not page.exception
    assert page.selectbox(key=TEST_SET_KEY).value == "UTKFace test"
    assert page.multiselect[0].value == ["only_gender"]


def _chosen_elsewhere() -> None:
    import streamlit as st

    from core.tasks import TASKS
    from pages.shared.evaluation.selection import choose_models, choose_split, preselect

    st.button("go", on_click=preselect, args=(TASKS["gender"].test_split, "only_gender"))
    choose_models(choose_split())


# What is broken, missing or changed.


def test_nothing_installed_is_said(artifacts: Path) -> None:
    page = open_page()
    assert "no model for this test set is installed" in page.info[-1].value
    assert not page.metric


def _break_predictions(folder: Path) -> None:
    (folder / "predictions.npz").write_bytes(b"PK\x03\x04 not really")


def _remove_predictions(folder: Path) -> None:
    (folder / "predictions.npz").unlink()


def _break_card(folder: Path) -> None:
    (folder / "card.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        (_break_predictions, "models.evaluate emotion "),
        (_remove_predictions, "models.evaluate emotion "),
        (_break_card, "git restore"),
    ],
    ids=["corrupt", "missing", "card"],
)
def test_a_broken_model_is_named_and_the_others_work(
    artifacts: Path, damage: Callable[[Path], None], advice: str
) -> None:
    write_artifacts(artifacts)
    damage(artifacts / "emotion")
    page = open_page()
    assert advice in page.error[0].value
    page.multiselect[0].set_value(["emotion_small"]).run()
    assert not page.exception
    assert len(page.metric) == 2


def test_a_missing_history_leaves_the_other_tabs(artifacts: Path) -> None:
    (write_artifacts(artifacts) / "emotion" / "history.csv").unlink()
    page = open_page(tab="Training")
    assert "history.csv" in page.error[0].value
    assert not switch_tab(page, "Accuracy").error


def test_a_choice_that_is_gone_is_forgotten(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page()
    page.multiselect[0].set_value(["emotion", "emotion_small"]).run()
    (artifacts / "emotion_small").rename(artifacts / ".emotion_small")
    page.run()
    assert not page.exception
    assert page.multiselect[0].value == ["emotion"]


def test_predictions_are_read_once_and_again_when_they_change(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, reported = [], []
    load, report = cache.load_stored, tabs.class_report
    monkeypatch.setattr(cache, "load_stored", lambda *given: loaded.append(given) or load(*given))
    monkeypatch.setattr(tabs, "class_report", lambda *given: reported.append(given) or report(*given))
    write_artifacts(artifacts)
    page = open_page()
    page.run()
    assert (len(loaded), len(reported)) == (1, 1), "of two models, the one that is chosen, once"
    before = page.metric[1].value
    (artifacts / "emotion_small" / "predictions.npz").replace(artifacts / "emotion" / "predictions.npz")
    page.run()
    assert (len(loaded), len(reported)) == (2, 2)
    assert page.metric[1].value != before


# The model card.


def test_the_card_of_a_baseline_names_recipe_and_reported_results(artifacts: Path) -> None:
    write_baseline(artifacts, "network", "gender")
    page = open_page("UTKFace test", "Model card")
    assert any(text.value.startswith("**Recipe.** the authors'") for text in page.markdown)
    fields = {row["Field"]: row["Value"] for table in page.dataframe if "Field" in table.value for row in rows(table)}
    assert fields["Epochs"] == "12 of 50"
    assert fields["Trainable / frozen parameters"] == "600,000 / 80,000"
    assert fields["Initial weights"] == "random weights"
    assert [row["text"] for table in page.dataframe if "source" in table.value for row in rows(table)] == ["94 %"]
    assert "model.tflite (57.0 MB)" in page.info[-1].value
    assert "python -m models export network --data data" in page.code[0].value


# Tabs that need the data set.


def test_errors_are_shown_once_asked_for(artifacts: Path, tmp_path: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": wrong_predictions()})
    write_fer2013_csv(tmp_path / "data")
    page = open_page(tab="Errors")
    assert tab_names(page)[-2:] == ["Errors", "Reproduce"]
    assert not page.image
    page.button(key="load_images").click().run()
    assert not page.exception
    captions = [image.captions[0] for image in page.image]
    assert len(captions) == 12
    assert captions[0] == "angry → disgust 90%"


def test_errors_without_their_images_are_explained(artifacts: Path, tmp_path: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(ids=OTHER_IDS)})
    write_fer2013_csv(tmp_path / "data")
    page = open_page(tab="Errors")
    page.button(key="load_images").click().run()
    assert any("no file names" in info.value for info in page.info)


def test_a_data_set_without_the_images_is_an_error(artifacts: Path, tmp_path: Path) -> None:
    write_baseline(artifacts, "network", "gender")
    (tmp_path / "data" / "UTKFace").mkdir(parents=True)
    page = open_page("UTKFace test", "Errors")
    page.button(key="load_images").click().run()
    assert not page.exception
    assert "no usable image" in page.error[0].value


def fake_evaluation(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
    progress(0.5)
    progress(1.0)
    probabilities = np.eye(7, dtype=np.float32)[samples.labels["emotion"]]
    return Predictions("emotion", samples.ids, {"emotion": samples.labels["emotion"]}, {"emotion": probabilities})


def reproduce(tmp_path: Path) -> AppTest:
    write_fer2013_csv(tmp_path / "data")
    page = open_page(tab="Reproduce")
    page.button(key="load_images").click().run()
    page.button(key="reproduce_start").click().run()
    assert not page.exception
    return page


def test_reproduced_metrics_stand_beside_the_saved_ones(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": wrong_predictions()})
    monkeypatch.setattr(predict, "evaluate_samples", fake_evaluation)
    page = reproduce(tmp_path)
    assert "12 images evaluated" in page.success[0].value
    (table,) = (table.value for table in page.dataframe if "reproduced" in table.value.columns)
    accuracy = table.loc[(table["saved"] == 0) & (table["reproduced"] == 1), "difference"]
    assert accuracy.tolist()[:1] == [1.0]
    switch_tab(page, "Errors")
    assert not page.image, "the reproduced predictions have no errors"


def test_reproducing_on_other_images_says_so(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(ids=OTHER_IDS)})
    monkeypatch.setattr(predict, "evaluate_samples", fake_evaluation)
    assert "Only 0 of 120 images" in reproduce(tmp_path).warning[-1].value


def test_a_model_that_cannot_run_is_named(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
        raise ArtifactMissingError(f"{folder / 'model.tflite'} is missing.")

    write_artifact(artifacts, "emotion", "emotion", {"private": wrong_predictions()})
    monkeypatch.setattr(predict, "evaluate_samples", unreadable)
    assert "model.tflite is missing" in reproduce(tmp_path).error[0].value


def test_a_model_that_is_not_included_cannot_be_reproduced(artifacts: Path, tmp_path: Path) -> None:
    write_baseline(artifacts, "network", "gender")
    (tmp_path / "data" / "UTKFace").mkdir(parents=True)
    page = open_page("UTKFace test", "Reproduce")
    assert "python -m models export network --data data" in page.code[0].value
    assert not [button for button in page.button if button.key == "load_images"]

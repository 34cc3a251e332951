"""The evaluation page with made-up predictions: what can be chosen, which tabs there are, what the tabs show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.fairface import FAIRFACE_RACES
from core.datasets.samples import Samples
from core.errors import ArtifactMissingError
from core.evaluation import predict
from core.evaluation.answers import describe_accuracy
from core.evaluation.metrics import class_report, end_to_end_accuracy, summary_metrics
from core.evaluation.predictions import Predictions
from core.tasks import FAIRFACE, TASKS
from pages.shared.evaluation import cache, tabs
from pages.shared.evaluation.selection import DETAIL_KEY, TAB_KEY, TEST_SET_KEY, VIEW_KEY
from tests.fakes.core import FakeAnalyzer
from tests.fakes.evaluation import (
    age_gender_predictions,
    emotion_predictions,
    fairface_predictions,
    write_artifact,
    write_artifacts,
    write_baseline,
    write_fer2013_csv,
)
from tests.pages.apps import ROOT, download_names, encode, open_page, rerun, switch_tab, tab_names, texts

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


def test_the_page_opens_with_the_answer_in_words(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page()
    report = class_report(emotion_predictions(seed=0), "emotion")
    assert page.subheader[0].value == describe_accuracy(report, "FER2013")
    assert not [*page.get("plotly_chart"), *page.dataframe], "which would send megabytes"
    page = open_page("UTKFace test")
    assert "in perceived gender" in page.subheader[0].value
    assert "years off on average" in page.subheader[1].value


def test_an_address_opens_test_set_and_tab_once(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = AppTest.from_file(str(ROOT / "pages/3_Model_Evaluation.py"), default_timeout=120)
    page.query_params["test_set"], page.query_params["tab"] = "UTKFace test", "Age brackets"
    assert rerun(page).session_state[TAB_KEY] == "Age brackets"
    page.selectbox(key=TEST_SET_KEY).select("FER2013 PublicTest")
    assert rerun(page).selectbox(key=TEST_SET_KEY).value == "FER2013 PublicTest"
    page.query_params["test_set"] = "nothing like that"
    assert rerun(page).selectbox(key=TEST_SET_KEY).value == "FER2013 PrivateTest"


def test_metrics_come_from_the_stored_predictions(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page(tab="Accuracy")
    accuracy = summary_metrics(emotion_predictions(seed=0))["accuracy"]
    assert page.metric[0].value == f"{accuracy * 100:.1f} %"
    assert tab_names(page) == ["Summary", "Accuracy", "Confusion matrix", "Calibration", "Robustness", *ALWAYS]
    assert "Held-out test split" in page.info[0].value
    assert len(page.get("plotly_chart")) == 1, "only the open tab is computed"
    assert download_names(page) == ["emotion_private_emotion_classes.csv"]
    assert not page.error


def test_models_are_compared_and_one_is_shown_in_detail(artifacts: Path) -> None:
    write_baseline(artifacts, "a_baseline", "emotion")
    write_artifacts(artifacts)
    page = open_page("FER2013 PublicTest", "Accuracy")
    assert "slightly optimistic" in page.warning[0].value
    assert page.multiselect[0].options == ["emotion", "emotion_small", "a_baseline (baseline)"]
    assert page.multiselect[0].value == ["emotion"]
    page.multiselect[0].set_value(["emotion", "emotion_small"])
    assert [metric.label for metric in rerun(page).metric] == ["Accuracy", "Macro F1"] * 2
    page.selectbox(key=DETAIL_KEY).select("emotion_small")
    assert download_names(rerun(page)) == ["emotion_small_public_emotion_classes.csv"]


def test_open_tab_and_choices_stay(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page(tab="Calibration")
    page.selectbox(key=TEST_SET_KEY).select("UTKFace test").run()
    assert page.session_state[TAB_KEY] == "Calibration", "the other test set has that tab too"
    switch_tab(page, "Leaderboard", VIEW_KEY)
    switch_tab(page, "By test set", VIEW_KEY)
    assert page.selectbox(key=TEST_SET_KEY).value == "UTKFace test"
    switch_tab(page, "Confusion matrix")
    assert page.session_state[TAB_KEY] == "Summary", "the first tab in place of one that is not there"


EMOTION_TABS = {"Accuracy": 0, "Confusion matrix": 7}
AGE_TABS, GENDER_TAB = {"Age": 0, "Age brackets": 9}, {"Perceived gender": 2}
MATRICES = {
    "Confusion matrix": "emotion",
    "Age brackets": "age_bracket",
    "Age groups": "age_group",
    "Perceived gender": "perceived_gender",
}
"""Title of the tab -> output in the names of its files."""


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("emotion", EMOTION_TABS),
        ("emotion_five", EMOTION_TABS | {"Confusion matrix": 5}),
        ("age_gender", AGE_TABS | GENDER_TAB),
        ("gender", GENDER_TAB),
        ("age", AGE_TABS),
        ("age_group_gender", AGE_TABS | {"Age groups": 8} | GENDER_TAB),
        ("age_gender_published", AGE_TABS | GENDER_TAB),
    ],
)
def test_each_output_has_its_tabs(artifacts: Path, task: str, expected: dict[str, int]) -> None:
    """``expected``: titles, and the classes of each confusion matrix."""
    write_baseline(artifacts, "network", task)
    page = open_page(TASKS[task].test_split.title)
    fairness = [] if task.startswith("emotion") else ["Fairness"]
    assert tab_names(page) == ["Summary", *expected, "Calibration", *fairness, *ALWAYS]
    for tab, classes in expected.items():
        assert not switch_tab(page, tab).error
        assert page.get("plotly_chart")
        matrices = [len(table.value) for table in page.dataframe if "true_class" in table.value.columns]
        assert matrices == ([classes] if classes else [])
        if classes:
            file = f"network_{TASKS[task].test_split.name}_{MATRICES[tab]}_confusion"
            assert f"{file}_shares.csv" in download_names(page)
            page.segmented_control[0].set_value("Counts")
            assert f"{file}_counts.csv" in download_names(rerun(page))


def test_two_networks_are_compared_cell_by_cell(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page(tab="Confusion matrix")
    assert len(page.get("plotly_chart")) == 1
    page.multiselect[0].set_value(["emotion", "emotion_small"])
    page = rerun(page)
    assert page.selectbox(key="confusion_other_emotion").options == ["emotion_small"]
    assert len(page.get("plotly_chart")) == 2
    assert "blue where emotion is right more often" in texts(page)


def test_models_of_different_tasks_are_compared(artifacts: Path) -> None:
    write_artifacts(artifacts)
    write_baseline(artifacts, "only_gender", "gender")
    page = open_page("UTKFace test")
    page.multiselect[0].set_value(["age_gender", "only_gender (baseline)"])
    assert "do not predict this: only_gender" in texts(switch_tab(page, "Age"))
    page.selectbox(key=DETAIL_KEY).select("only_gender")
    assert tab_names(rerun(page)) == ["Summary", "Perceived gender", "Calibration", "Fairness", *ALWAYS]
    switch_tab(page, "Perceived gender")
    assert {"**age_gender**", "**only_gender**"} <= {text.value for text in page.markdown}


# What is broken, missing or changed.


def test_nothing_installed(artifacts: Path) -> None:
    page = open_page()
    assert "no model for this test set is installed" in page.info[-1].value
    assert not page.metric


@pytest.mark.parametrize(
    ("file", "content", "advice"),
    [
        ("predictions.npz", b"PK\x03\x04 not really", "models.evaluate emotion "),
        ("predictions.npz", None, "models.evaluate emotion "),
        ("card.json", b"{", "git restore"),
    ],
    ids=["corrupt", "missing", "card"],
)
def test_broken_model_is_named_and_the_others_work(
    artifacts: Path, file: str, content: bytes | None, advice: str
) -> None:
    path = write_artifacts(artifacts) / "emotion" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    page = open_page(tab="Accuracy")
    assert advice in page.error[0].value
    page.multiselect[0].set_value(["emotion_small"])
    assert len(rerun(page).metric) == 2


def test_missing_history_leaves_the_other_tabs(artifacts: Path) -> None:
    (write_artifacts(artifacts) / "emotion" / "history.csv").unlink()
    page = open_page(tab="Training")
    assert "history.csv" in page.error[0].value
    assert not switch_tab(page, "Accuracy").error


def test_removed_choice_is_forgotten(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = open_page()
    page.multiselect[0].set_value(["emotion", "emotion_small"]).run()
    (artifacts / "emotion_small").rename(artifacts / ".emotion_small")
    page.run()
    assert not page.exception
    assert page.multiselect[0].value == ["emotion"]


def test_predictions_are_cached_until_they_change(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, reported = [], []
    load, report = cache.load_stored, tabs.class_report
    monkeypatch.setattr(cache, "load_stored", lambda *given: loaded.append(given) or load(*given))
    monkeypatch.setattr(tabs, "class_report", lambda *given: reported.append(given) or report(*given))
    write_artifacts(artifacts)
    page = open_page(tab="Accuracy")
    page.run()
    assert (len(loaded), len(reported)) == (1, 1), "of two models, the one that is chosen, once"
    before = page.metric[1].value
    (artifacts / "emotion_small" / "predictions.npz").replace(artifacts / "emotion" / "predictions.npz")
    page.run()
    assert (len(loaded), len(reported)) == (2, 2)
    assert page.metric[1].value != before


# The model card.


def test_card_of_a_baseline(artifacts: Path) -> None:
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


def fake_evaluation(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
    progress(0.5)
    progress(1.0)
    probabilities = np.eye(7, dtype=np.float32)[samples.labels["emotion"]]
    return Predictions("emotion", samples.ids, {"emotion": samples.labels["emotion"]}, {"emotion": probabilities})


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return rerun(page)


def test_errors_and_reproduced_metrics(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": wrong_predictions()})
    write_fer2013_csv(tmp_path / "data")
    monkeypatch.setattr(predict, "evaluate_samples", fake_evaluation)
    page = open_page(tab="Errors")
    assert tab_names(page)[-2:] == ["Errors", "Reproduce"]
    assert not page.image
    (images,) = click(page, "load_images").image
    captions = images.captions
    assert len(captions) == 12
    assert captions[0] == "angry → disgust 90%"
    click(switch_tab(page, "Reproduce"), "reproduce_start")
    assert "12 images evaluated" in page.success[0].value
    (table,) = (table.value for table in page.dataframe if "reproduced" in table.value.columns)
    accuracy = table.loc[(table["saved"] == 0) & (table["reproduced"] == 1), "difference"]
    assert accuracy.tolist()[:1] == [1.0]
    assert not switch_tab(page, "Errors").image, "the reproduced predictions have no errors"


def test_images_of_a_cell_of_the_confusion_matrix(artifacts: Path, tmp_path: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": wrong_predictions()})
    write_fer2013_csv(tmp_path / "data")
    page = click(open_page(tab="Confusion matrix"), "load_images")
    # Twelve images, all taken for the next emotion: two of each of the first five, one of the others.
    assert page.image[0].captions == ["angry → disgust 90%"] * 2
    page.selectbox(key="cell_true_emotion").select("surprise")
    assert "No image of surprise was taken for disgust" in texts(rerun(page))
    page.selectbox(key="cell_predicted_emotion").select("neutral")
    assert len(rerun(page).image[0].captions) == 1


def test_what_the_copy_lacks_is_told(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": wrong_predictions()})
    table = write_fer2013_csv(tmp_path / "data") / "fer2013.csv"
    heading, *rows = table.read_text().splitlines()
    table.write_text("\n".join([heading, *(f"{n % 5},{row[2:]}" for n, row in enumerate(rows)), "8,1,Training"]))
    monkeypatch.setattr(predict, "evaluate_samples", fake_evaluation)
    page = click(click(open_page(tab="Reproduce"), "load_images"), "reproduce_start")
    warnings = [warning.value for warning in page.warning]
    assert any("Left out: 1 files or rows: 1 unknown emotion label (row 16)" in text for text in warnings)
    assert any(text.startswith("No images of emotion surprise, neutral") for text in warnings)


def test_predictions_of_other_images(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(ids=OTHER_IDS)})
    write_fer2013_csv(tmp_path / "data")
    monkeypatch.setattr(predict, "evaluate_samples", fake_evaluation)
    page = click(open_page(tab="Errors"), "load_images")
    assert any("no file names" in info.value for info in page.info)
    click(switch_tab(page, "Reproduce"), "reproduce_start")
    assert "Only 0 of 120 images" in page.warning[-1].value


def test_model_that_cannot_run_is_named(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
        raise ArtifactMissingError(f"{folder / 'model.tflite'} is missing.")

    write_artifact(artifacts, "emotion", "emotion", {"private": wrong_predictions()})
    write_fer2013_csv(tmp_path / "data")
    monkeypatch.setattr(predict, "evaluate_samples", unreadable)
    page = click(click(open_page(tab="Reproduce"), "load_images"), "reproduce_start")
    assert "model.tflite is missing" in page.error[0].value


def test_neither_images_nor_served_model(artifacts: Path, tmp_path: Path) -> None:
    write_baseline(artifacts, "network", "gender")
    (tmp_path / "data" / "UTKFace").mkdir(parents=True)
    page = open_page("UTKFace test", "Reproduce")
    assert "python -m models export network --data data" in page.code[0].value
    assert not [button for button in page.button if button.key == "load_images"]
    click(switch_tab(page, "Errors"), "load_images")
    assert "no UTKFace in" in page.error[0].value


# Whole photographs.


def write_photographs(root: Path) -> None:
    """A network with stored predictions of photographs, one view and three, and one without."""
    splits = {"test": age_gender_predictions(), "fairface": fairface_predictions()}
    metrics = {split: summary_metrics(predictions) for split, predictions in splits.items()}
    several = {"fairface": {"views": 3} | metrics["fairface"] | {"gender_accuracy": 0.999}}
    write_artifact(root, "age_gender", "age_gender", splits, metrics=metrics, several_views=several)
    write_artifact(root, "other", "age_gender", {"test": splits["test"]}, metrics={"test": metrics["test"]})


def test_photographs_have_missed_faces_brackets_and_their_own_groups(artifacts: Path) -> None:
    write_photographs(artifacts)
    page = open_page(FAIRFACE.title)
    assert page.multiselect[0].options == ["age_gender"], "the other was not measured"
    assert tab_names(page) == [
        *("Summary", "Photographs", "Age brackets", "Perceived gender", "Calibration", "Fairness", "Robustness"),
        *ALWAYS,
    ]
    assert "faces like FairFace's" in page.subheader[0].value
    assert "in age bracket" in page.subheader[1].value
    predictions = fairface_predictions()
    switch_tab(page, "Photographs")
    assert page.metric[0].value == "93.3 %"
    assert page.metric[1].value == f"{end_to_end_accuracy(predictions, 'gender').value:.1%}".replace("%", " %")
    table = page.dataframe[0].value.set_index("metric")
    assert list(table) == ["1 view", "3 views"]
    assert table.loc["Perceived gender: accuracy", "3 views"] == 0.999
    assert "Age" not in tab_names(page)
    switch_tab(page, "Fairness")
    assert "FairFace's own labels" in page.markdown[0].value
    assert set(page.dataframe[0].value["fairface_race_label"]) == set(FAIRFACE_RACES)
    assert len(page.get("plotly_chart")) == 2
    for tab in ("Age brackets", "Perceived gender", "Calibration"):
        switch_tab(page, tab)
        assert not page.error
        assert page.dataframe, tab


def test_photographs_are_evaluated_again(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_photographs(artifacts)
    folder = tmp_path / "data/fairface"
    (folder / "val").mkdir(parents=True)
    rows = ["file,age,gender,race,service_test", "val/0.jpg,3-9,Male,White,True", "val/1.jpg,3-9,Female,White,True"]
    (folder / "fairface_label_val.csv").write_text("\n".join(rows))
    for name in ("0", "1"):
        (folder / f"val/{name}.jpg").write_bytes(encode(np.full((224, 224, 3), 90, np.uint8)))
    monkeypatch.setattr("pages.shared.resources.get_photo_analyzer", lambda name: FakeAnalyzer())
    page = click(open_page(FAIRFACE.title, "Errors"), "load_images")
    assert not page.segmented_control, "errors in years need years"
    click(switch_tab(page, "Reproduce"), "reproduce_start")
    assert "1 images evaluated" in page.success[0].value
    (table,) = (table.value for table in page.dataframe if "reproduced" in table.value.columns)
    assert "Perceived gender: accuracy" in table["metric"].tolist()

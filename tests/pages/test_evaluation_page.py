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
from pages.shared.evaluation.selection import BY_TEST_SET, LEADERBOARD
from tests.fakes.classic import write_classic
from tests.fakes.evaluation import emotion_predictions, write_artifact, write_artifacts, write_fer2013_csv

PAGE = Path(__file__).resolve().parents[2] / "pages" / "3_Model_Evaluation.py"
CSV_IDS = np.array([f"PrivateTest_{row}" for row in range(4, 16)])
"""What the reader calls the private rows of ``write_fer2013_csv``."""

COMMON_TABS = ("Robustness", "Speed", "Training", "Model card", "Mistakes", "Re-run")


def _page(split: str | None = None) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    if split is not None:
        page.selectbox(key="evaluation_side").select(split).run()
    assert not page.exception
    return page


def _tabs(page: AppTest) -> list[str]:
    """Without those that choose between the leaderboard and the test sets."""
    return [tab.label for tab in page.tabs if tab.label not in (LEADERBOARD, BY_TEST_SET)]


def _downloads(page: AppTest) -> list[str]:
    return [element.proto.label for element in page.get("download_button")]


def _wrong_answers() -> Predictions:
    """Never the truth: 90 % sure of the emotion after it."""
    truth = np.arange(12) % 7
    probabilities = np.full((12, 7), 0.1 / 6, np.float32)
    probabilities[np.arange(12), (truth + 1) % 7] = 0.9
    return Predictions("emotion", CSV_IDS, {"emotion": truth}, {"emotion": probabilities})


def test_emotion_figures_come_from_the_stored_answers(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    accuracy = summary_metrics(emotion_predictions(seed=0))["accuracy"]
    assert page.metric[0].value == f"{accuracy * 100:.1f} %"
    assert _tabs(page) == ["Accuracy", "Confusion", "Calibration", "Groups", *COMMON_TABS]
    assert "Held-out test split" in page.info[0].value
    assert len(page.get("plotly_chart")) == 6
    assert "Download emotion_private_emotion_classes.csv" in _downloads(page)
    assert not page.error


def test_a_second_view_stands_beside_what_is_served(artifacts: Path) -> None:
    split, two_views = {"private": emotion_predictions(seed=0)}, {"private": {"n": 120, "accuracy": 0.71}}
    metrics = {"private": {"n": 120, "accuracy": 0.69, "macro_f1": 0.6}}
    write_artifact(artifacts, "emotion", "emotion", split, metrics=metrics, two_views=two_views)
    page = _page()
    assert "Download emotion_private_two_views.csv" in _downloads(page)
    table = next(table.value for table in page.dataframe if "two views" in table.value.columns)
    assert table["one view, as served"].tolist() == [120.0, 0.69]
    assert table["two views"].tolist() == [120.0, 0.71]


def test_other_seeds_stand_on_the_card(artifacts: Path) -> None:
    runs = [{"seed": 3, "epoch": 53, "accuracy": 0.7}, {"seed": 11, "epoch": 50, "accuracy": 0.68}]
    seeds = {"side": "public", "runs": runs, "mean": {"accuracy": 0.69}, "standard_deviation": {"accuracy": 0.014}}
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(seed=0)}, seeds=seeds)
    page = _page()
    assert "Download emotion_seeds.csv" in _downloads(page)
    assert any("FER2013 PublicTest" in caption.value for caption in page.caption)


def test_the_validation_split_is_called_optimistic(artifacts: Path) -> None:
    write_artifacts(artifacts)
    assert "slightly optimistic" in _page("FER2013 PublicTest").warning[0].value


def test_models_are_compared_and_one_is_shown_in_detail(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    page.multiselect[0].set_value(["emotion", "emotion_small"]).run()
    assert [metric.label for metric in page.metric][:4] == ["Accuracy", "Macro F1"] * 2
    assert [metric.label for metric in page.metric].count("Calibration error (ECE)") == 2
    page.selectbox(key="evaluation_detail").select("emotion_small").run()
    assert not page.exception
    assert "Download emotion_small_private_emotion_classes.csv" in _downloads(page)


def test_counts_or_rows_that_sum_to_1(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    page.segmented_control(key="confusion_mode_emotion").set_value("Counts").run()
    assert not page.exception
    assert "Download emotion_private_emotion_confusion_counts.csv" in _downloads(page)


@pytest.mark.parametrize("split", ["UTKFace test", "UTKFace validation"])
def test_age_gender_and_groups(artifacts: Path, split: str) -> None:
    write_artifacts(artifacts)
    page = _page(split)
    assert _tabs(page) == ["Age", "Age brackets", "Perceived gender", "Calibration", "Groups", *COMMON_TABS]
    assert page.metric[0].value.endswith(" years")
    assert any("groups_race.csv" in label for label in _downloads(page))
    assert not page.error


def _break_predictions(folder: Path) -> str:
    (folder / "predictions.npz").write_bytes(b"PK\x03\x04 not really")
    return "models.evaluate emotion "


def _remove_predictions(folder: Path) -> str:
    (folder / "predictions.npz").unlink()
    return "models.evaluate emotion "


def _break_card(folder: Path) -> str:
    (folder / "card.json").write_text("{")
    return "git restore"


@pytest.mark.parametrize(
    "damage", [_break_predictions, _remove_predictions, _break_card], ids=["corrupt", "missing", "card"]
)
def test_a_broken_model_is_named_and_the_others_work(artifacts: Path, damage: Callable[[Path], str]) -> None:
    write_artifacts(artifacts)
    advice = damage(artifacts / "emotion")
    page = _page()
    assert advice in page.error[0].value
    assert page.multiselect[0].value == ["emotion_small"]
    assert len(page.metric) == 5


def test_a_missing_history_leaves_the_other_tabs(artifacts: Path) -> None:
    (write_artifacts(artifacts) / "emotion" / "history.csv").unlink()
    page = _page()
    assert "history.csv" in page.error[0].value
    assert len(page.metric) == 5


def test_nothing_installed_is_said(artifacts: Path) -> None:
    page = _page()
    assert "none is installed" in page.info[-1].value
    assert not page.metric


def test_no_data_set_is_said_and_nothing_else_is_missing(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    assert sum("FACET_DATA" in info.value for info in page.info) == 2
    assert not page.image


def test_mistakes_are_shown_once_asked_for(artifacts: Path, tmp_path: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": _wrong_answers()})
    write_fer2013_csv(tmp_path / "data")
    page = _page()
    assert not page.image
    page.button(key="read_mistakes").click().run()
    assert not page.exception
    captions = [image.captions[0] for image in page.image]
    assert len(captions) == 12
    assert captions[0] == "angry → disgust 90%"


def test_mistakes_without_their_images_are_explained(artifacts: Path, tmp_path: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(ids=_other_ids())})
    write_fer2013_csv(tmp_path / "data")
    page = _page()
    page.button(key="read_mistakes").click().run()
    assert any("no file names" in info.value for info in page.info)


def _other_ids() -> np.ndarray:
    return np.array([f"PrivateTest_{row + 5_000_000}" for row in range(120)])


def _fake_evaluation(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
    progress(0.5)
    progress(1.0)
    answers = np.eye(7, dtype=np.float32)[samples.labels["emotion"]]
    return Predictions("emotion", samples.ids, {"emotion": samples.labels["emotion"]}, {"emotion": answers})


def _rerun(tmp_path: Path) -> AppTest:
    write_fer2013_csv(tmp_path / "data")
    page = _page()
    page.button(key="read_rerun").click().run()
    page.button(key="rerun_start").click().run()
    assert not page.exception
    return page


def test_a_rerun_is_compared_with_what_is_stored(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": _wrong_answers()})
    monkeypatch.setattr(predict, "evaluate_samples", _fake_evaluation)
    page = _rerun(tmp_path)
    tables = [table.value for table in page.dataframe if "re-run" in table.value.columns]
    accuracy = tables[0][tables[0]["figure"] == "accuracy"]
    assert accuracy[["stored", "re-run", "difference"]].to_numpy().tolist() == [[0.0, 1.0, 1.0]]
    assert "12 images" in page.success[0].value


def test_a_rerun_on_other_images_says_so(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(ids=_other_ids())})
    monkeypatch.setattr(predict, "evaluate_samples", _fake_evaluation)
    assert "Only 0 of the 120 stored answers" in _rerun(tmp_path).warning[-1].value


def test_a_model_that_cannot_run_is_named(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
        raise ArtifactMissingError(f"{folder / 'model.tflite'} is missing.")

    write_artifact(artifacts, "emotion", "emotion", {"private": _wrong_answers()})
    monkeypatch.setattr(predict, "evaluate_samples", unreadable)
    page = _rerun(tmp_path)
    assert "model.tflite is missing" in page.error[0].value
    assert len(page.metric) == 5


ALWAYS = ["Calibration", "Groups", *COMMON_TABS]
TABS = {
    "emotion": ("FER2013 PrivateTest", ["Accuracy", "Confusion"]),
    "emotion_five": ("FER2013 PrivateTest, five emotions", ["Accuracy", "Confusion"]),
    "age_gender": ("UTKFace test", ["Age", "Age brackets", "Perceived gender"]),
    "gender": ("UTKFace test", ["Perceived gender"]),
    "age": ("UTKFace test", ["Age", "Age brackets"]),
    "age_group_gender": ("UTKFace test", ["Age", "Age brackets", "Age groups", "Perceived gender"]),
    "age_gender_published": ("UTKFace, published split: test", ["Age", "Age brackets", "Perceived gender"]),
}


@pytest.mark.parametrize("task", TABS)
def test_a_network_has_tabs_for_what_it_answers(artifacts: Path, task: str) -> None:
    split, tabs = TABS[task]
    write_classic(artifacts, "network", task)
    page = _page(split)
    assert _tabs(page) == [*tabs, *ALWAYS]
    assert not page.error
    assert any("our own networks only" in info.value for info in page.info)


@pytest.mark.parametrize(
    ("task", "split", "file"),
    [
        ("emotion_five", TABS["emotion_five"][0], "five_private_emotion"),
        ("gender", "UTKFace test", "test_perceived_gender"),
        ("age_group_gender", "UTKFace test", "test_age_group"),
    ],
    ids=["five", "gender", "groups"],
)
def test_a_network_has_the_confusion_of_its_classes(artifacts: Path, task: str, split: str, file: str) -> None:
    write_classic(artifacts, "network", task)
    page = _page(split)
    assert f"Download network_{file}_confusion_shares.csv" in _downloads(page)
    sizes = {len(table.value) for table in page.dataframe if "truth" in table.value.columns}
    assert {"emotion_five": 5, "gender": 2, "age_group_gender": 8}[task] in sizes


def test_our_own_networks_come_first(artifacts: Path) -> None:
    write_classic(artifacts, "a_classic", "emotion")
    write_artifacts(artifacts)
    page = _page()
    assert page.multiselect[0].options == ["emotion", "emotion_small", "a_classic (classic network)"]
    assert page.multiselect[0].value == ["emotion"]


def test_networks_of_different_tasks_are_compared_in_what_both_answer(artifacts: Path) -> None:
    write_artifacts(artifacts)
    write_classic(artifacts, "only_gender", "gender")
    page = _page("UTKFace test")
    page.multiselect[0].set_value(["age_gender", "only_gender (classic network)"]).run()
    assert not page.exception
    assert any("do not answer this: only_gender" in caption.value for caption in page.caption)
    page.selectbox(key="evaluation_detail").select("only_gender").run()
    assert not page.exception
    assert _tabs(page) == ["Perceived gender", *ALWAYS]
    names = [text.value for text in page.markdown]
    assert {"**age_gender**", "**only_gender**"} <= set(names)


def test_the_card_of_a_rebuilt_network_tells_where_it_comes_from(artifacts: Path) -> None:
    write_classic(artifacts, "network", "gender")
    page = _page("UTKFace test")
    texts = [text.value for text in page.markdown]
    assert any(text.startswith("**Recipe.** the authors'") for text in texts)
    facts = {row["fact"]: row["value"] for table in page.dataframe if "fact" in table.value for row in _rows(table)}
    assert facts["epochs run"] == "12 of 50 that the recipe asks for"
    assert facts["of the parameters"] == "600,000 learn, 80,000 do not"
    assert facts["starts from"] == "random weights"
    assert [row["text"] for table in page.dataframe if "source" in table.value for row in _rows(table)] == ["94 %"]
    # On the card and where it would be run again.
    assert sum("model.tflite (57.0 MB)" in info.value for info in page.info) == 2
    assert sum("python -m models export network --data data" in code.value for code in page.code) == 2
    assert not [button for button in page.button if button.key == "read_rerun"]


def _rows(table: Any) -> list[dict[str, Any]]:
    return list(table.value.to_dict("records"))


def test_mistakes_of_a_network_that_answers_one_thing(artifacts: Path, tmp_path: Path) -> None:
    write_classic(artifacts, "network", "gender")
    (tmp_path / "data" / "UTKFace").mkdir(parents=True)
    page = _page("UTKFace test")
    page.button(key="read_mistakes").click().run()
    assert not page.exception
    assert "none of the 150 UTKFace images" in page.error[0].value


def test_a_network_can_be_chosen_from_elsewhere(artifacts: Path) -> None:
    write_artifacts(artifacts)
    write_classic(artifacts, "only_gender", "gender")
    page = AppTest.from_function(_chosen_elsewhere, default_timeout=120).run()
    page.button[0].click().run()
    assert not page.exception
    assert page.selectbox(key="evaluation_side").value == "UTKFace test"
    assert page.multiselect[0].value == ["only_gender"]


def _chosen_elsewhere() -> None:
    import streamlit as st

    from core.tasks import TASKS
    from pages.shared.evaluation.selection import choose_models, choose_split, preselect

    st.button("go", on_click=preselect, args=(TASKS["gender"].test_split, "only_gender"))
    choose_models(choose_split())


def test_a_choice_that_is_gone_is_forgotten(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    page.multiselect[0].set_value(["emotion", "emotion_small"]).run()
    (artifacts / "emotion_small" / "predictions.npz").unlink()
    page.run()
    assert not page.exception
    assert page.multiselect[0].value == ["emotion"]

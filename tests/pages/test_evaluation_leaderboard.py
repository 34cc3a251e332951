"""The leaderboard on the evaluation page, with made-up networks and one real one to be timed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import SPEED_FILE
from core.evaluation.predictions import Predictions
from pages.shared.evaluation.selection import BY_TEST_SET, TEST_SET_KEY, VIEW_KEY
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, write_artifact
from tests.fakes.leaderboard import copy_real_network, write_networks
from tests.pages.evaluation_page import open_leaderboard, switch_tab, tab_names

TAB_KEY = "evaluation_leaderboard_tab"


def _tables(page: AppTest) -> list[pd.DataFrame]:
    """Tables of networks, without those of published results."""
    return [table.value for table in page.dataframe if "value" in table.value]


def _text(page: AppTest) -> str:
    return " ".join(str(element.value) for element in (*page.markdown, *page.caption, *page.info))


def test_every_group_has_its_table_and_figure(artifacts: Path) -> None:
    write_networks(artifacts)
    page = open_leaderboard()
    titles = ["Emotion, 7 classes", "Emotion, 5 classes", "Perceived gender", "Age", "Age group"]
    assert tab_names(page) == titles
    tables = {title: _tables(switch_tab(page, title, TAB_KEY))[0] for title in titles}
    assert [len(table) for table in tables.values()] == [2, 1, 3, 3, 1]
    emotions, ages = tables[titles[0]], tables[titles[3]]
    assert emotions["model"].tolist() == ["emotion", "four_conv"]
    assert ages["reported"].tolist()[1] == "64 %"
    assert emotions["difference"].tolist() == ["", ""], "there are no stored predictions to compare"
    assert not page.get("plotly_chart"), "one network alone needs no figure"
    assert len(switch_tab(page, titles[0], TAB_KEY).get("plotly_chart")) == 1
    assert [element.proto.label for element in page.get("download_button")] == ["Download leaderboard.csv"]
    assert "Reported" in page.markdown[0].value
    assert "Test CPU" in _text(page)
    assert not page.error


def test_published_results_are_listed_apart(artifacts: Path) -> None:
    write_networks(artifacts)
    page = open_leaderboard()
    tables = {expander.label: expander for expander in page.expander if "Published results" in expander.label}
    (label,) = (label for label in tables if "FER2013" in label)
    reported = tables[label].table[0].value
    assert label.endswith(f"({len(reported)})")
    assert reported["Source"].str.len().gt(0).all()
    assert reported["Accuracy"].str.endswith("%").all()
    assert "not measured here" in tables[label].caption[0].value


def test_networks_that_are_not_installed_have_their_commands(artifacts: Path) -> None:
    write_networks(artifacts)
    page = open_leaderboard()
    assert page.expander[-1].label == "Networks that are not installed (1)"
    assert page.code[0].value == (
        "python -m models.train vgg16_age --data data --epochs 12\npython -m models export vgg16_age --data data"
    )


def test_a_single_network_without_latency_is_shown(artifacts: Path) -> None:
    copy_real_network(artifacts)
    page = open_leaderboard()
    assert [table["model"].tolist() for table in _tables(page)] == [["emotion"]]
    assert "Not measured yet" in _text(page)
    assert not any("not installed" in expander.label for expander in page.expander)
    assert not page.error


def test_an_empty_leaderboard_says_so(artifacts: Path) -> None:
    page = open_leaderboard()
    assert "nothing to compare" in page.info[-1].value
    assert not page.dataframe


def test_a_broken_card_is_named_and_the_rest_works(artifacts: Path) -> None:
    (write_networks(artifacts) / "four_conv" / "card.json").write_text("{")
    page = open_leaderboard()
    (error,) = page.error
    assert "card.json" in error.value
    assert "emotion" in page.dataframe[0].value["model"].tolist()


def test_latency_of_different_machines_is_called_not_comparable(artifacts: Path) -> None:
    file = write_networks(artifacts) / "four_conv" / SPEED_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"machine": "Faster CPU"}))
    assert "not comparable until measured again on one" in _text(open_leaderboard())


def _two_emotion_networks(artifacts: Path) -> None:
    figures = {"private": {"n": 120, "accuracy": 0.6}}
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions()}, metrics=figures)
    other: dict[str, Predictions] = {"private": emotion_predictions(seed=5), "public": emotion_predictions(seed=6)}
    write_artifact(artifacts, "other", "emotion", other, metrics=figures)


def test_a_network_links_to_its_confusion_matrix(artifacts: Path) -> None:
    _two_emotion_networks(artifacts)
    page = open_leaderboard()
    page.selectbox[0].select("other").run()
    (go,) = [button for button in page.button if button.label == "Show"]
    go.click().run()
    assert not page.exception
    assert page.session_state[VIEW_KEY] == BY_TEST_SET
    assert page.selectbox(key=TEST_SET_KEY).value == "FER2013 PrivateTest"
    assert page.multiselect[0].value == ["other"]
    assert page.session_state["evaluation_tab"] == "Confusion matrix"
    assert not page.error


def test_a_network_links_to_its_own_test_set(artifacts: Path) -> None:
    figures = {"test": {"n": 150, "age_mae": 5.0, "gender_accuracy": 0.9}}
    _two_emotion_networks(artifacts)
    write_artifact(artifacts, "ages", "age_gender", {"test": age_gender_predictions()}, metrics=figures)
    page = open_leaderboard("Age")
    assert page.selectbox[0].options == ["ages"]
    next(button for button in page.button if button.label == "Show").click().run()
    assert not page.exception
    assert page.selectbox(key=TEST_SET_KEY).value == "UTKFace test"
    assert page.multiselect[0].value == ["ages"]

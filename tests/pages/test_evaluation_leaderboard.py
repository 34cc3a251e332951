"""The leaderboard on the evaluation page, with made-up networks and one real one to be timed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import SPEED_FILE
from core.evaluation.metrics import summary_metrics
from core.evaluation.predictions import Predictions
from pages.shared.evaluation.selection import BY_TEST_SET, LEADERBOARD, TEST_SET_KEY, VIEW_KEY
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, write_artifact
from tests.fakes.leaderboard import write_networks
from tests.fakes.networks import add_artifact
from tests.pages.apps import download_names, open_leaderboard, rerun, switch_tab, tab_names, texts

TAB_KEY = "evaluation_leaderboard_tab"


def _tables(page: AppTest) -> list[pd.DataFrame]:
    """Tables of networks, without those of published results."""
    return [table.value for table in page.dataframe if "value" in table.value]


def test_tables_figures_and_published_results(artifacts: Path) -> None:
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
    assert download_names(page) == ["leaderboard.csv"]
    assert "Reported" in page.markdown[0].value
    assert "Test CPU" in texts(page)
    assert not page.error
    assert page.expander[-1].label == "Networks that are not installed (1)"
    assert page.code[0].value == (
        "python -m models.train vgg16_age --data data --epochs 12\npython -m models export vgg16_age --data data"
    )
    (published,) = (box for box in page.expander if "Published results" in box.label and "FER2013" in box.label)
    reported = published.table[0].value
    assert published.label.endswith(f"({len(reported)})")
    assert reported["Source"].str.len().gt(0).all()
    assert reported["Accuracy"].str.endswith("%").all()
    assert "not measured here" in published.caption[0].value


def test_packages_stand_beside_the_networks(artifacts: Path) -> None:
    package = {"name": "peer", "version": "1.0", "registry": "npm", "input": "64x64 grey", "seen": "chosen by them"}
    own = emotion_predictions()
    for name, predictions, changes in (
        ("emotion", own, {}),
        ("peer_one", _worse(own), {"package": package, "title": "peer 1.0", "training": {}}),
    ):
        metrics = {"private": summary_metrics(predictions)}
        write_artifact(artifacts, name, "emotion", {"private": predictions}, metrics=metrics, **changes)
    page = open_leaderboard()
    (table,) = _tables(page)
    assert table["model"].tolist() == ["emotion", "peer 1.0 *"]
    assert table["kind"].tolist() == ["Facet", "Package"]
    assert table["difference"].tolist()[1].startswith("-")
    assert "Has seen test images" in texts(page)
    assert page.expander[-1].label == "Networks that are not installed (1)", "which is the other one"
    page.selectbox[0].select("peer_one")
    _follow_link(rerun(page), "FER2013 PrivateTest", "peer_one")
    assert "peer 1.0 (package)" in page.multiselect[0].options
    assert not {"Training", "Reproduce"} & set(tab_names(page))
    card = switch_tab(page, "Model card", "evaluation_tab")
    assert "Has seen test images: chosen by them." in card.warning[0].value
    assert "64x64 grey" in texts(card)
    assert not card.error


def _worse(predictions: Predictions) -> Predictions:
    """Say something else about the first ten images."""
    probabilities = predictions.probabilities["emotion"].copy()
    probabilities[:10] = np.eye(7, dtype=np.float32)[(predictions.truth["emotion"][:10] + 1) % 7]
    return replace(predictions, probabilities={"emotion": probabilities})


def test_single_network_without_latency(artifacts: Path) -> None:
    add_artifact(artifacts, "emotion", "emotion")
    page = open_leaderboard()
    assert [table["model"].tolist() for table in _tables(page)] == [["emotion"]]
    assert "Not measured yet" in texts(page)
    assert not any("not installed" in expander.label for expander in page.expander)
    assert not page.error


def test_empty_leaderboard(artifacts: Path) -> None:
    page = open_leaderboard()
    assert "nothing to compare" in page.info[-1].value
    assert not page.dataframe


def test_broken_card_is_named(artifacts: Path) -> None:
    (write_networks(artifacts) / "four_conv" / "card.json").write_text("{")
    page = open_leaderboard()
    (error,) = page.error
    assert "card.json" in error.value
    assert "emotion" in page.dataframe[0].value["model"].tolist()


def test_latency_of_different_machines(artifacts: Path) -> None:
    file = write_networks(artifacts) / "four_conv" / SPEED_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"machine": "Faster CPU"}))
    assert "not comparable until measured again on one" in texts(open_leaderboard())


def test_networks_link_to_their_own_test_sets(artifacts: Path) -> None:
    emotions, ages = {"private": {"n": 120, "accuracy": 0.6}}, {"test": {"n": 150, "age_mae": 5.0}}
    for name, seed in (("emotion", 0), ("other", 5)):
        write_artifact(artifacts, name, "emotion", {"private": emotion_predictions(seed=seed)}, metrics=emotions)
    write_artifact(artifacts, "ages", "age_gender", {"test": age_gender_predictions()}, metrics=ages)
    page = open_leaderboard()
    page.selectbox[0].select("other")
    _follow_link(rerun(page), "FER2013 PrivateTest", "other")
    assert page.session_state["evaluation_tab"] == "Confusion matrix"
    switch_tab(switch_tab(page, LEADERBOARD, VIEW_KEY), "Age", TAB_KEY)
    assert page.selectbox[0].options == ["ages"]
    _follow_link(page, "UTKFace test", "ages")


def _follow_link(page: AppTest, test_set: str, model: str) -> None:
    (link,) = [button for button in page.button if button.label == "Show"]
    link.click()
    assert rerun(page).session_state[VIEW_KEY] == BY_TEST_SET
    assert page.selectbox(key=TEST_SET_KEY).value == test_set
    assert page.multiselect[0].value == [model]
    assert not page.error

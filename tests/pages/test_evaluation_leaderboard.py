"""The leaderboard on the evaluation page, with made-up networks and one real one to be timed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import SPEED_FILE
from core.evaluation.latency import load_speed
from core.evaluation.predictions import Predictions
from pages.shared.evaluation.selection import BY_TEST_SET, LEADERBOARD, VIEW_KEY
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, write_artifact
from tests.fakes.leaderboard import copy_real_network, write_networks

PAGE = Path(__file__).resolve().parents[2] / "pages" / "3_Model_Evaluation.py"


def _page() -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    page.session_state[VIEW_KEY] = LEADERBOARD
    page.run()
    assert not page.exception
    return page


def _tabs(page: AppTest) -> list[str]:
    return [tab.label for tab in page.tabs]


def _measured(page: AppTest) -> list[pd.DataFrame]:
    """The tables of what was measured, without those of what others report."""
    return [table.value for table in page.dataframe if "measured" in table.value]


def _text(page: AppTest) -> str:
    return " ".join(str(element.value) for element in (*page.markdown, *page.caption, *page.info))


def test_there_is_a_table_and_a_figure_for_everything_that_can_be_compared(artifacts: Path) -> None:
    write_networks(artifacts)
    page = _page()
    titles = ["Emotion, seven classes", "Emotion, five classes", "Gender as perceived", "Age in years", "Age group"]
    assert _tabs(page) == [LEADERBOARD, *titles, BY_TEST_SET]
    tables = _measured(page)
    assert [len(table) for table in tables] == [2, 1, 3, 3, 1]
    assert tables[0]["network"].tolist() == ["emotion", "four_conv"]
    assert tables[3]["claimed"].tolist()[1] == "64 %"
    assert tables[0]["behind"].tolist() == ["", ""], "there are no stored answers to compare"
    # One network alone needs no figure.
    assert len(page.get("plotly_chart")) == 3
    assert [element.proto.label for element in page.get("download_button")] == ["Download leaderboard.csv"]
    assert "Claimed" in page.markdown[0].value
    assert "Test CPU" in _text(page)
    assert not page.error


def test_what_others_report_stands_beside_and_is_not_ranked(artifacts: Path) -> None:
    write_networks(artifacts)
    page = _page()
    tables = {one.label: one for one in page.expander if "others report" in one.label}
    assert len(tables) == 3
    (label,) = (label for label in tables if "FER2013" in label)
    reported = tables[label].table[0].value
    assert label.endswith(f"({len(reported)})")
    assert reported["Source"].str.len().gt(0).all()
    assert reported["Right answers"].str.endswith("%").all()
    assert "not measured here" in tables[label].caption[0].value


def test_what_has_to_be_made_first_is_said_with_its_commands(artifacts: Path) -> None:
    write_networks(artifacts)
    page = _page()
    assert page.expander[-1].label == "Networks to be made before they can be chosen (1)"
    assert page.code[0].value == (
        "python -m models.train vgg16_age --data data --epochs 12\npython -m models export vgg16_age --data data"
    )


def test_without_rebuilt_networks_ours_are_shown(artifacts: Path) -> None:
    copy_real_network(artifacts)
    page = _page()
    assert [table["network"].tolist() for table in _measured(page)] == [["emotion"]]
    assert "Nothing was timed yet" in _text(page)
    assert not [one for one in page.expander if "to be made" in one.label]
    assert not page.error


def test_nothing_installed_is_said(artifacts: Path) -> None:
    page = _page()
    assert "nothing to compare" in page.info[-1].value
    assert not page.dataframe


@pytest.mark.parametrize("file", ["card.json", SPEED_FILE])
def test_a_broken_file_is_named_and_the_rest_works(artifacts: Path, file: str) -> None:
    (write_networks(artifacts) / "four_conv" / file).write_text("{")
    page = _page()
    (error,) = page.error
    assert file in error.value
    assert "emotion" in page.dataframe[0].value["network"].tolist()


def test_times_of_different_machines_are_not_taken_for_comparable(artifacts: Path) -> None:
    file = write_networks(artifacts) / "four_conv" / SPEED_FILE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"machine": "Faster CPU"}))
    assert "cannot be compared until all networks are timed on one" in _text(_page())


def test_the_button_times_the_networks_and_keeps_the_times(artifacts: Path) -> None:
    folder = copy_real_network(artifacts)
    page = _page()
    page.button(key="leaderboard_measure").click().run()
    assert not page.exception
    assert not page.error
    assert page.dataframe[0].value["ms_per_face"].tolist() == [load_speed(folder).ms_per_face]
    assert page.dataframe[0].value["timed_on"].tolist() == [load_speed(folder).machine]


def test_times_that_cannot_be_kept_are_shown_with_a_message(artifacts: Path) -> None:
    folder = copy_real_network(artifacts)
    (folder / SPEED_FILE).mkdir()
    page = _page()
    page.button(key="leaderboard_measure").click().run()
    assert not page.exception
    assert "cannot be written" in page.error[0].value
    assert page.dataframe[0].value["ms_per_face"].notna().all()


def _two_emotion_networks(artifacts: Path) -> None:
    figures = {"private": {"n": 120, "accuracy": 0.6}}
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions()}, metrics=figures)
    other: dict[str, Predictions] = {"private": emotion_predictions(seed=5), "public": emotion_predictions(seed=6)}
    write_artifact(artifacts, "other", "emotion", other, metrics=figures)


def test_a_network_leads_to_its_confusion_matrix(artifacts: Path) -> None:
    _two_emotion_networks(artifacts)
    page = _page()
    page.selectbox[0].select("other").run()
    (go,) = [button for button in page.button if button.label == "Show them"]
    go.click().run()
    assert not page.exception
    assert page.session_state[VIEW_KEY] == BY_TEST_SET
    assert page.selectbox(key="evaluation_side").value == "FER2013 PrivateTest"
    assert page.multiselect[0].value == ["other"]
    assert "Confusion" in _tabs(page)
    assert not page.error


def test_a_network_of_ages_leads_to_its_test_set(artifacts: Path) -> None:
    figures = {"test": {"n": 150, "age_mae": 5.0, "gender_accuracy": 0.9}}
    _two_emotion_networks(artifacts)
    write_artifact(artifacts, "ages", "age_gender", {"test": age_gender_predictions()}, metrics=figures)
    page = _page()
    assert [group.options for group in page.selectbox] == [["emotion", "other"], ["ages"], ["ages"]]
    [button for button in page.button if button.label == "Show them"][2].click().run()
    assert not page.exception
    assert page.selectbox(key="evaluation_side").value == "UTKFace test"
    assert page.multiselect[0].value == ["ages"]


def test_a_choice_survives_a_look_at_the_leaderboard(artifacts: Path) -> None:
    _two_emotion_networks(artifacts)
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    page.selectbox(key="evaluation_side").select("FER2013 PublicTest").run()
    for view in (LEADERBOARD, BY_TEST_SET):
        page.session_state[VIEW_KEY] = view
        page.run()
        assert not page.exception
    assert page.selectbox(key="evaluation_side").value == "FER2013 PublicTest"
    assert page.multiselect[0].value == ["other"]

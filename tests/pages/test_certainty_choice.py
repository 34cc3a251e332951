"""The sliders that say how sure a reading must be, on both pages, with models that need no file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.analyzer import FaceAnalyzer
from core.errors import ArtifactMissingError
from core.io import export as report
from core.settings import DEFAULT_NETWORKS, Attributes, NetworkChoice
from core.types import Box
from core.video.session import LiveSession
from pages.shared import resources
from tests.fakes.core import AGE_GENDER_CARD, FakeDetector, FakeEstimator
from tests.fakes.networks import add_artifact, answering

PAGES = Path(__file__).parents[2] / "pages"
LIVE, IMAGE = "live", "image"
FILES = {LIVE: "1_Live_Camera.py", IMAGE: "2_Analyze_Image.py"}
FRAME = np.zeros((50, 60, 3), np.uint8)
CARDS = {"emotion": 0.473, "gender": 0.66}


@pytest.fixture
def minimums(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, float]]:
    """The cards' minimums. The networks answer angry with 90 % and male with 80 % for the black ``FRAME``."""
    # Without a browser there is no session that streamlit-webrtc could look up.
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    networks = answering(FakeEstimator(), FakeEstimator(AGE_GENDER_CARD))
    analyzer = FaceAnalyzer(FakeDetector(Box(5, 5, 45, 45)), networks)
    monkeypatch.setattr("pages.shared.resources.get_analyzer", lambda settings, detector_name, networks: analyzer)
    values = dict(CARDS)
    monkeypatch.setattr("pages.shared.resources.card_minimums", lambda choice: values)
    yield values
    st.cache_resource.clear()


def opened(page: str) -> AppTest:
    app = AppTest.from_file(str(PAGES / FILES[page]), default_timeout=30).run()
    assert not app.exception
    return app


def with_picture(app: AppTest) -> AppTest:
    file = io.BytesIO()
    Image.fromarray(FRAME).save(file, "PNG")
    app.file_uploader(key="image_files").set_value([("me.png", file.getvalue(), "")])
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.markdown, *app.caption))


@pytest.mark.parametrize("page", [LIVE, IMAGE])
def test_sliders_begin_at_the_models_own_values(minimums: dict[str, float], page: str) -> None:
    app = opened(page)
    assert "Confidence thresholds" in [expander.label for expander in app.sidebar.expander]
    emotion, gender = app.slider(key=f"{page}_min_emotion"), app.slider(key=f"{page}_min_gender")
    assert (emotion.value, gender.value) == (47, 66)
    assert (emotion.label, gender.label) == (
        "Emotion: minimum confidence",
        "Perceived gender: minimum confidence",
    )
    assert not app.error


@pytest.mark.parametrize("page", [LIVE, IMAGE])
def test_a_model_without_minimums_never_says_uncertain(minimums: dict[str, float], page: str) -> None:
    minimums.clear()
    app = opened(page)
    assert app.slider(key=f"{page}_min_emotion").value == 0
    assert app.slider(key=f"{page}_min_gender").value == 50


def test_an_attribute_that_is_off_has_no_minimum_to_choose(minimums: dict[str, float]) -> None:
    app = opened(IMAGE)
    app.toggle(key="image_emotion").set_value(False).run()
    assert app.slider(key="image_min_emotion").disabled
    assert not app.slider(key="image_min_gender").disabled


def test_choices_reach_the_running_stream(minimums: dict[str, float]) -> None:
    app = opened(LIVE)
    session: LiveSession = app.session_state["live_session"]
    assert session._attributes == Attributes(), "untouched sliders leave it to the cards, to the last digit"
    session.process(FRAME, 0.0)
    app.slider(key="live_min_emotion").set_value(95)
    app.slider(key="live_min_gender").set_value(85).run()
    assert not app.exception
    assert app.session_state["live_session"] is session
    assert session._attributes == Attributes(min_emotion_confidence=0.95, min_gender_confidence=0.85)
    session.process(FRAME, 0.5)
    before, after = (row.face for row in session.snapshot(0.5).history)
    assert (before.emotion.uncertain, before.gender.uncertain) == (False, False)
    assert (after.emotion.uncertain, after.gender.uncertain) == (True, True)
    app.run()
    assert "Share of predictions: angry 50%, uncertain 50%." in texts(app)


def test_back_at_the_models_own_value_the_choice_is_left_to_the_card(minimums: dict[str, float]) -> None:
    app = opened(LIVE)
    app.slider(key="live_min_emotion").set_value(95).run()
    app.slider(key="live_min_emotion").set_value(47).run()
    assert app.session_state["live_session"]._attributes == Attributes()


def test_uncertain_faces_say_so_on_the_image_page(minimums: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    to_csv = report.to_csv

    def remember(*arguments: object) -> str:
        written.append(to_csv(*arguments))
        return written[-1]

    monkeypatch.setattr("core.io.export.to_csv", remember)
    app = with_picture(opened(IMAGE))
    assert "Angry 90%" in texts(app)
    assert "Perceived gender: male 80%" in texts(app)
    app.slider(key="image_min_emotion").set_value(95)
    app.slider(key="image_min_gender").set_value(85).run()
    assert not app.exception
    assert "Uncertain: angry 90% / disgust 2%" in texts(app)
    assert "Perceived gender uncertain: male 80% / female 20%" in texts(app)
    assert any('uncertain,"angry 90%, disgust 2%"' in text for text in written)
    assert app.dataframe[-1].value["perceived_gender"].tolist() == ["uncertain"]


def test_an_uncertain_emotion_gets_no_suggestion(minimums: dict[str, float]) -> None:
    app = with_picture(opened(IMAGE))
    app.button(key="suggest_button").click().run()
    sure = texts(app)
    app.slider(key="image_min_emotion").set_value(95).run()
    unsure = texts(app)
    assert (sure.count("- Activity: "), unsure.count("- Activity: ")) == (1, 0)
    assert "uncertain, so suggestions ignore it" not in sure
    assert "uncertain, so suggestions ignore it" in unsure


@pytest.mark.parametrize("page", [LIVE, IMAGE])
def test_a_card_that_cannot_be_read_is_a_message(
    minimums: dict[str, float], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    def broken(choice: NetworkChoice) -> dict[str, float]:
        raise ArtifactMissingError("models/artifacts/emotion/card.json is missing. Restore it with: git restore")

    monkeypatch.setattr("pages.shared.resources.card_minimums", broken)
    app = opened(page)
    assert "emotion/card.json is missing. Restore it with" in app.error[0].value


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (DEFAULT_NETWORKS, {"emotion": 0.4, "gender": 0.7}),
        (NetworkChoice(gender="six_conv_gender"), {"emotion": 0.4, "gender": 0.8}),
        (NetworkChoice(age="caffe", gender="caffe"), {"emotion": 0.4}),
    ],
    ids=["ours", "classic", "without a card"],
)
def test_minimums_are_read_from_the_cards_of_the_chosen_artifacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: NetworkChoice, expected: dict[str, float]
) -> None:
    add_artifact(tmp_path, "emotion", "emotion", min_confidence={"emotion": 0.4})
    add_artifact(tmp_path, "age_gender", "age_gender", min_confidence={"gender": 0.7})
    add_artifact(tmp_path, "six_conv_gender", "age_gender", task="gender", min_confidence={"gender": 0.8})
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    resources.card_minimums.clear()
    assert resources.card_minimums(choice) == expected
    resources.card_minimums.clear()

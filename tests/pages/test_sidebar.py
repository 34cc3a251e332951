"""The choice of the detector and of the confidence thresholds on both pages, with parts that need no model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from core.analyzer import FaceAnalyzer
from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.errors import ArtifactMissingError, DetectorError, FacetError
from core.io import export
from core.settings import DEFAULT_NETWORKS, Attributes, DetectorSettings, NetworkChoice
from core.types import Box
from core.video.session import LiveSession
from pages.shared import resources
from pages.shared.sidebar import DETECTOR_TITLES
from tests.fakes.core import AGE_GENDER_CARD, FakeDetector, FakeEstimator
from tests.fakes.networks import add_artifact, answering
from tests.pages.apps import IMAGE, LIVE, PageUnderTest, rerun, texts, upload_image

MISSING = "models/external/face_detection_yunet_2023mar.onnx is missing. YuNet is not part of this repository"
FRAME = np.zeros((50, 60, 3), np.uint8)
"""Black: for that, the fake networks predict angry with 90 % and male with 80 %."""


@dataclass
class FakeAnalyzers:
    """``get_analyzer`` of a server on which the detectors in ``broken`` cannot be used."""

    broken: dict[str, FacetError] = field(default_factory=dict)
    detectors: list[tuple[str, FakeDetector]] = field(default_factory=list)

    def __call__(self, settings: DetectorSettings, detector_name: str, networks: NetworkChoice) -> FaceAnalyzer:
        if detector_name in self.broken:
            raise self.broken[detector_name]
        self.detectors.append((detector_name, FakeDetector(Box(5, 5, 45, 45))))
        return FaceAnalyzer(self.detectors[-1][1], answering(FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)))

    @property
    def latest(self) -> str:
        return self.detectors[-1][0]


@pytest.fixture
def analyzers(no_browser: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAnalyzers]:
    for name in DETECTOR_TITLES:
        monkeypatch.setitem(DETECTORS, name, DETECTORS["haar"])
    monkeypatch.delenv("FACET_DETECTOR", raising=False)
    fakes = FakeAnalyzers()
    monkeypatch.setattr("pages.shared.resources.get_analyzer", fakes)
    yield fakes
    st.cache_resource.clear()


@pytest.fixture
def minimums(analyzers: FakeAnalyzers, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The thresholds on the models' cards."""
    values = {"emotion": 0.473, "gender": 0.66}
    monkeypatch.setattr("pages.shared.resources.card_minimums", lambda choice: values)
    return values


# The detector.


def test_every_detector_is_offered(analyzers: FakeAnalyzers, page: PageUnderTest) -> None:
    app = page.open()
    box = app.selectbox(key=f"{page.name}_detector")
    assert set(box.options) == set(DETECTOR_TITLES.values())
    assert box.value == analyzers.latest == DEFAULT_DETECTOR
    page.choose(app, "detector", "haar")
    assert analyzers.latest == "haar"
    assert not app.warning
    analyzers.broken["yunet"] = DetectorError(MISSING)
    page.choose(app, "detector", "yunet")
    assert MISSING in app.warning[0].value
    assert DETECTOR_TITLES["haar"] in app.warning[0].value, "the detector used before goes on"
    assert analyzers.latest == "haar"
    assert not page.choose(app, "detector", "haar").warning


def test_default_detector_of_the_environment(
    analyzers: FakeAnalyzers, page: PageUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACET_DETECTOR", "yunet")
    assert page.open().selectbox(key=f"{page.name}_detector").value == analyzers.latest == "yunet"
    analyzers.broken["yunet"] = DetectorError(MISSING)
    assert MISSING in page.open().warning[0].value
    assert analyzers.latest == DEFAULT_DETECTOR
    monkeypatch.setenv("FACET_DETECTOR", "owl")
    assert "FACET_DETECTOR must be one of" in page.open().error[0].value


def test_missing_networks_are_one_error(analyzers: FakeAnalyzers, page: PageUnderTest) -> None:
    analyzers.broken = dict.fromkeys(DETECTOR_TITLES, ArtifactMissingError("artifacts/emotion/card.json is missing"))
    app = page.open()
    assert "card.json is missing" in app.error[0].value
    assert not app.warning


def test_live_session_goes_on_with_the_new_detector(analyzers: FakeAnalyzers) -> None:
    app = LIVE.open()
    session: LiveSession = app.session_state["live_session"]
    session.process(FRAME, 0.0)
    LIVE.choose(app, "detector", "yunet")
    session.process(FRAME, 0.1)
    assert app.session_state["live_session"] is session
    assert analyzers.latest == "yunet"
    assert analyzers.detectors[-1][1].calls == 1
    assert session.snapshot(0.1).frames == 2


def test_images_are_analyzed_again_with_another_detector_only(analyzers: FakeAnalyzers) -> None:
    analyzers.broken["yunet"] = DetectorError(MISSING)
    app = upload_image(IMAGE.choose(IMAGE.open(), "detector", "haar"), FRAME)
    for name in ("yunet", "facet"):
        IMAGE.choose(app, "detector", name)
    used = [name for name, detector in analyzers.detectors if detector.calls]
    assert used == ["haar", "facet"], "yunet gave way to haar again"


# The confidence thresholds.


def test_sliders_start_at_the_models_own_thresholds(minimums: dict[str, float], page: PageUnderTest) -> None:
    app = page.open()
    sliders = [app.slider(key=f"{page.name}_min_{name}") for name in minimums]
    assert [(slider.label, slider.value) for slider in sliders] == [
        ("Emotion: minimum confidence", 47),
        ("Perceived gender: minimum confidence", 66),
    ]
    app.toggle(key=f"{page.name}_emotion").set_value(False)
    rerun(app)
    assert [app.slider(key=f"{page.name}_min_{name}").disabled for name in minimums] == [True, False]
    minimums.clear()
    app = page.open()
    assert [app.slider(key=f"{page.name}_min_{name}").value for name in ("emotion", "gender")] == [0, 50]


def test_thresholds_reach_the_running_stream(minimums: dict[str, float]) -> None:
    app = LIVE.open()
    session: LiveSession = app.session_state["live_session"]
    assert session._attributes == Attributes(), "untouched sliders leave it to the cards, to the last digit"
    session.process(FRAME, 0.0)
    app.slider(key="live_min_emotion").set_value(95)
    app.slider(key="live_min_gender").set_value(85)
    rerun(app)
    assert app.session_state["live_session"] is session
    assert session._attributes == Attributes(min_emotion_confidence=0.95, min_gender_confidence=0.85)
    session.process(FRAME, 0.5)
    before, after = (row.face for row in session.snapshot(0.5).history)
    assert (before.emotion.uncertain, before.gender.uncertain) == (False, False)
    assert (after.emotion.uncertain, after.gender.uncertain) == (True, True)
    assert "angry 50%, uncertain 50%" in texts(rerun(app))
    app.slider(key="live_min_emotion").set_value(47)
    app.slider(key="live_min_gender").set_value(66)
    rerun(app)
    assert session._attributes == Attributes(), "back at its own threshold, the model's card decides"


def test_uncertain_faces_on_the_image_page(minimums: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    to_csv = export.to_csv

    def remember(*arguments: object) -> str:
        written.append(to_csv(*arguments))
        return written[-1]

    monkeypatch.setattr("core.io.export.to_csv", remember)
    app = upload_image(IMAGE.open(), FRAME)
    app.button(key="suggest_button").click()
    sure = texts(rerun(app))
    assert "Angry 90%" in sure
    assert sure.count("- Activity: ") == 1
    app.slider(key="image_min_emotion").set_value(95)
    app.slider(key="image_min_gender").set_value(85)
    rerun(app)
    assert "angry 90% / disgust 2%" in texts(app)
    assert "male 80% / female 20%" in texts(app)
    assert any('uncertain,"angry 90%, disgust 2%"' in text for text in written)
    (faces,) = (table.value for table in app.dataframe if "perceived_gender" in table.value)
    assert faces["perceived_gender"].tolist() == ["uncertain"]
    assert "- Activity: " not in texts(app), "nothing is suggested for an uncertain emotion"


def test_unreadable_card_is_a_message(
    minimums: dict[str, float], page: PageUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(choice: NetworkChoice) -> dict[str, float]:
        raise ArtifactMissingError("models/artifacts/emotion/card.json is missing. Restore it with: git restore")

    monkeypatch.setattr("pages.shared.resources.card_minimums", broken)
    assert "emotion/card.json is missing. Restore it with" in page.open().error[0].value


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (DEFAULT_NETWORKS, {"emotion": 0.4, "gender": 0.7}),
        (NetworkChoice(gender="six_conv_gender"), {"emotion": 0.4, "gender": 0.8}),
        (NetworkChoice(age="caffe", gender="caffe"), {"emotion": 0.4}),
    ],
    ids=["built-in", "baseline", "without a card"],
)
def test_thresholds_come_from_the_chosen_models_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: NetworkChoice, expected: dict[str, float]
) -> None:
    add_artifact(tmp_path, "emotion", "emotion", min_confidence={"emotion": 0.4})
    add_artifact(tmp_path, "age_gender", "age_gender", min_confidence={"gender": 0.7})
    add_artifact(tmp_path, "six_conv_gender", "age_gender", task="gender", min_confidence={"gender": 0.8})
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    resources.card_minimums.clear()
    assert resources.card_minimums(choice) == expected
    resources.card_minimums.clear()

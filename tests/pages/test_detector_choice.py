"""The choice of the detector on the live and the image page, with analyzers that need no model."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.errors import ArtifactMissingError, DetectorError, FacetError
from core.settings import Attributes, DetectorSettings, NetworkChoice
from core.types import Analysis
from pages.shared.sidebar import DETECTOR_TITLES

PAGES = Path(__file__).parents[2] / "pages"
MISSING = "models/external/face_detection_yunet_2023mar.onnx is missing. YuNet is not part of this repository"


@dataclass
class FakeAnalyzer:
    """Finds nobody, with the detector of that name."""

    detector_name: str
    calls: int = 0

    def analyze(self, frame: np.ndarray, attributes: Attributes = Attributes()) -> Analysis:
        self.calls += 1
        return Analysis(frame.shape[1], frame.shape[0])


@dataclass
class FakeAnalyzers:
    """``get_analyzer`` of a server on which the detectors in ``broken`` cannot be used."""

    broken: dict[str, FacetError] = field(default_factory=dict)
    made: list[FakeAnalyzer] = field(default_factory=list)

    def __call__(self, settings: DetectorSettings, detector_name: str, networks: NetworkChoice) -> FakeAnalyzer:
        if detector_name in self.broken:
            raise self.broken[detector_name]
        self.made.append(FakeAnalyzer(detector_name))
        return self.made[-1]


@pytest.fixture
def analyzers(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAnalyzers]:
    for name in DETECTOR_TITLES:
        monkeypatch.setitem(DETECTORS, name, DETECTORS["haar"])
    monkeypatch.delenv("FACET_DETECTOR", raising=False)
    # Without a browser there is no session that streamlit-webrtc could look up.
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    fakes = FakeAnalyzers()
    monkeypatch.setattr("pages.shared.resources.get_analyzer", fakes)
    yield fakes
    st.cache_resource.clear()


@dataclass(frozen=True)
class PageUnderTest:
    file: str
    key: str

    def open(self) -> AppTest:
        return AppTest.from_file(str(PAGES / self.file), default_timeout=30).run()


@pytest.fixture(
    params=[PageUnderTest("1_Live_Camera.py", "live_detector"), PageUnderTest("2_Analyze_Image.py", "image_detector")],
    ids=["live", "image"],
)
def page(request: pytest.FixtureRequest) -> PageUnderTest:
    return request.param


def choose(app: AppTest, page: PageUnderTest, name: str) -> AppTest:
    app.selectbox(key=page.key).set_value(name).run()
    assert not app.exception
    return app


def test_every_detector_is_offered_in_plain_words(analyzers: FakeAnalyzers, page: PageUnderTest) -> None:
    box = page.open().selectbox(key=page.key)
    assert set(box.options) == set(DETECTOR_TITLES.values())
    assert box.value == DEFAULT_DETECTOR
    assert analyzers.made[-1].detector_name == DEFAULT_DETECTOR


def test_the_choice_reaches_the_analyzer(analyzers: FakeAnalyzers, page: PageUnderTest) -> None:
    app = choose(page.open(), page, "yunet")
    assert analyzers.made[-1].detector_name == "yunet"
    assert not app.warning


def test_the_environment_sets_the_default(
    analyzers: FakeAnalyzers, page: PageUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACET_DETECTOR", "yunet")
    assert page.open().selectbox(key=page.key).value == "yunet"


def test_an_unknown_default_is_a_message(
    analyzers: FakeAnalyzers, page: PageUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACET_DETECTOR", "owl")
    app = page.open()
    assert not app.exception
    assert "FACET_DETECTOR must be one of" in app.error[0].value


def test_without_its_file_the_detector_used_before_goes_on(analyzers: FakeAnalyzers, page: PageUnderTest) -> None:
    analyzers.broken["yunet"] = DetectorError(MISSING)
    app = choose(page.open(), page, "haar")
    choose(app, page, "yunet")
    assert MISSING in app.warning[0].value
    assert DETECTOR_TITLES["haar"] in app.warning[0].value
    assert analyzers.made[-1].detector_name == "haar"
    assert not choose(app, page, "haar").warning


def test_a_default_without_its_file_gives_way_to_our_own(
    analyzers: FakeAnalyzers, page: PageUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACET_DETECTOR", "yunet")
    analyzers.broken["yunet"] = DetectorError(MISSING)
    app = page.open()
    assert MISSING in app.warning[0].value
    assert analyzers.made[-1].detector_name == DEFAULT_DETECTOR


def test_networks_that_are_missing_are_one_error(analyzers: FakeAnalyzers, page: PageUnderTest) -> None:
    analyzers.broken = dict.fromkeys(
        DETECTOR_TITLES, ArtifactMissingError("models/artifacts/emotion/card.json is missing")
    )
    app = page.open()
    assert not app.exception
    assert "card.json is missing" in app.error[0].value
    assert not app.warning


def test_the_live_session_goes_on_with_the_new_detector(analyzers: FakeAnalyzers) -> None:
    live = PageUnderTest("1_Live_Camera.py", "live_detector")
    app = live.open()
    session = app.session_state["live_session"]
    session.process(np.zeros((48, 64, 3), np.uint8), 0.0)
    choose(app, live, "yunet")
    session.process(np.zeros((48, 64, 3), np.uint8), 0.1)
    assert app.session_state["live_session"] is session
    assert analyzers.made[-1].detector_name == "yunet"
    assert analyzers.made[-1].calls == 1
    assert session.snapshot(0.1).frames == 2


def test_pictures_are_analysed_again_with_another_detector_only(analyzers: FakeAnalyzers) -> None:
    image = PageUnderTest("2_Analyze_Image.py", "image_detector")
    analyzers.broken["yunet"] = DetectorError(MISSING)
    file = io.BytesIO()
    Image.new("RGB", (60, 50)).save(file, "PNG")
    app = image.open()
    app.file_uploader(key="image_files").set_value([("a.png", file.getvalue(), "")])
    choose(app, image, "haar")
    choose(app, image, "yunet")
    assert [one.detector_name for one in analyzers.made if one.calls] == ["haar"], "yunet gave way to haar again"
    choose(app, image, "compact")
    assert [one.detector_name for one in analyzers.made if one.calls] == ["haar", "compact"]

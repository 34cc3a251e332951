"""What the tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from core.settings import DetectorSettings, NetworkChoice
from tests.fakes.core import FakeAnalyzer
from tests.pages.apps import IMAGE, LIVE, PageUnderTest


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of artifacts, and no data set."""
    root = tmp_path / "artifacts"
    root.mkdir()
    monkeypatch.setenv("FACET_ARTIFACTS", str(root))
    monkeypatch.setenv("FACET_DATA", str(tmp_path / "data"))
    return root


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser there is no session that streamlit-webrtc could look up."""
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)


@pytest.fixture(params=[LIVE, IMAGE], ids=["live", "image"])
def page(request: pytest.FixtureRequest) -> PageUnderTest:
    return request.param


@pytest.fixture
def analyzer(no_browser: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAnalyzer]:
    """The analyzer of every page; no models are loaded."""
    fake = FakeAnalyzer()

    def get_analyzer(settings: DetectorSettings, detector_name: str, networks: NetworkChoice) -> FakeAnalyzer:
        fake.settings.append(settings)
        return fake

    monkeypatch.setattr("pages.shared.resources.get_analyzer", get_analyzer)
    yield fake
    st.cache_resource.clear()

"""What is kept, and what is dropped, when the viewer goes from page to page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.video.job import VideoJob, VideoRequest
from core.video.reader import VideoInfo
from pages.shared.image.cache import EXPLANATIONS, RESULTS
from pages.shared.live.connection import Connection
from pages.shared.video.jobs import JOB
from tests.fakes.core import FakeAnalyzer
from tests.pages.apps import IMAGE, LIVE, ROOT, VIDEO, open_file, rerun

HOME = "Home.py"


@pytest.fixture
def app(no_browser: None) -> AppTest:
    return open_file(HOME)


def go(app: AppTest, page: str) -> AppTest:
    return rerun(app.switch_page(str(ROOT / page)))


def test_settings_survive_other_pages(app: AppTest) -> None:
    go(app, LIVE.file)
    app.toggle(key="live_blur").set_value(True)
    app.slider(key="live_smoothing").set_value(1.5)
    go(rerun(app), IMAGE.file)
    app.toggle(key="image_blur").set_value(True)
    app.slider(key="image_min_emotion").set_value(70)
    rerun(go(rerun(app), HOME))
    go(app, LIVE.file)
    assert app.toggle(key="live_blur").value is True
    assert app.session_state["live_session"]._style.blur_faces
    assert app.slider(key="live_smoothing").value == 1.5
    app.toggle(key="live_blur").set_value(False)
    go(rerun(app), IMAGE.file)
    assert app.toggle(key="image_blur").value is True
    assert app.slider(key="image_min_emotion").value == 70
    go(app, LIVE.file)
    assert app.toggle(key="live_blur").value is False, "a restored setting can be changed"


def test_leaving_the_live_page_is_not_a_failed_connection(app: AppTest) -> None:
    go(app, LIVE.file)
    app.session_state["live_connection"] = Connection.CONNECTING
    assert not go(go(app, HOME), LIVE.file).error


def test_images_are_forgotten_on_other_pages(app: AppTest) -> None:
    go(app, IMAGE.file)
    for kind in (RESULTS, EXPLANATIONS):
        app.session_state[kind][("somebody", "a.png")] = "an image"
    go(app, HOME)
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [0, 0]


def test_videos_are_removed_on_other_pages(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    job = VideoJob(VideoRequest(b"", VideoInfo("clip", (64, 64), 1.0, 10.0)), FakeAnalyzer())
    go(app, VIDEO.file)
    app.session_state[JOB] = job
    assert list(tmp_path.iterdir())
    go(app, HOME)
    assert JOB not in app.session_state
    assert list(tmp_path.iterdir()) == []

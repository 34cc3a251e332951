"""What is kept, and what is dropped, when the viewer goes from page to page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.image.cache import EXPLANATIONS, RESULTS
from pages.shared.live.connection import Connection

ROOT = Path(__file__).parents[2]
HOME, LIVE, IMAGE = "Home.py", "pages/1_Live_Camera.py", "pages/2_Analyze_Image.py"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    # Without a browser there is no session that streamlit-webrtc could look up.
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    return AppTest.from_file(str(ROOT / HOME), default_timeout=60).run()


def go(app: AppTest, page: str) -> AppTest:
    app.switch_page(str(ROOT / page)).run()
    assert not app.exception
    return app


def test_hidden_faces_are_still_hidden_after_a_look_at_other_pages(app: AppTest) -> None:
    go(app, LIVE)
    app.toggle(key="live_blur").set_value(True).run()
    app.slider(key="live_smoothing").set_value(1.5).run()
    go(app, IMAGE)
    app.toggle(key="image_blur").set_value(True).run()
    app.slider(key="image_min_emotion").set_value(70).run()
    go(app, HOME)
    app.run()
    go(app, LIVE)
    assert app.toggle(key="live_blur").value is True
    assert app.session_state["live_session"]._style.blur_faces
    assert app.slider(key="live_smoothing").value == 1.5
    go(app, IMAGE)
    assert app.toggle(key="image_blur").value is True
    assert app.slider(key="image_min_emotion").value == 70


def test_settings_can_still_be_changed_after_coming_back(app: AppTest) -> None:
    go(app, LIVE)
    app.toggle(key="live_blur").set_value(True).run()
    go(app, HOME)
    go(app, LIVE)
    app.toggle(key="live_blur").set_value(False).run()
    assert app.toggle(key="live_blur").value is False
    go(app, HOME)
    go(app, LIVE)
    assert app.toggle(key="live_blur").value is False


def test_leaving_the_live_page_is_no_failed_connection(app: AppTest) -> None:
    go(app, LIVE)
    app.session_state["live_connection"] = Connection.CONNECTING
    go(app, HOME)
    go(app, LIVE)
    assert not app.error


def test_pictures_are_forgotten_on_other_pages(app: AppTest) -> None:
    go(app, IMAGE)
    for kind in (RESULTS, EXPLANATIONS):
        app.session_state[kind][("somebody", "a.png")] = "a picture"
    go(app, HOME)
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [0, 0]

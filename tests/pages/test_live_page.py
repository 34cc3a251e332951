"""The live page without a browser: states, settings, configuration. The video is tested in tests/e2e."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest

from core.errors import ArtifactMissingError, ConfigError
from core.settings import LIVE_DETECTOR, Attributes, DetectorSettings, NetworkChoice, OverlayStyle
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face, GenderEstimate
from core.video.history import HistoryRow
from core.video.session import LiveSession, LiveSnapshot
from pages.shared.live import texts as live_texts
from pages.shared.live.connection import Connection, camera_message, next_connection
from pages.shared.live.ice_servers import ice_servers, ice_table, is_secure_origin
from pages.shared.live.panel import VALENCE_FORMULA, explain_empty_timeline, face_title, summary
from pages.shared.live.stream import frame_callback

PAGE = Path(__file__).parents[2] / "pages" / "1_Live_Camera.py"
FRAME = np.zeros((48, 64, 3), dtype=np.uint8)
SOMEBODY = Face(
    Detection(Box(8, 8, 40, 40), 0.9),
    EmotionEstimate((0, 0, 0, 0.9, 0, 0, 0.1)),
    AgeEstimate(31, 25, 38),
    GenderEstimate((0.2, 0.8)),
)


class FakeAnalyzer:
    """Finds somebody in every frame and remembers how it was asked."""

    def __init__(self) -> None:
        self.attributes = Attributes()

    def analyze(self, frame: np.ndarray, attributes: Attributes = Attributes()) -> Analysis:
        self.attributes = attributes
        return Analysis(frame.shape[1], frame.shape[0], (SOMEBODY,))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[DetectorSettings]]:
    """Detector settings that the page asked analyzers for; no models are loaded and no browser is there."""
    # Without a browser there is no session that streamlit-webrtc could look up.
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    for name in ("FACET_ICE_SERVERS", "FACET_TURN_URL"):
        monkeypatch.delenv(name, raising=False)
    seen: list[DetectorSettings] = []

    def get_analyzer(settings: DetectorSettings, detector_name: str, networks: NetworkChoice) -> FakeAnalyzer:
        seen.append(settings)
        return FakeAnalyzer()

    monkeypatch.setattr("pages.shared.resources.get_analyzer", get_analyzer)
    yield seen
    st.cache_resource.clear()


def page() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=30)


def texts(app: AppTest) -> str:
    elements = [*app.info, *app.error, *app.warning, *app.caption, *app.markdown]
    return "\n".join(str(element.value) for element in elements)


def test_page_explains_start_and_valence(asked: list[DetectorSettings]) -> None:
    app = page().run()
    assert not app.exception
    assert "START" in texts(app)
    assert VALENCE_FORMULA in texts(app)
    assert [metric.label for metric in app.metric] == ["Frames/s", "Faces", "Latency"]
    assert [expander.label for expander in app.main.expander] == ["Camera does not start?"]


def test_settings_reach_the_running_session(asked: list[DetectorSettings]) -> None:
    app = page().run()
    session: LiveSession = app.session_state["live_session"]
    app.select_slider(key="live_sensitivity").set_value("high")
    app.toggle(key="live_age").set_value(False)
    app.toggle(key="live_blur").set_value(True)
    app.slider(key="live_smoothing").set_value(0.0)
    app.run()
    assert not app.exception
    assert app.session_state["live_session"] is session, "the stream goes on with the same session"
    assert asked[-1] == replace(LIVE_DETECTOR, sensitivity=0.75)
    assert session._attributes == Attributes(age=False)
    assert session._style == OverlayStyle(blur_faces=True, mirror=True)
    assert session._tracking.smoothing_s == 0.0


def test_recorded_session_is_shown_and_reset(asked: list[DetectorSettings]) -> None:
    app = page().run()
    session: LiveSession = app.session_state["live_session"]
    session.process(FRAME, 0.0)
    session.process(FRAME, 0.5)
    app.run()
    assert not app.exception
    assert "2 frames analyzed, 2 with faces (100%), 0 errors" in texts(app)
    assert [metric.value for metric in app.metric] == ["–", "0", "–"], "nothing plays"
    assert app.selectbox(key="live_timeline_face").options == ["Mean of all faces", "Face 1"]
    app.button(key="live_reset").click().run()
    assert "0 frames analyzed" in texts(app)


def test_frame_errors_are_shown(asked: list[DetectorSettings]) -> None:
    app = page().run()
    app.session_state["live_session"].note_error(ValueError("broken"))
    app.run()
    assert "1 frame could not be analyzed. Last error: ValueError: broken" in texts(app)


def test_missing_model_is_a_message(asked: list[DetectorSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    def get_analyzer(settings: DetectorSettings, detector_name: str, networks: NetworkChoice) -> FakeAnalyzer:
        raise ArtifactMissingError("models/artifacts/emotion/model.tflite is missing; run git checkout")

    monkeypatch.setattr("pages.shared.resources.get_analyzer", get_analyzer)
    app = page().run()
    assert not app.exception
    assert "model.tflite is missing" in app.error[0].value


def test_malformed_servers_are_a_message(asked: list[DetectorSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACET_ICE_SERVERS", "stun:here")
    app = page().run()
    assert not app.exception
    assert "not JSON" in app.error[0].value


def test_failed_connection_is_explained(asked: list[DetectorSettings]) -> None:
    app = page()
    app.session_state["live_connection"] = Connection.CONNECTING
    app.run()
    assert "TURN" in app.error[0].value


class TestConnection:
    @pytest.mark.parametrize(
        ("previous", "playing", "signalling", "expected"),
        [
            (Connection.IDLE, False, False, Connection.IDLE),
            (Connection.IDLE, False, True, Connection.CONNECTING),
            (Connection.CONNECTING, True, False, Connection.PLAYING),
            (Connection.CONNECTING, False, False, Connection.FAILED),
            (Connection.FAILED, False, False, Connection.FAILED),
            (Connection.FAILED, False, True, Connection.CONNECTING),
            (Connection.PLAYING, False, False, Connection.IDLE),
        ],
    )
    def test_next(self, previous: Connection, playing: bool, signalling: bool, expected: Connection) -> None:
        assert next_connection(previous, playing=playing, signalling=signalling) is expected

    @pytest.mark.parametrize(
        ("url", "permission", "cameras", "expected"),
        [
            pytest.param("http://192.168.1.5:8501/", "unknown", -1, live_texts.NOT_SECURE, id="not secure"),
            pytest.param("http://localhost:8501", "denied", 1, live_texts.DENIED, id="denied"),
            pytest.param("http://localhost:8501", "prompt", 0, live_texts.NO_CAMERA, id="no camera"),
            pytest.param("http://localhost:8501", "prompt", 1, "", id="fine"),
            pytest.param(None, "unknown", -1, "", id="nothing known"),
        ],
    )
    def test_message(self, url: str | None, permission: str, cameras: int, expected: str) -> None:
        assert camera_message(url, permission, cameras) == expected

    @pytest.mark.parametrize(
        ("url", "secure"),
        [
            ("https://faces.example.org/Live_Camera", True),
            ("http://faces.example.org/", False),
            ("http://10.0.0.3:8501", False),
            ("http://localhost:8501", True),
            ("http://app.localhost", True),
            ("http://127.0.0.1:8501", True),
            ("http://[::1]:8501", True),
            ("", True),
            (None, True),
        ],
    )
    def test_secure_origin(self, url: str | None, secure: bool) -> None:
        assert is_secure_origin(url) is secure


TURN = {"urls": ["turns:turn.example.org:5349?transport=tcp"], "username": "u", "credential": "c"}


class TestIceServers:
    def test_none_by_default(self) -> None:
        assert ice_servers({}, {}) == []
        assert ice_servers({"FACET_ICE_SERVERS": " ", "HF_TOKEN": "x"}, {}) == []

    def test_list_from_the_environment_comes_first(self) -> None:
        environ = {
            "FACET_ICE_SERVERS": '[{"urls": "stun:stun.example.org:3478"}]',
            "FACET_TURN_URL": "turn:x",
        }
        assert ice_servers(environ, {"servers": "[]"}) == [{"urls": ["stun:stun.example.org:3478"]}]

    def test_turn_from_the_environment(self) -> None:
        environ = {
            "FACET_TURN_URL": TURN["urls"][0],
            "FACET_TURN_USERNAME": "u",
            "FACET_TURN_CREDENTIAL": "c",
        }
        assert ice_servers(environ, {}) == [TURN]

    @pytest.mark.parametrize(
        "secrets",
        [
            {"servers": [TURN]},
            {"servers": '[{"urls": "turns:turn.example.org:5349?transport=tcp", "username": "u", "credential": "c"}]'},
            {"turn_url": TURN["urls"][0], "turn_username": "u", "turn_credential": "c"},
        ],
        ids=["tables", "json", "single"],
    )
    def test_secrets(self, secrets: dict[str, Any]) -> None:
        assert ice_servers({}, secrets) == [TURN]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("stun:here", "not JSON"),
            ('{"urls": "stun:a"}', "must be a list"),
            ("[1]", "entry 1"),
            ('[{"url": "stun:a"}]', '"urls"'),
            ('[{"urls": []}]', '"urls" must be'),
            ('[{"urls": "http://a"}]', "not a server address"),
            ('[{"urls": "stun:a"}, {"urls": "turn:b", "username": "u"}]', "entry 2.*credential"),
        ],
    )
    def test_malformed_lists_are_rejected(self, value: str, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            ice_servers({"FACET_ICE_SERVERS": value}, {})

    def test_messages_do_not_repeat_credentials(self) -> None:
        value = '[{"urls": "ftp:a", "username": "u", "credential": "hunter2"}]'
        with pytest.raises(ConfigError) as caught:
            ice_servers({"FACET_ICE_SERVERS": value}, {})
        assert "hunter2" not in str(caught.value)


class TestSecrets:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Iterator[Path]:
        """Streamlit's only file of secrets, which is not there yet."""
        file = tmp_path / "secrets.toml"
        before = st.get_option("secrets.files")
        st.config.set_option("secrets.files", [str(file)])
        yield file
        st.config.set_option("secrets.files", before)

    def test_without_a_file_there_are_none(self, file: Path) -> None:
        assert ice_table(Secrets(), [str(file)]) == {}

    @pytest.mark.parametrize(
        ("content", "table"),
        [("[ice]\nturn_url = 'turn:a'", {"turn_url": "turn:a"}), ("other = 1", {})],
        ids=["a table", "another"],
    )
    def test_a_file_is_read(self, file: Path, content: str, table: dict[str, str]) -> None:
        file.write_text(content)
        assert dict(ice_table(Secrets(), [str(file)])) == table

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"[ice\nturn_url = 'turn:a'", "cannot be read: .*line 1"),
            (b"[ice]\nturn_url = '\xff'", "cannot be read: .*UTF-8"),
            (b"ice = 3", "must be a table"),
        ],
        ids=["a typing mistake", "no text", "no table"],
    )
    def test_a_file_with_a_mistake_is_named(self, file: Path, content: bytes, message: str) -> None:
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=rf"secrets\.toml.*{message}"):
            ice_table(Secrets(), [str(file)])


def test_callback_keeps_the_timestamp() -> None:
    av = pytest.importorskip("av")
    frame = av.VideoFrame.from_ndarray(FRAME, format="bgr24").reformat(format="yuv420p")
    frame.pts, frame.time_base = 1234, Fraction(1, 90_000)
    marked = frame_callback(LiveSession(FakeAnalyzer()))(frame)
    assert (marked.pts, marked.time_base, marked.width, marked.height) == (1234, frame.time_base, 64, 48)


class BrokenFrame:
    """A frame of another format than can be converted."""

    width, height, pts, time_base = 64, 48, 1234, Fraction(1, 90_000)

    def to_ndarray(self, format: str) -> np.ndarray:
        raise ValueError("no conversion")


def test_unreadable_frame_becomes_black() -> None:
    pytest.importorskip("av")
    session = LiveSession(FakeAnalyzer())
    shown = frame_callback(session)(BrokenFrame())
    assert (shown.pts, shown.time_base) == (BrokenFrame.pts, BrokenFrame.time_base)
    assert np.array_equal(shown.to_ndarray(format="bgr24"), FRAME)
    assert session.snapshot().errors == 1


def test_frame_rate_and_latency_are_shown_while_playing() -> None:
    def numbers() -> None:
        import numpy as np

        from core.settings import Attributes
        from core.types import Analysis
        from core.video.session import LiveSession
        from pages.shared.live.panel import show_numbers

        class Nobody:
            def analyze(self, frame: np.ndarray, attributes: Attributes = Attributes()) -> Analysis:
                return Analysis(frame.shape[1], frame.shape[0])

        session = LiveSession(Nobody(), clock=lambda: 0.5)
        for now_s in (0.0, 0.25, 0.5):
            session.process(np.zeros((48, 64, 3), np.uint8), now_s)
        show_numbers(session, playing=True)

    app = AppTest.from_function(numbers).run()
    assert not app.exception
    assert [metric.value for metric in app.metric] == ["4.0", "0", "0 ms"]


@pytest.mark.parametrize(
    ("track_id", "text"),
    [
        (1, "No prediction for this face in the last minute."),
        (2, "The last minute appears here after the first emotion prediction."),
        (None, "No prediction for any face in the last minute."),
    ],
    ids=["read before", "never read", "all"],
)
def test_empty_timeline_is_explained(track_id: int | None, text: str) -> None:
    read = HistoryRow(0.0, replace(SOMEBODY, track_id=1))
    not_read = HistoryRow(90.0, Face(SOMEBODY.detection, track_id=2))
    assert explain_empty_timeline(LiveSnapshot(history=(read, not_read)), track_id) == text


def test_texts_of_the_panel() -> None:
    face = Face(SOMEBODY.detection, age=SOMEBODY.age, gender=SOMEBODY.gender, track_id=3)
    assert face_title(face) == "**Face 3**: about 31 years (25-38), perceived female 80%"
    assert face_title(Face(SOMEBODY.detection, track_id=3)) == "**Face 3**"
    assert face_title(Face(SOMEBODY.detection, SOMEBODY.emotion, track_id=3)) == "**Face 3**", "it has its bars"
    assert summary(LiveSnapshot()) == "0 frames analyzed, 0 with faces (0%), 0 errors"

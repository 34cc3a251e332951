"""The live page without a browser: states, settings, configuration. The video is tested in tests/e2e."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.runtime.secrets import Secrets

from core.errors import ConfigError
from core.settings import LIVE_DETECTOR, Attributes, OverlayStyle
from core.types import Face
from core.video.history import HistoryRow
from core.video.session import LiveSession, LiveSnapshot
from pages.shared.live import texts as live_texts
from pages.shared.live.connection import (
    PAUSES_S,
    Connection,
    camera_message,
    desired_playing,
    next_connection,
    reconnection_try,
)
from pages.shared.live.ice_servers import ice_servers, is_secure_origin
from pages.shared.live.panel import VALENCE_FORMULA, explain_empty_timeline, face_title, summary
from pages.shared.live.sample_clip import clip_frame
from pages.shared.live.snapshot import snapshot_name
from pages.shared.live.stream import SAMPLE_CLIP, frame_callback
from pages.shared.live.viewers import Viewers, max_viewers, stop_unless_connected, viewers
from pages.shared.secrets import read_table
from tests.fakes.core import CHILD, FakeAnalyzer
from tests.pages.apps import LIVE, open_function, pictures, rerun, texts

FRAME = np.zeros((48, 64, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FACET_ICE_SERVERS", "FACET_TURN_URL"):
        monkeypatch.delenv(name, raising=False)


def test_page_explains_start_and_valence(analyzer: FakeAnalyzer) -> None:
    app = LIVE.open()
    assert "START" in texts(app)
    assert VALENCE_FORMULA in texts(app)
    assert [metric.label for metric in app.metric] == ["Frames/s", "Faces", "Latency"]
    assert [expander.label for expander in app.main.expander] == ["Camera does not start?"]


def test_settings_reach_the_running_session(analyzer: FakeAnalyzer) -> None:
    app = LIVE.open()
    session: LiveSession = app.session_state["live_session"]
    app.select_slider(key="live_sensitivity").set_value("high")
    app.toggle(key="live_age").set_value(False)
    app.toggle(key="live_blur").set_value(True)
    app.slider(key="live_smoothing").set_value(0.0)
    rerun(app)
    assert app.session_state["live_session"] is session, "the stream goes on with the same session"
    assert analyzer.settings[-1] == replace(LIVE_DETECTOR, sensitivity=0.75)
    assert session._attributes == Attributes(age=False)
    assert session._style == OverlayStyle(blur_faces=True, mirror=True)
    assert session._tracking.smoothing_s == 0.0


def test_recorded_session_is_shown_and_reset(analyzer: FakeAnalyzer) -> None:
    app = LIVE.open()
    session: LiveSession = app.session_state["live_session"]
    session.process(FRAME, 0.0)
    session.process(FRAME, 0.5)
    session.note_error(ValueError("broken"))
    rerun(app)
    assert "2 frames analyzed, 2 with faces (100%), 1 error" in texts(app)
    assert "1 frame could not be analyzed. Last error: ValueError: broken" in texts(app)
    assert [metric.value for metric in app.metric] == ["–", "0", "–"], "nothing plays"
    assert app.selectbox(key="live_timeline_face").options == ["Mean of all faces", "Face 1"]
    app.button(key="live_reset").click()
    assert "0 frames analyzed" in texts(rerun(app))


def test_malformed_servers_are_a_message(analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACET_ICE_SERVERS", "stun:here")
    app = LIVE.open()
    assert "not JSON" in app.error[0].value


def test_failed_connection_is_explained(analyzer: FakeAnalyzer) -> None:
    assert "TURN" in LIVE.open(live_connection=Connection.CONNECTING).error[0].value


def test_lost_video_is_told_and_can_be_given_up(analyzer: FakeAnalyzer) -> None:
    app = LIVE.open(live_connection=Connection.RECONNECTING, live_connection_since_s=time.monotonic())
    assert "try 1 of 5" in app.warning[0].value
    app.button(key="live_give_up").click()
    assert live_texts.START in texts(rerun(app))
    assert not app.warning


def test_after_five_tries_the_viewer_has_to_start(analyzer: FakeAnalyzer) -> None:
    app = LIVE.open(live_connection=Connection.RECONNECTING, live_connection_since_s=time.monotonic() - 110)
    assert app.error[0].value == live_texts.LOST
    assert app.session_state["live_connection"] is Connection.LOST


class TestConnection:
    @pytest.mark.parametrize(
        ("previous", "playing", "signalling", "expected"),
        [
            (Connection.IDLE, False, False, Connection.IDLE),
            (Connection.IDLE, False, True, Connection.CONNECTING),
            (Connection.IDLE, True, False, Connection.IDLE),
            (Connection.CONNECTING, True, False, Connection.PLAYING),
            (Connection.CONNECTING, False, False, Connection.FAILED),
            (Connection.FAILED, False, False, Connection.FAILED),
            (Connection.FAILED, False, True, Connection.CONNECTING),
            (Connection.PLAYING, False, False, Connection.IDLE),
            (Connection.RECONNECTING, False, False, Connection.RECONNECTING),
            (Connection.RECONNECTING, False, True, Connection.RECONNECTING),
            (Connection.RECONNECTING, True, False, Connection.PLAYING),
            (Connection.STOPPING, False, True, Connection.STOPPING),
            (Connection.STOPPING, False, False, Connection.IDLE),
            (Connection.LOST, False, False, Connection.LOST),
            (Connection.LOST, False, True, Connection.CONNECTING),
        ],
    )
    def test_next(self, previous: Connection, playing: bool, signalling: bool, expected: Connection) -> None:
        assert next_connection(previous, playing=playing, signalling=signalling) is expected

    @pytest.mark.parametrize("signalling", [False, True])
    def test_video_that_the_browser_lost_comes_back(self, signalling: bool) -> None:
        state = next_connection(Connection.PLAYING, playing=False, signalling=signalling, lost=True)
        assert state is Connection.RECONNECTING

    def test_five_tries_with_growing_pauses(self) -> None:
        assert list(PAUSES_S) == sorted(PAUSES_S)
        assert [reconnection_try(time_s)[0] for time_s in (0, 15.9, 16, 105.9, 106)] == [1, 1, 2, 5, 0]
        assert reconnection_try(16.5) == (2, -1.5)
        assert desired_playing(Connection.RECONNECTING, 106, signalling=False) is None

    @pytest.mark.parametrize(
        ("connection", "elapsed_s", "signalling", "expected"),
        [
            pytest.param(Connection.PLAYING, 3.0, False, None, id="nothing to do"),
            pytest.param(Connection.RECONNECTING, 0.5, False, None, id="a pause"),
            pytest.param(Connection.RECONNECTING, 1.0, False, True, id="a try begins"),
            pytest.param(Connection.RECONNECTING, 2.0, True, None, id="the try goes on"),
            pytest.param(Connection.RECONNECTING, 6.0, False, None, id="no camera: not pressed without end"),
            pytest.param(Connection.RECONNECTING, 16.5, True, False, id="the try before ends"),
            pytest.param(Connection.STOPPING, 0.0, True, False, id="given up"),
        ],
    )
    def test_desire(self, connection: Connection, elapsed_s: float, signalling: bool, expected: bool | None) -> None:
        assert desired_playing(connection, elapsed_s, signalling=signalling) is expected

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
NOW_S = 1_700_000_000.0


class TestIceServers:
    def test_none_by_default(self) -> None:
        assert ice_servers({}, {}, NOW_S) == []
        assert ice_servers({"FACET_ICE_SERVERS": " ", "HF_TOKEN": "x"}, {}, NOW_S) == []

    def test_list_from_the_environment_comes_first(self) -> None:
        environ = {"FACET_ICE_SERVERS": '[{"urls": "stun:stun.example.org:3478"}]', "FACET_TURN_URL": "turn:x"}
        assert ice_servers(environ, {"servers": "[]"}, NOW_S) == [{"urls": ["stun:stun.example.org:3478"]}]

    def test_turn_from_the_environment(self) -> None:
        names = ("FACET_TURN_URL", "FACET_TURN_USERNAME", "FACET_TURN_CREDENTIAL")
        assert ice_servers(dict(zip(names, (TURN["urls"][0], "u", "c"), strict=True)), {}, NOW_S) == [TURN]

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
        assert ice_servers({}, secrets, NOW_S) == [TURN]

    @pytest.mark.parametrize(
        ("environ", "secrets"),
        [
            ({"FACET_TURN_URL": "turn:a turn:a?transport=tcp", "FACET_TURN_SECRET": "s"}, {}),
            ({}, {"turn_url": "turn:a turn:a?transport=tcp", "turn_secret": "s"}),
        ],
        ids=["environment", "secrets"],
    )
    def test_a_secret_makes_credentials_that_expire(self, environ: dict[str, str], secrets: dict[str, Any]) -> None:
        # Computed with: printf 1700028800:facet | openssl dgst -sha1 -hmac s -binary | base64
        assert ice_servers(environ, secrets, NOW_S) == [
            {
                "urls": ["turn:a", "turn:a?transport=tcp"],
                "username": "1700028800:facet",
                "credential": "8CYyLHYxRUWtB8SgGQDP+6TokhA=",
            }
        ]

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
            ice_servers({"FACET_ICE_SERVERS": value}, {}, NOW_S)

    def test_messages_do_not_repeat_credentials(self) -> None:
        value = '[{"urls": "ftp:a", "username": "u", "credential": "hunter2"}]'
        with pytest.raises(ConfigError) as caught:
            ice_servers({"FACET_ICE_SERVERS": value}, {}, NOW_S)
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

    def test_no_file(self, file: Path) -> None:
        assert read_table("ice", Secrets(), [str(file)]) == {}

    @pytest.mark.parametrize(
        ("content", "table"),
        [("[ice]\nturn_url = 'turn:a'", {"turn_url": "turn:a"}), ("other = 1", {})],
        ids=["a table", "another"],
    )
    def test_file_is_read(self, file: Path, content: str, table: dict[str, str]) -> None:
        file.write_text(content)
        assert dict(read_table("ice", Secrets(), [str(file)])) == table

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"[ice\nturn_url = 'turn:a'", "cannot be read: .*line 1"),
            (b"[ice]\nturn_url = '\xff'", "cannot be read: .*UTF-8"),
            (b"ice = 3", "must be a table"),
        ],
        ids=["a typing mistake", "no text", "no table"],
    )
    def test_file_with_a_mistake_is_named(self, file: Path, content: bytes, message: str) -> None:
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=rf"secrets\.toml.*{message}"):
            read_table("ice", Secrets(), [str(file)])


def test_callback_keeps_the_timestamp() -> None:
    av = pytest.importorskip("av")
    frame = av.VideoFrame.from_ndarray(FRAME, format="bgr24").reformat(format="yuv420p")
    frame.pts, frame.time_base = 1234, Fraction(1, 90_000)
    marked = frame_callback(LiveSession(FakeAnalyzer()))(frame)
    assert (marked.pts, marked.time_base, marked.width, marked.height) == (1234, frame.time_base, 64, 48)


class FakeWorker:
    """A connection of streamlit-webrtc in the given state."""

    def __init__(self, state: str) -> None:
        self.pc = SimpleNamespace(connectionState=state)
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.stopped.set()


class TestViewers:
    @pytest.mark.parametrize(("state", "stopped"), [("new", True), ("connecting", True), ("connected", False)])
    def test_only_a_connection_without_video_is_stopped(self, state: str, stopped: bool) -> None:
        worker = FakeWorker(state)
        stop_unless_connected(worker)
        assert worker.stopped.is_set() is stopped

    def test_connecting_takes_a_while_only(self) -> None:
        worker = FakeWorker("connecting")
        Viewers(connect_s=0.01).add(worker)
        assert worker.stopped.wait(30)

    def test_open_connections_count_once(self) -> None:
        workers = [FakeWorker(state) for state in ("new", "connecting", "connected", "failed", "closed")]
        open_connections = Viewers(connect_s=1000)
        for worker in [*workers, *workers]:
            open_connections.add(worker)
        assert len(open_connections) == 3

    def test_full_house_is_told_until_somebody_leaves(
        self, analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FACET_MAX_VIEWERS", "1")
        other = FakeWorker("connected")
        viewers.add(other)
        app = LIVE.open()
        assert "All places are taken" in texts(app)
        assert live_texts.START not in texts(app)
        other.pc.connectionState = "closed"
        assert live_texts.START in texts(rerun(app))

    def test_limit(self) -> None:
        assert max_viewers({"FACET_MAX_VIEWERS": " 7 "}) == 7
        assert max_viewers({}) == 3 * (os.cpu_count() or 1)

    @pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
    def test_malformed_limit_is_rejected(self, value: str) -> None:
        with pytest.raises(ConfigError, match=f"from 1 on, not '{value}'"):
            max_viewers({"FACET_MAX_VIEWERS": value})


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


def test_error_of_a_viewer_stays_with_that_viewer() -> None:
    shared = FakeAnalyzer()
    broken, other = LiveSession(shared), LiveSession(shared)
    frame_callback(broken)(BrokenFrame())
    other.process(FRAME)
    assert (broken.snapshot().errors, other.snapshot().errors, other.snapshot().frames) == (1, 0, 1)


def test_frame_rate_and_latency_are_shown_while_playing() -> None:
    def numbers() -> None:
        import numpy as np

        from core.video.session import LiveSession
        from pages.shared.live.panel import show_numbers
        from tests.fakes.core import FakeAnalyzer

        session = LiveSession(FakeAnalyzer(count=0), clock=lambda: 0.5)
        for now_s in (0.0, 0.25, 0.5):
            session.process(np.zeros((48, 64, 3), np.uint8), now_s)
        show_numbers(session, playing=True)

    assert [metric.value for metric in open_function(numbers).metric] == ["4.0", "0", "0 ms"]


@pytest.mark.parametrize(("playing_s", "frames", "told"), [(4, 0, False), (6, 0, True), (6, 1, False)])
def test_camera_without_a_picture_is_told_after_5_seconds(playing_s: float, frames: int, told: bool) -> None:
    def numbers(playing_s: float, frames: int) -> None:
        import time

        import numpy as np
        import streamlit as st

        from core.video.session import LiveSession
        from pages.shared.live.panel import show_numbers
        from tests.fakes.core import FakeAnalyzer

        st.session_state["live_connection_since_s"] = time.monotonic() - playing_s
        session = LiveSession(FakeAnalyzer())
        for _ in range(frames):
            session.process(np.zeros((48, 64, 3), np.uint8))
        show_numbers(session, playing=True)

    assert ("The camera sends no picture." in texts(open_function(numbers, playing_s, frames))) is told


def test_sample_clip_needs_no_camera(analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    # The track asks for the browser's session, which there is none of.
    monkeypatch.setattr("pages.shared.live.stream.create_video_source_track", lambda *arguments, **options: object())
    app = LIVE.open(live_connection=Connection.CONNECTING)
    app.button_group(key="live_source").set_value(SAMPLE_CLIP)
    assert live_texts.START_CLIP in texts(rerun(app))
    assert not app.error, "a change of the source is not a failed connection"


def test_sample_clip_moves_and_repeats() -> None:
    first, later, last = (clip_frame(time_s) for time_s in (0.0, 3.0, 16.0))
    assert first.shape == later.shape == (480, 640, 3)
    assert not np.array_equal(first, later)
    assert np.array_equal(first, last)


@pytest.mark.parametrize("arrives", [True, False])
def test_snapshot_is_the_next_frame(arrives: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # A function by itself has no other pages to link to.
    monkeypatch.setattr("streamlit.page_link", lambda *_, **__: None)

    def page(arrives: bool) -> None:
        import numpy as np

        from core.video.session import FramePair
        from pages.shared.live.snapshot import offer_snapshot, show_snapshot

        class Camera:
            def next_frame(self) -> FramePair | None:
                return FramePair(np.zeros((48, 64, 3), np.uint8), np.ones((48, 64, 3), np.uint8)) if arrives else None

        offer_snapshot(Camera(), playing=True, blurred=False)
        show_snapshot()

    app = open_function(page, arrives)
    assert pictures(app) == 0
    app.button(key="live_take").click()
    rerun(app)
    assert pictures(app) == arrives
    assert [toast.value for toast in app.toast] == ([] if arrives else [live_texts.NO_PICTURE])


def test_name_of_a_snapshot() -> None:
    assert snapshot_name(datetime(2026, 11, 27, 10, 15)) == "snapshot-2026-11-27-101500.png"


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
    read = HistoryRow(0.0, replace(CHILD, track_id=1))
    not_read = HistoryRow(90.0, Face(CHILD.detection, track_id=2))
    assert explain_empty_timeline(LiveSnapshot(history=(read, not_read)), track_id) == text


def test_texts_of_the_panel() -> None:
    assert face_title(replace(CHILD, emotion=None, track_id=3)) == (
        "**Face 3**: about 7 years (5-10), perceived female 70%"
    )
    assert face_title(Face(CHILD.detection, CHILD.emotion, track_id=3)) == "**Face 3**", "the emotion has its bars"
    assert summary(LiveSnapshot()) == "0 frames analyzed, 0 with faces (0%), 0 errors"

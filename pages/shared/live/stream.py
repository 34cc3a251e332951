"""Video in, annotated video out: the only module that uses streamlit-webrtc."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import streamlit as st
from streamlit_webrtc import WebRtcMode, create_video_source_track, webrtc_streamer
from streamlit_webrtc.component import _reset_context, generate_frontend_component_key
from streamlit_webrtc.webrtc import SignallingTimeoutError

from core.video.session import LiveSession
from pages.shared.live.connection import (
    Connection,
    current_connection,
    current_desire,
    forget_connection,
    set_connection,
    track_connection,
)
from pages.shared.live.sample_clip import FPS, clip_frame
from pages.shared.live.texts import FULL
from pages.shared.live.viewers import is_open, viewers

CAMERA, SAMPLE_CLIP = "Camera", "Sample clip"

FULL_EVERY_S = 2.0
"""How often a viewer who waits looks for a free place."""

# Low enough for a CPU; cameras without this mode send another one.
_VIDEO = {
    "width": {"ideal": 640},
    "height": {"ideal": 480},
    "frameRate": {"ideal": 15, "max": 30},
    "facingMode": "user",
}


def choose_source() -> str:
    """Draw the choice between ``CAMERA`` and ``SAMPLE_CLIP`` and return it."""
    return st.segmented_control(
        "Video source",
        [CAMERA, SAMPLE_CLIP],
        default=CAMERA,
        required=True,
        key="live_source",
        label_visibility="collapsed",
        # The other source's connection ends with it, which is not a failure.
        on_change=forget_connection,
    )


def frame_callback(session: LiveSession) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Return the callback for streamlit-webrtc, which runs in a thread of its own: it must not use ``st``, and must not
    raise, which would freeze the video without a message."""

    def process(frame: av.VideoFrame) -> av.VideoFrame:
        try:
            pixels = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
            annotated = av.VideoFrame.from_ndarray(session.process(pixels), format="bgr24")
            annotated.pts, annotated.time_base = frame.pts, frame.time_base
            return annotated
        except Exception as error:
            session.note_error(error)
            return _black_frame(frame)

    return process


def _black_frame(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a black frame for one that could not be converted. The original is never shown, because faces may have to
    be hidden."""
    black = av.VideoFrame.from_ndarray(np.zeros((frame.height, frame.width, 3), np.uint8), format="bgr24")
    black.pts, black.time_base = frame.pts, frame.time_base
    return black


def _sample_frame(pts: int, time_base: Fraction) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(clip_frame(float(pts * time_base))), format="bgr24")


def live_stream(session: LiveSession, configuration: dict[str, Any], source: str, limit: int) -> Connection | None:
    """Show the video of the camera or of the sample clip with START and STOP, and return the state of the connection;
    ``None`` if this server has ``limit`` viewers already, which is shown instead."""
    # A key for each source, so that a change ends the other one's connection.
    key = "live" if source == CAMERA else "live_sample"
    _answer_new_offer(key)
    context = st.session_state.get(key)
    if current_connection() is Connection.RECONNECTING or (context and is_open(context._get_worker())):
        return _component(session, configuration, key)
    with viewers.entering:
        if len(viewers) < limit:
            return _component(session, configuration, key)
    # Without the component, the connection that its browser has begun ends.
    if context:
        _reset_context(context)
    forget_connection()
    st.fragment(_wait_for_place, run_every=FULL_EVERY_S)(limit)
    return None


def _wait_for_place(limit: int) -> None:
    if len(viewers) < limit:
        st.rerun()
    st.info(FULL.format(limit=limit), icon=":material/groups:")


def _component(session: LiveSession, configuration: dict[str, Any], key: str) -> Connection:
    track = None if key == "live" else create_video_source_track(_sample_frame, key="live_sample_track", fps=FPS)
    desired = current_desire()
    try:
        webrtc_streamer(
            key=key,
            mode=WebRtcMode.SENDRECV if track is None else WebRtcMode.RECVONLY,
            rtc_configuration=configuration,
            media_stream_constraints={"video": _VIDEO, "audio": False},
            source_video_track=track,
            video_frame_callback=frame_callback(session),
            async_processing=True,
            desired_playing_state=desired,
            on_change=lambda: _track(key),
            video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": {"width": "100%"}},
        )
    except SignallingTimeoutError:
        if current_connection() is not Connection.RECONNECTING:
            set_connection(Connection.FAILED)
        return current_connection()
    finally:
        # Also when the component ends this run, as it does with a new connection: there may be no other run.
        worker = st.session_state[key]._get_worker() if key in st.session_state else None
        if worker is not None:
            viewers.add(worker)
    connection = _track(key)
    if current_desire() is not desired:
        st.rerun()
    return connection


def _track(key: str) -> Connection:
    state = st.session_state[key].state
    return track_connection(playing=state.playing, signalling=state.signalling)


def _answer_new_offer(key: str) -> None:
    """Let a new offer have a worker of its own. The component keeps the old worker, whose answer fits the old offer
    only, if STOP and START, or a lost connection and the next, arrive as one change."""
    context = st.session_state.get(key)
    offer = (st.session_state.get(generate_frontend_component_key(key)) or {}).get("sdpOffer")
    if not context or not offer or offer == st.session_state.get("live_offer"):
        return
    st.session_state["live_offer"] = offer
    state = context.state
    _reset_context(context)
    context._set_state(state)

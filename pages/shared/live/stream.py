"""Camera frames in, marked frames out: the only place that touches streamlit-webrtc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av
import numpy as np
import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer
from streamlit_webrtc.webrtc import SignallingTimeoutError

from core.video.session import LiveSession
from pages.shared.live.connection import Connection, track_connection

# Small and slow enough for a CPU; a camera that cannot do this sends what it can.
_VIDEO = {
    "width": {"ideal": 640},
    "height": {"ideal": 480},
    "frameRate": {"ideal": 15, "max": 30},
    "facingMode": "user",
}


def frame_callback(session: LiveSession) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """What streamlit-webrtc calls in its own thread: no ``st`` in here, and no exception out of here, which
    would freeze the picture without a word."""

    def process(frame: av.VideoFrame) -> av.VideoFrame:
        try:
            pixels = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
            picture = session.process(pixels)
            marked = av.VideoFrame.from_ndarray(picture, format="bgr24")
            marked.pts, marked.time_base = frame.pts, frame.time_base
            return marked
        except Exception as error:
            session.note_error(error)
            return _black(frame)

    return process


def _black(frame: av.VideoFrame) -> av.VideoFrame:
    """In place of a frame that could not be converted, at the same time: whether faces are to be hidden is not known
    here, so the camera's own picture is never shown."""
    black = av.VideoFrame.from_ndarray(np.zeros((frame.height, frame.width, 3), np.uint8), format="bgr24")
    black.pts, black.time_base = frame.pts, frame.time_base
    return black


def live_stream(session: LiveSession, configuration: dict[str, Any]) -> Connection:
    """Shows the video with its START and STOP and returns the state of the connection."""
    try:
        context = webrtc_streamer(
            key="live",
            mode=WebRtcMode.SENDRECV,
            rtc_configuration=configuration,
            media_stream_constraints={"video": _VIDEO, "audio": False},
            video_frame_callback=frame_callback(session),
            async_processing=True,
            video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": {"width": "100%"}},
        )
    except SignallingTimeoutError:
        st.session_state["live_connection"] = Connection.FAILED
        return Connection.FAILED
    return track_connection(playing=context.state.playing, signalling=context.state.signalling)

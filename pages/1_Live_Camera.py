"""Live Camera: analyze the video of a webcam frame by frame."""

from __future__ import annotations

import streamlit as st

from core.errors import FacetError
from core.video.session import LiveSession
from pages.shared.audience import show_live_audience
from pages.shared.errors import show_error
from pages.shared.live.connection import Connection, show_connection, show_help, watch_browser
from pages.shared.live.controls import LivePageSettings, choose_settings, offer_presentation
from pages.shared.live.ice_servers import rtc_configuration
from pages.shared.live.panel import show_numbers, show_session
from pages.shared.live.snapshot import offer_snapshot, show_snapshot
from pages.shared.live.stream import CAMERA, choose_source, live_stream
from pages.shared.live.texts import START, START_CLIP
from pages.shared.live.viewers import max_viewers
from pages.shared.session import run_home_first
from pages.shared.sidebar import load_analyzer


def live_session(settings: LivePageSettings) -> LiveSession:
    """Return this viewer's session with the current settings, its models loaded and warm."""
    analyzer, _ = load_analyzer(settings.detector, settings.detector_name, settings.networks)
    if "live_session" not in st.session_state:
        st.session_state["live_session"] = LiveSession(analyzer)
    session: LiveSession = st.session_state["live_session"]
    session.configure(
        analyzer=analyzer, attributes=settings.attributes, style=settings.style, tracking=settings.tracking
    )
    return session


def main() -> None:
    st.title("Live Camera")
    st.caption(
        "Emotion, age and perceived gender are estimates from facial appearance. They are often wrong for a single "
        "person and do not show what somebody feels or is."
    )
    try:
        settings = choose_settings()
        configuration, limit = rtc_configuration(), max_viewers()
        session = live_session(settings)
    except FacetError as error:
        show_error(error)
        return
    tools = st.container(horizontal=True, vertical_alignment="center")
    with tools:
        offer_presentation()
    video, numbers = st.columns([3, 2], gap="large")
    with video:
        source = choose_source()
        obstacle = watch_browser()
        # Its place stays when the message comes or goes: the video below would start anew at another one.
        with st.container():
            if source == CAMERA and obstacle:
                st.error(obstacle, icon=":material/videocam_off:")
        connection = live_stream(session, configuration, source, limit)
        if connection is not None:
            show_connection(connection, START if source == CAMERA else START_CLIP)
    playing = connection is Connection.PLAYING
    with tools:
        offer_snapshot(session, playing=playing, blurred=settings.style.blur_faces)
    with numbers:
        show_numbers(session, playing=playing)
    show_help()
    show_session(session, playing=playing)
    show_live_audience(session, playing=playing)
    show_snapshot()


run_home_first()
main()

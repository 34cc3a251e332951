"""One frame of the live video: to save as it is drawn, or to take to the image page as the camera sent it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from core.io import images
from core.video.session import FramePair, LiveSession
from pages.shared.home.texts import IMAGE
from pages.shared.image.files import MemoryFile, hand_over
from pages.shared.live.texts import NO_PICTURE, SNAPSHOT_KEPT
from pages.shared.markdown import picture_html
from pages.shared.session import SNAPSHOT_KEY

_FITTING = "max-width: 100%; max-height: 60vh"
"""The buttons below are seen, too."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``blurred``: faces were hidden in the video, and stay hidden on the image page."""

    name: str
    pair: FramePair
    blurred: bool


def snapshot_name(taken: datetime.datetime) -> str:
    """Return for example ``snapshot-2026-11-27-101500.png``."""
    return f"snapshot-{taken:%Y-%m-%d-%H%M%S}.png"


def offer_snapshot(session: LiveSession, *, playing: bool, blurred: bool) -> None:
    """Draw the button, which takes the next frame. ``show_snapshot`` shows it."""
    if st.button("Snapshot", key="live_take", icon=":material/photo_camera:", disabled=not playing):
        pair = session.next_frame()
        if pair is None:
            st.toast(NO_PICTURE, icon=":material/videocam_off:")
            return
        zone = ZoneInfo(st.context.timezone) if st.context.timezone else None
        name = snapshot_name(datetime.datetime.now(zone))
        st.session_state[SNAPSHOT_KEY] = Snapshot(name, pair, blurred)


def show_snapshot() -> None:
    """Show the snapshot until it is closed. Last on the page: whatever follows would get another place."""
    if SNAPSHOT_KEY in st.session_state:
        _show(st.session_state[SNAPSHOT_KEY])


def forget_snapshot() -> None:
    """Drop the frames."""
    st.session_state.pop(SNAPSHOT_KEY, None)


@st.dialog("Snapshot", width="medium", icon=":material/photo_camera:", on_dismiss=forget_snapshot)
def _show(snapshot: Snapshot) -> None:
    st.html(picture_html(images.encode_jpeg(snapshot.pair.annotated), snapshot.name, _FITTING))
    hand_over(MemoryFile(snapshot.name, images.encode_png(snapshot.pair.frame)))
    if snapshot.blurred:
        st.session_state["image_blur"] = True
    with st.container(horizontal=True, vertical_alignment="center"):
        # A link, which the browser follows itself: after st.switch_page a refresh of the live page that was under way
        # would leave the image page empty.
        st.page_link(IMAGE.file, label="Analyze this picture", icon=IMAGE.icon)
        st.download_button(
            "Save as PNG",
            images.encode_png(snapshot.pair.annotated),
            snapshot.name,
            "image/png",
            key="live_png",
            on_click="ignore",
            icon=":material/download:",
        )
    st.caption(SNAPSHOT_KEPT)

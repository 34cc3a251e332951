"""State of the connection to the camera, and the messages about it.

Sources: the page's address (secure or not), a probe in the browser (permission and number of cameras), and the state of
the video component. A failed connection is "signalling" that ends without "playing".
"""

from __future__ import annotations

import time
from enum import StrEnum

import streamlit as st

from pages.shared.live.ice_servers import is_secure_origin
from pages.shared.live.texts import CONNECTING, DENIED, FAILED, HELP, NO_CAMERA, NOT_SECURE, START

SLOW_S = 10.0
"""Connecting takes about a second; after this long it is reported as failed."""


class Connection(StrEnum):
    IDLE = "idle"
    CONNECTING = "connecting"
    PLAYING = "playing"
    FAILED = "failed"


# Permissions API and list of devices; neither asks for the camera. Browsers without a "camera" permission report only
# the number of cameras, which they list without names before access is granted.
_PROBE_JS = """
export default function ({ setStateValue }) {
  let stopped = false;
  let permission = null;
  const report = async () => {
    const devices = await (navigator.mediaDevices?.enumerateDevices?.() ?? Promise.resolve(null));
    const cameras = devices ? devices.filter((d) => d.kind === "videoinput").length : -1;
    if (!stopped) setStateValue("camera", { permission: permission?.state ?? "unknown", cameras });
  };
  const ignore = () => {};
  const start = async () => {
    try { permission = await navigator.permissions.query({ name: "camera" }); } catch { permission = null; }
    permission?.addEventListener?.("change", onChange);
    await report();
  };
  const onChange = () => { report().catch(ignore); };
  navigator.mediaDevices?.addEventListener?.("devicechange", onChange);
  start().catch(ignore);
  return () => {
    stopped = true;
    permission?.removeEventListener?.("change", onChange);
    navigator.mediaDevices?.removeEventListener?.("devicechange", onChange);
  };
}
"""


def next_connection(previous: Connection, *, playing: bool, signalling: bool) -> Connection:
    """Return the state after the component reported ``playing`` and ``signalling``."""
    if playing:
        return Connection.PLAYING
    if signalling:
        return Connection.CONNECTING
    if previous in (Connection.CONNECTING, Connection.FAILED):
        return Connection.FAILED
    return Connection.IDLE


def camera_message(url: str | None, permission: str, cameras: int) -> str:
    """Return why the camera cannot start, or "" if no reason is known. ``cameras`` is -1 if unknown."""
    if not is_secure_origin(url):
        return NOT_SECURE
    if permission == "denied":
        return DENIED
    return NO_CAMERA if cameras == 0 else ""


@st.cache_resource
def _probe() -> st.components.v2.types.ComponentRenderer:
    return st.components.v2.component("facet.camera_probe", js=_PROBE_JS)


def show_camera_state() -> None:
    """Show a message above the video if the camera cannot start."""
    state = _probe()(key="camera_probe", on_camera_change=lambda: None).get("camera") or {}
    message = camera_message(st.context.url, state.get("permission", "unknown"), state.get("cameras", -1))
    if message:
        st.error(message, icon=":material/videocam_off:")


def track_connection(*, playing: bool, signalling: bool) -> Connection:
    """Update and return the connection's state, which is kept between runs of the page."""
    previous = st.session_state.get("live_connection", Connection.IDLE)
    connection = next_connection(previous, playing=playing, signalling=signalling)
    if connection is not previous:
        st.session_state["live_connection"] = connection
        st.session_state["live_connection_since_s"] = time.monotonic()
    return connection


def seconds_in_state() -> float:
    """Return how long the connection has been in its state."""
    now_s = time.monotonic()
    return now_s - float(st.session_state.get("live_connection_since_s", now_s))


def forget_connection() -> None:
    """Forget the state: leaving the page ends the connection, which is not a failure."""
    st.session_state.pop("live_connection", None)


def show_connection(connection: Connection, start: str = START) -> None:
    """Show below the video: connecting, failed, or what to do next, which is ``start`` at first."""
    refresh_s = 1.0 if connection is Connection.CONNECTING else None
    st.fragment(_show_connection, run_every=refresh_s)(connection, start)


def _show_connection(connection: Connection, start: str) -> None:
    slow = connection is Connection.CONNECTING and seconds_in_state() > SLOW_S
    if connection is Connection.FAILED or slow:
        st.error(FAILED, icon=":material/wifi_off:")
    elif connection is Connection.CONNECTING:
        st.info(CONNECTING, icon=":material/hourglass_empty:")
    elif connection is Connection.IDLE:
        st.info(start, icon=":material/play_circle:")


def show_help() -> None:
    """Show the help, always, because the browser's own messages in the video area never reach this page."""
    with st.expander("Camera does not start?", icon=":material/help:"):
        st.markdown(HELP)

"""State of the connection to the camera, and the messages about it.

Sources: the page's address (secure or not), a probe in the browser (permission and number of cameras), and the state of
the video component. A failed connection is "signalling" that ends without "playing". Video that ends because the
browser lost the connection comes back by itself; the component does not tell that from STOP, so the probe does.
"""

from __future__ import annotations

import time
from enum import StrEnum

import streamlit as st

from pages.shared.live.ice_servers import is_secure_origin
from pages.shared.live.texts import (
    CONNECTING,
    DENIED,
    FAILED,
    HELP,
    LOST,
    NO_CAMERA,
    NOT_SECURE,
    RECONNECTING,
    START,
)

SLOW_S = 10.0
"""Connecting takes about a second; after this long it is reported as failed."""
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Before each try to get lost video back."""
TRY_S = 15.0
"""A try without video after this long has failed. Browsers give up after about as long."""
PRESS_S = 4.0
"""How long START counts as pressed at the beginning of a try. The component tries again at once as long as it does,
without end where the camera is missing."""


class Connection(StrEnum):
    IDLE = "idle"
    CONNECTING = "connecting"
    PLAYING = "playing"
    RECONNECTING = "reconnecting"
    STOPPING = "stopping"
    FAILED = "failed"
    LOST = "lost"


# Permissions API and list of devices; neither asks for the camera. Browsers without a "camera" permission report only
# the number of cameras, which they list without names before access is granted. The video component lives in a frame of
# the same origin and says nothing about lost connections, so each of its offers is watched.
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
  const watch = () => {
    for (const frame of document.querySelectorAll('iframe[title^="streamlit_webrtc"]')) {
      const peer = frame.contentWindow?.RTCPeerConnection?.prototype;
      if (!peer) continue;
      const offer = peer.createOffer.facetOffer ?? peer.createOffer;
      peer.createOffer = function (...options) {
        this.addEventListener("connectionstatechange", () => {
          if (["disconnected", "failed"].includes(this.connectionState)) setStateValue("lost", Date.now());
        });
        return offer.apply(this, options);
      };
      peer.createOffer.facetOffer = offer;
    }
  };
  watch();
  const watching = setInterval(watch, 250);
  return () => {
    stopped = true;
    clearInterval(watching);
    permission?.removeEventListener?.("change", onChange);
    navigator.mediaDevices?.removeEventListener?.("devicechange", onChange);
  };
}
"""


def next_connection(previous: Connection, *, playing: bool, signalling: bool, lost: bool = False) -> Connection:
    """Return the state after the component reported ``playing`` and ``signalling``, and the browser perhaps that it
    ``lost`` the connection."""
    if previous is Connection.STOPPING:
        return previous if playing or signalling else Connection.IDLE
    if playing:
        # Without START before, this is what the component said before the viewer left the page.
        return previous if previous is Connection.IDLE else Connection.PLAYING
    if previous is Connection.RECONNECTING or (lost and previous is Connection.PLAYING):
        return Connection.RECONNECTING
    if signalling:
        return Connection.CONNECTING
    if previous in (Connection.CONNECTING, Connection.FAILED):
        return Connection.FAILED
    return Connection.LOST if previous is Connection.LOST else Connection.IDLE


def reconnection_try(elapsed_s: float) -> tuple[int, float]:
    """Return the number of the try, from 1, at ``elapsed_s`` after video was lost, and the time since its pause, which
    is negative before; 0 after the last."""
    for number, pause_s in enumerate(PAUSES_S, start=1):
        if elapsed_s < pause_s + TRY_S:
            return number, elapsed_s - pause_s
        elapsed_s -= pause_s + TRY_S
    return 0, 0.0


def desired_playing(connection: Connection, elapsed_s: float, *, signalling: bool) -> bool | None:
    """Return what the component has to do, ``elapsed_s`` after the connection came into its state: play, stop, or
    ``None``, what its own buttons say."""
    if connection is Connection.STOPPING:
        return False
    if connection is not Connection.RECONNECTING:
        return None
    number, try_s = reconnection_try(elapsed_s)
    if signalling:
        # What is left of the try before ends with it.
        return False if number > 1 and try_s < 0 else None
    return True if number and 0 <= try_s < PRESS_S else None


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


def watch_browser() -> str:
    """Draw the probe and return why the camera cannot start, or ""."""
    state = _probe()(key="camera_probe", on_camera_change=lambda: None, on_lost_change=_note_lost).get("camera") or {}
    return camera_message(st.context.url, state.get("permission", "unknown"), state.get("cameras", -1))


def _note_lost() -> None:
    """Remember that the browser lost the connection, which it says shortly before or after the end of the video."""
    connection = current_connection()
    if connection is Connection.PLAYING:
        st.session_state["live_lost"] = True
    elif connection is Connection.IDLE and st.session_state.get("live_connection_before") is Connection.PLAYING:
        set_connection(Connection.RECONNECTING)


def track_connection(*, playing: bool, signalling: bool) -> Connection:
    """Update and return the connection's state, which is kept between runs of the page."""
    st.session_state["live_signalling"] = signalling
    lost = bool(st.session_state.get("live_lost"))
    connection = next_connection(current_connection(), playing=playing, signalling=signalling, lost=lost)
    if connection is Connection.RECONNECTING and reconnection_try(seconds_in_state())[0] == 0:
        connection = Connection.LOST
    set_connection(connection)
    return connection


def current_connection() -> Connection:
    """Return the connection's state."""
    return Connection(st.session_state.get("live_connection", Connection.IDLE))


def set_connection(connection: Connection) -> None:
    """Change the state; its time begins with the change."""
    before = current_connection()
    if connection is not before:
        st.session_state.update(
            live_connection=connection,
            live_connection_before=before,
            live_connection_since_s=time.monotonic(),
            live_lost=False,
        )


def seconds_in_state() -> float:
    """Return how long the connection has been in its state."""
    now_s = time.monotonic()
    return now_s - float(st.session_state.get("live_connection_since_s", now_s))


def current_desire() -> bool | None:
    """Return what the component has to do now, see ``desired_playing``."""
    signalling = bool(st.session_state.get("live_signalling"))
    return desired_playing(current_connection(), seconds_in_state(), signalling=signalling)


def forget_connection() -> None:
    """Forget the state: leaving the page ends the connection, which is not a failure."""
    for key in ("live_connection", "live_connection_before", "live_lost", "live_signalling"):
        st.session_state.pop(key, None)


def show_connection(connection: Connection, start: str = START) -> None:
    """Show below the video what happens, or what to do next, which is ``start`` at first."""
    waits = connection in (Connection.CONNECTING, Connection.RECONNECTING)
    st.fragment(_show_connection, run_every=1.0 if waits else None)(connection, start, current_desire())
    if connection is Connection.RECONNECTING:
        st.button("Stop trying", key="live_give_up", on_click=set_connection, args=[Connection.STOPPING])


def _show_connection(connection: Connection, start: str, desired: bool | None) -> None:
    elapsed_s = seconds_in_state()
    if connection is Connection.RECONNECTING:
        number, _ = reconnection_try(elapsed_s)
        # Another pause or try begins, or the last try has failed.
        if current_desire() is not desired or number == 0:
            st.rerun()
        st.warning(RECONNECTING.format(number=number, tries=len(PAUSES_S)), icon=":material/sync:")
    elif connection is Connection.LOST:
        st.error(LOST, icon=":material/wifi_off:")
    elif connection is Connection.FAILED or (connection is Connection.CONNECTING and elapsed_s > SLOW_S):
        st.error(FAILED, icon=":material/wifi_off:")
    elif connection is Connection.CONNECTING:
        st.info(CONNECTING, icon=":material/hourglass_empty:")
    elif connection is Connection.IDLE:
        st.info(start, icon=":material/play_circle:")


@st.fragment
def show_help() -> None:
    """Offer the help, always, because the browser's own messages in the video area never reach this page. While it is
    closed, the browser loads nothing for it: code blocks alone take 1.6 MB."""
    with st.expander("Camera does not start?", key="live_help", icon=":material/help:", on_change="rerun") as expander:
        if expander.open:
            st.markdown(HELP)

"""What can be known about the connection to the camera, and what the viewer is told about it.

Three witnesses: the address the browser opened (secure or not), a probe in the browser (permission and number of
cameras), and the component's own state. A connection that fails shows up as "signalling" that ends without "playing".
"""

from __future__ import annotations

import time
from enum import StrEnum

import streamlit as st

from pages.shared.webrtc import is_secure_origin

SLOW_S = 10.0
"""Connecting takes about a second; after this long it is not going to happen."""


class Connection(StrEnum):
    IDLE = "idle"
    CONNECTING = "connecting"
    PLAYING = "playing"
    FAILED = "failed"


# Permissions API and list of devices, both without asking for the camera. Not every browser knows the "camera"
# permission; then only the number of cameras is told. Browsers list a camera, nameless, before access is granted.
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

NOT_SECURE = (
    "**The camera needs HTTPS.** Browsers hand out the camera on `https://` pages and on `localhost` only. Open this "
    "page over HTTPS (the README shows how to put a certificate in front of it), or on the machine that serves it as "
    "`http://localhost:8501`."
)
DENIED = (
    "**The camera is blocked for this page.** Click the camera or lock symbol in the browser's address bar, allow the "
    "camera, then press START again. Your system's privacy settings can block the browser as a whole, too."
)
NO_CAMERA = (
    "**No camera was found.** Connect one, or close the program that has taken it, then press START again. Without a "
    "camera, *Analyze Image* takes pictures from files."
)
FAILED = (
    "**The connection for the video could not be made.** The camera works, but its pictures did not get through to the "
    "server, usually because of a firewall or NAT between them. A TURN server relays the video in that case: whoever "
    "runs this app sets one with `FACET_TURN_URL`, `FACET_TURN_USERNAME` and `FACET_TURN_CREDENTIAL`, or under `[ice]` "
    "in `.streamlit/secrets.toml`. If you pressed STOP yourself, all is well."
)

_HELP = """
The video area shows the browser's own words for what went wrong:

| message | meaning | what to do |
|---|---|---|
| *NotAllowedError: Permission denied* | The camera is blocked for this page or for the browser. | Allow it at the \
camera symbol in the address bar, then START. |
| *NotFoundError: Requested device not found* | There is no camera. | Connect one, then START. |
| *NotReadableError*, *Could not start video source* | Another program uses the camera. | Close that program. |
| *navigator.mediaDevices is undefined* | The page is not secure. | Use HTTPS, or `http://localhost`. |
| *Connection is taking longer than expected* | The video cannot reach the server. | See TURN below. |

**STUN and TURN.** Browser and server look for a direct way for the video. Behind most company networks and mobile \
providers there is none, unless a *STUN* server tells each side its public address, or a *TURN* server relays the \
video. This app contacts no such server by itself. Set one with the environment variable `FACET_ICE_SERVERS` (a JSON \
list of `{"urls": ..., "username": ..., "credential": ...}`), with `FACET_TURN_URL`, `FACET_TURN_USERNAME` and \
`FACET_TURN_CREDENTIAL`, or with the same in `.streamlit/secrets.toml`:

```toml
[ice]
turn_url = "turns:turn.example.org:5349?transport=tcp"
turn_username = "..."
turn_credential = "..."
```
"""


def next_connection(previous: Connection, *, playing: bool, signalling: bool) -> Connection:
    """State after the component reported ``playing`` and ``signalling``."""
    if playing:
        return Connection.PLAYING
    if signalling:
        return Connection.CONNECTING
    if previous in (Connection.CONNECTING, Connection.FAILED):
        return Connection.FAILED
    return Connection.IDLE


def camera_message(url: str | None, permission: str, cameras: int) -> str:
    """What keeps the camera from starting, or "" if nothing is known to. ``cameras`` is -1 if it cannot be told."""
    if not is_secure_origin(url):
        return NOT_SECURE
    if permission == "denied":
        return DENIED
    return NO_CAMERA if cameras == 0 else ""


@st.cache_resource
def _probe() -> st.components.v2.types.ComponentRenderer:
    return st.components.v2.component("facet.camera_probe", js=_PROBE_JS)


def show_camera_state() -> None:
    """One clear message above the video if the camera cannot start."""
    state = _probe()(key="camera_probe", on_camera_change=lambda: None).get("camera") or {}
    message = camera_message(st.context.url, state.get("permission", "unknown"), state.get("cameras", -1))
    if message:
        st.error(message, icon=":material/videocam_off:")


def track_connection(*, playing: bool, signalling: bool) -> Connection:
    """The connection's state, remembered from run to run of the page."""
    previous = st.session_state.get("live_connection", Connection.IDLE)
    connection = next_connection(previous, playing=playing, signalling=signalling)
    if connection is not previous:
        st.session_state["live_connection"] = connection
        st.session_state["live_connection_since_s"] = time.monotonic()
    return connection


def show_connection(connection: Connection) -> None:
    """Below the video: connecting, failed, or what to do next."""
    refresh_s = 1.0 if connection is Connection.CONNECTING else None
    st.fragment(_show_connection, run_every=refresh_s)(connection)


def _show_connection(connection: Connection) -> None:
    since_s = st.session_state.get("live_connection_since_s", time.monotonic())
    slow = connection is Connection.CONNECTING and time.monotonic() - since_s > SLOW_S
    if connection is Connection.FAILED or slow:
        st.error(FAILED, icon=":material/wifi_off:")
    elif connection is Connection.CONNECTING:
        st.info("Connecting to the camera ...", icon=":material/hourglass_empty:")
    elif connection is Connection.IDLE:
        st.info("Press **START** and allow the camera. Frames are analysed in memory and never stored.")


def show_help() -> None:
    """Always there, because the browser's messages inside the video area never reach this page."""
    with st.expander("Camera does not start?", icon=":material/help:"):
        st.markdown(_HELP)

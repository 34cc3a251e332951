"""What the live page says when the camera or the connection does not work."""

from __future__ import annotations

START = "Press **START** and allow the camera. Frames are analysed in memory and never stored."

NOT_SECURE = (
    "**The camera needs HTTPS.** Browsers hand out the camera on `https://` pages and on `localhost` only. "
    "Open this page over HTTPS (the README shows how to put a certificate in front of it), or on the machine "
    "that serves it as `http://localhost:8501`."
)

DENIED = (
    "**The camera is blocked for this page.** Click the camera or lock symbol in the browser's address bar, "
    "allow the camera, then press START again. Your system's privacy settings can block the browser as a "
    "whole, too."
)

NO_CAMERA = (
    "**No camera was found.** Connect one, or close the program that has taken it, then press START again. "
    "Without a camera, *Analyze Image* takes pictures from files."
)

CONNECTING = "Connecting to the camera ..."

FAILED = (
    "**The connection for the video could not be made.** The camera works, but its pictures did not get "
    "through to the server, usually because of a firewall or NAT between them. A TURN server relays the "
    "video in that case: whoever runs this app sets one with `FACET_TURN_URL`, `FACET_TURN_USERNAME` and "
    "`FACET_TURN_CREDENTIAL`, or under `[ice]` in `.streamlit/secrets.toml`. If you pressed STOP while it was "
    "connecting, all is well."
)

HELP = """
The video area shows the browser's own words for what went wrong:

| message | meaning | what to do |
|---|---|---|
| *NotAllowedError* | The camera is blocked, for this page or for the browser. | Allow it in the address bar. |
| *NotFoundError* | There is no camera. | Connect one. |
| *NotReadableError* | Another program uses the camera. | Close that program. |
| *mediaDevices is undefined* | The page is not secure. | Use HTTPS, or `http://localhost`. |
| *Connection is taking longer* | The video cannot reach the server. | See TURN below. |

**STUN and TURN.** Browser and server look for a direct way for the video. Behind most company networks and
mobile providers there is none, unless a *STUN* server tells each side its public address, or a *TURN* server
relays the video. This app contacts no such server by itself. Set one with the environment variable
`FACET_ICE_SERVERS` (a JSON list of `{"urls": ..., "username": ..., "credential": ...}`), with `FACET_TURN_URL`,
`FACET_TURN_USERNAME` and `FACET_TURN_CREDENTIAL`, or with the same in `.streamlit/secrets.toml`:

```toml
[ice]
turn_url = "turns:turn.example.org:5349?transport=tcp"
turn_username = "..."
turn_credential = "..."
```
"""

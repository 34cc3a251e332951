"""Messages of the live page about camera and connection."""

from __future__ import annotations

START = "Press **START** and allow the camera. Frames are analyzed in memory and never stored."
START_CLIP = "Press **START** to play the sample clip: two portraits, analyzed like a camera's video."

NOT_SECURE = (
    "**The camera needs HTTPS.** Browsers allow the camera only on `https://` pages and on `localhost`. Open this page "
    "over HTTPS (see `docs/deployment.md`), or as `http://localhost:8501` on the server itself."
)

DENIED = (
    "**The camera is blocked for this page.** Click the camera or lock symbol in the address bar and allow the camera. "
    "Then press START again. Your system's privacy settings may also block the browser."
)

NO_CAMERA = (
    "**No camera found.** Connect one, or close the program that uses it, then press START again. "
    "Without a camera, choose *Sample clip* or use *Analyze Image*."
)

NO_PICTURE = (
    "**The camera sends no picture.** Open its cover or switch, and close other programs that use it. "
    "Then press STOP and START. Choose another camera with SELECT DEVICE."
)

SNAPSHOT_KEPT = (
    "Saved as shown. *Analyze* reads the plain camera picture. "
    "The frame stays in this session's memory only, until you close or leave it."
)

CONNECTING = "Connecting to the camera …"

FULL = (
    "**All places are taken** (at most {limit} at a time). START appears here when somebody leaves. "
    "*Analyze Image* is open to you meanwhile."
)

RECONNECTING = "**The video stopped.** Connecting again, try {number} of {tries} …"

LOST = (
    "**The video connection was lost.** Check your network, then press START. "
    "The numbers of this session stay until you reset them."
)

FAILED = (
    "**The video connection failed.** The camera works, but a firewall or NAT blocks the way to the server. "
    "A TURN server can relay the video. Set it with `FACET_TURN_URL`, `FACET_TURN_USERNAME` and "
    "`FACET_TURN_CREDENTIAL`, or under `[ice]` in `.streamlit/secrets.toml`. "
    "Ignore this message if you pressed STOP while connecting."
)

HELP = """
The video area shows the browser's own messages:

| Message | Meaning | Solution |
|---|---|---|
| *NotAllowedError* | The camera is blocked, for this page or for the browser. | Allow it in the address bar. |
| *NotFoundError* | There is no camera. | Connect one. |
| *NotReadableError* | Another program uses the camera. | Close that program. |
| *mediaDevices is undefined* | The page is not secure. | Use HTTPS, or `http://localhost`. |
| *Connection is taking longer* | The video cannot reach the server. | See TURN below. |

**STUN and TURN.** Browser and server need a direct connection for the video. Most company networks and mobile providers
block it. A *STUN* server tells each side its public address; a *TURN* server relays the video. By default this app
contacts none. Set one with `FACET_ICE_SERVERS` (a JSON list of `{"urls": ..., "username": ..., "credential": ...}`),
with `FACET_TURN_URL`, `FACET_TURN_USERNAME` and `FACET_TURN_CREDENTIAL`, or in `.streamlit/secrets.toml`:

```toml
[ice]
turn_url = "turns:turn.example.org:5349?transport=tcp"
turn_username = "..."
turn_credential = "..."
```
"""

"""A real browser against a real server, without a network: where it is found, how it is started, what it
films."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

INSECURE_HOST = "facet.test"
"""Resolves to this machine in these browsers only. Not being "localhost", it is no secure origin over
HTTP."""

DRAWN = "svg.main-svg .trace, svg.main-svg .hm"
"""What plotly makes of bars, lines and dots, and of heat maps; a figure that is empty has none."""

LONG_MS = 120_000
"""For what takes a slow machine long."""

CAMERA_WH = (640, 480)
CAMERA_FPS = 15
CAMERA_FRAMES = 45

# Only the last --disable-features of a command line counts, and Playwright passes one: its list is repeated
# here, with WebRtcHideLocalIpsWithMdns added, because .local names cannot be resolved without a network.
_DISABLED_FEATURES = (
    "ImprovedCookieControls,LazyFrameLoading,GlobalMediaControls,DestroyProfileOnBrowserClose,MediaRouter,"
    "DialMediaRouteProvider,AcceptCHFrame,AutoExpandDetailsElement,CertificateTransparencyComponentUpdater,"
    "AvoidUnnecessaryBeforeUnloadCheckSync,Translate,HttpsUpgrades,PaintHolding,ThirdPartyStoragePartitioning,"
    "LensOverlay,PlzDedicatedWorker,OptimizationHints,WebRtcHideLocalIpsWithMdns"
)
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-loopback-in-peer-connection",
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    f"--disable-features={_DISABLED_FEATURES}",
)


def find_browser(playwright: Playwright) -> Path | None:
    """An installed Chrome or Chromium, else the one that ``playwright install chromium`` fetched, else
    ``None``."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    own = Path(playwright.chromium.executable_path)
    return own if own.is_file() else None


# Only a TURN server may be used, and there is none: as behind a firewall that lets no video through.
WALLED_JS = """
const Open = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Open {
  constructor(configuration) { super({ ...configuration, iceTransportPolicy: "relay" }); }
};
"""


# The page's web sockets, for a test that closes them.
SOCKETS_JS = """
const Socket = window.WebSocket;
window.sockets = [];
window.WebSocket = class extends Socket {
  constructor(...address) { super(...address); window.sockets.push(this); }
};
"""

# The connections that the page, or a frame of it, has opened.
PEERS_JS = """
const Open = window.RTCPeerConnection;
window.peers = [];
window.RTCPeerConnection = class extends Open {
  constructor(...options) { super(...options); window.peers.push(this); }
};
"""

# As fast as the component permits; in its frame.
STOP_AND_START_JS = """
() => {
  const named = (name) => [...document.querySelectorAll("button")].find((b) => b.textContent.toUpperCase() === name);
  named("STOP").click();
  const waiting = setInterval(() => {
    const start = named("START");
    if (!start || start.disabled) return;
    clearInterval(waiting);
    start.click();
  }, 50);
}
"""


def launch(
    playwright: Playwright, executable: Path, *, camera: Path | None, deny: bool = False, more: Sequence[str] = ()
) -> Browser:
    """A browser that films ``camera`` (.y4m) or has no camera at all; ``deny`` refuses it to every page. ``more``
    arguments replace those of the same name."""
    arguments = [*_ARGUMENTS, *more]
    if camera is not None:
        arguments += [
            "--use-fake-ui-for-media-stream" + ("=deny" if deny else ""),
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ]
    # headless=False keeps Playwright from choosing its own headless shell, which has no WebRTC camera;
    # --headless=new above keeps the window away all the same.
    return playwright.chromium.launch(executable_path=str(executable), headless=False, args=arguments)


class Reruns:
    """Whether a rerun that a page has asked for is still to end: until it begins, the page looks as if it was done."""

    def __init__(self, page: Page) -> None:
        self.awaited = self._begun = False
        self._fragment = ""
        page.on("websocket", self._on_socket)

    def _on_socket(self, socket: WebSocket) -> None:
        if socket.url.endswith("/_stcore/stream"):
            socket.on("framesent", self._on_sent)
            socket.on("framereceived", self._on_received)

    def _on_sent(self, payload: bytes | str) -> None:
        message = BackMsg.FromString(payload) if isinstance(payload, bytes) else BackMsg()
        # Not the refreshes of the live page, which never end.
        if message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun:
            self.awaited, self._begun, self._fragment = True, False, message.rerun_script.fragment_id

    def _on_received(self, payload: bytes | str) -> None:
        message = ForwardMsg.FromString(payload) if isinstance(payload, bytes) else ForwardMsg()
        if message.WhichOneof("type") == "new_session":
            fragments = message.metadata.run.fragment_ids
            self._begun = not fragments or self._fragment in fragments
        elif message.WhichOneof("type") == "script_finished" and self._begun:
            self.awaited = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN


_reruns: dict[Page, Reruns] = {}


# After a click the page draws, sets its widget's value, and asks for a rerun in a timer of no time.
ASKED_JS = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => setTimeout(done)))))"""


@dataclass
class Tab:
    """A page with what its JavaScript complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, context: BrowserContext) -> Tab:
        tab = cls(context.new_page())
        _reruns[tab.page] = Reruns(tab.page)
        tab.page.on("close", lambda page: _reruns.pop(page, None))
        tab.page.on("console", tab._on_console)
        tab.page.on("pageerror", lambda error: tab.complaints.append(f"uncaught: {error}"))
        return tab

    def screenshot(self, path: Path, *, playing: bool = False) -> None:
        """The page as it is once nothing is left to load. With ``playing`` video, a slow machine always loads."""
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        if not playing:
            expect(self.page.get_by_test_id("stStatusWidget")).to_have_count(0)
        # Charts and images fade in after their elements are there.
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=path)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


def wait_until_run(page: Page) -> None:
    """The script has run after all that was done to the page, which a ``Tab`` has opened."""
    page.evaluate(ASKED_JS)
    end_s = time.monotonic() + LONG_MS / 1000
    while _reruns[page].awaited:
        assert time.monotonic() < end_s, "the rerun does not end"
        page.wait_for_timeout(20)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=LONG_MS)


def settled(page: Page) -> None:
    """Nothing is computed or loaded any more, and nothing has failed."""
    wait_until_run(page)
    for what in ("stStatusWidget", "stSkeleton"):
        expect(page.get_by_test_id(what)).to_have_count(0, timeout=LONG_MS)
    for what in ("stException", "stAlertContentError"):
        expect(page.get_by_test_id(what)).to_have_count(0)


def write_camera(path: Path, picture_rgb: NDArray[np.uint8]) -> None:
    """A .y4m film of ``picture_rgb`` (H, W, 3) uint8 that sways a few pixels, as somebody before a camera
    does."""
    width, height = CAMERA_WH
    zoom = max(width / picture_rgb.shape[1], height / picture_rgb.shape[0])
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{width} H{height} F{CAMERA_FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(CAMERA_FRAMES):
            angle = 2 * np.pi * number / CAMERA_FRAMES
            shift = np.array([[zoom, 0, 8 * np.sin(angle)], [0, zoom, 4 * np.cos(angle)]])
            frame = cv2.warpAffine(picture_rgb, shift, CAMERA_WH, borderMode=cv2.BORDER_REPLICATE)
            film.write(b"FRAME\n")
            film.write(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())

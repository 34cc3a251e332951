"""The live page with a camera that films a real face. Counters are compared, never speeds."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Playwright, expect

from core.detection import DEFAULT_DETECTOR, DETECTORS
from pages.shared.sidebar import DETECTOR_TITLES
from tests.e2e.browser import SOCKETS_JS, STOP_AND_START_JS, WALLED_JS, Tab, launch
from tests.e2e.conftest import OpenTab
from tests.e2e.server import Server

LIVE = "/Live_Camera"
LARGEST_MEMORY_MB = 450
REPLACED = "Using this detector instead"
"""Said when a detector cannot be used."""

COUNTERS = re.compile(r"(\d+) frames? analyzed, (\d+) with faces \(\d+%\), (\d+) errors?")


STREAM = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'


def stream_of(page: Page) -> FrameLocator:
    return page.frame_locator(STREAM)


def start(page: Page) -> None:
    # While the page changes the source, the old source's frame is still there.
    expect(page.locator(STREAM)).to_have_count(1)
    stream_of(page).get_by_role("button", name="START").click()


def counters(page: Page) -> tuple[int, int, int]:
    """Frames analyzed, frames with a face, errors."""
    match = COUNTERS.search(page.get_by_text(COUNTERS).inner_text())
    assert match is not None
    frames, with_faces, errors = match.groups()
    return int(frames), int(with_faces), int(errors)


def wait_for_frames(page: Page, count: int) -> tuple[int, int, int]:
    return wait_for_counters(page, lambda frames: frames >= count)


def wait_for_counters(page: Page, expected: Callable[[int], bool], timeout_s: float = 180) -> tuple[int, int, int]:
    end_s = time.monotonic() + timeout_s
    while not expected(counters(page)[0]):
        assert time.monotonic() < end_s, f"still {counters(page)[0]} frames after {timeout_s} s"
        page.wait_for_timeout(250)
    return counters(page)


def detector_choice(page: Page) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_role("combobox")


def choose_detector(page: Page, name: str) -> None:
    detector_choice(page).click()
    page.get_by_role("option", name=DETECTOR_TITLES[name], exact=True).click()
    expect(detector_choice(page)).to_have_value(DETECTOR_TITLES[name])


def wait_for_udp(server: Server, page: Page, *, some: bool, timeout_s: float = 90) -> None:
    """Sockets go at once when the browser says goodbye, and after about 35 s when that packet is lost."""
    end_s = time.monotonic() + timeout_s
    while bool(server.udp_sockets()) is not some:
        assert time.monotonic() < end_s, f"{server.udp_sockets()} UDP sockets are open"
        page.wait_for_timeout(250)


@contextmanager
def paused(process: psutil.Process) -> Iterator[None]:
    """The process stands still: its connections stay open and nothing comes through them."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def network_process() -> psutil.Process:
    """The part of the browser that all its packets pass."""
    children = psutil.Process().children(recursive=True)
    return next(child for child in children if any("network.mojom.NetworkService" in part for part in child.cmdline()))


def check_presentation(tab: Tab, screenshots: Path) -> None:
    """The video of a running session gets larger, and everything else hides, without a new start."""
    page, video = tab.page, stream_of(tab.page).locator("video")
    shown_s, before = video.evaluate("video => video.currentTime"), video.bounding_box()
    page.get_by_text("Presentation view").click()
    for hidden in (page.get_by_test_id("stSidebar"), page.get_by_text("frames analyzed"), page.get_by_role("heading")):
        expect(hidden.locator("visible=true")).to_have_count(0)
    tab.screenshot(screenshots / "live_presentation.png", playing=True)
    after = video.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > before["width"]
    page.get_by_role("button", name="Snapshot").click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()
    tab.screenshot(screenshots / "live_snapshot.png", playing=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert re.fullmatch(r"snapshot-[\d-]{17}\.png", download.value.suggested_filename)
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    page.keyboard.press("Escape")
    page.get_by_text("Presentation view").click()
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    assert video.evaluate("video => video.currentTime") > shown_s, "the same stream goes on"


def test_a_session_from_start_to_stop(open_tab: OpenTab, server: Server, screenshots: Path, tmp_path: Path) -> None:
    tab = open_tab(LIVE)
    page = tab.page
    expect(page.get_by_text("Press START and allow the camera")).to_be_visible()
    expect(page.get_by_text("Valence = P(happy)")).to_be_visible()
    tab.screenshot(screenshots / "live_idle.png")
    wait_for_udp(server, page, some=False)

    start(page)
    frames, with_faces, errors = wait_for_frames(page, 60)
    assert errors == 0
    expect(detector_choice(page)).to_have_value(DETECTOR_TITLES[DEFAULT_DETECTOR])
    expect(page.get_by_text(REPLACED)).to_have_count(0)
    assert with_faces >= 0.8 * frames
    assert server.udp_sockets() > 0
    assert server.memory_mb() < LARGEST_MEMORY_MB
    expect(page.get_by_text(re.compile(r"^Face \d+"))).to_have_count(1)
    expect(page.get_by_test_id("stPlotlyChart").last).to_be_visible()
    width = stream_of(page).locator("video").evaluate("video => video.videoWidth")
    assert width > 0
    tab.screenshot(screenshots / "live_playing.png", playing=True)
    check_presentation(tab, screenshots)

    with page.expect_download() as download:
        page.get_by_role("button", name="Session as CSV").click()
    file = tmp_path / "session.csv"
    download.value.save_as(file)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert rows
    assert all(float(row["time_s"]) >= 0 for row in rows)
    assert {row["track_id"] for row in rows} == {"1"}, "one person has one number"

    stream_of(page).get_by_role("button", name="STOP").click()
    wait_for_udp(server, page, some=False)
    expect(stream_of(page).get_by_role("button", name="START")).to_be_visible()
    page.wait_for_timeout(1500)
    tab.screenshot(screenshots / "live_stopped.png")


def test_settings_and_detectors_change_without_a_restart(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(LIVE)
    page = tab.page
    start(page)
    video = stream_of(page).locator("video")
    wait_for_frames(page, 20)
    for name in (*(name for name in DETECTORS if name != DEFAULT_DETECTOR), DEFAULT_DETECTOR):
        choose_detector(page, name)
        page.wait_for_timeout(1500)
        shown_s, before = video.evaluate("video => video.currentTime"), counters(page)
        after = wait_for_frames(page, before[0] + 20)
        assert after[1] - before[1] >= 10, f"with {name}, faces in {before[1]} and then {after[1]} frames"
        assert after[2] == 0
        assert video.evaluate("video => video.currentTime") > shown_s, "the same stream goes on"
    expect(page.get_by_text(REPLACED)).to_have_count(0)
    for label in ("Blur faces", "Age", "Mirror"):
        page.get_by_test_id("stSidebar").get_by_test_id("stCheckbox").get_by_text(label, exact=True).click()
    before = wait_for_frames(page, counters(page)[0] + 20)
    expect(stream_of(page).get_by_role("button", name="STOP")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Face \d+: perceived"))).to_be_visible()
    tab.screenshot(screenshots / "live_blurred.png", playing=True)

    page.get_by_role("button", name="Reset").click()
    wait_for_counters(page, lambda frames: frames < before[0])
    assert counters(page)[2] == 0


def test_leaving_or_reloading_the_page_frees_the_camera(open_tab: OpenTab, server: Server) -> None:
    page = open_tab(LIVE).page
    hidden = page.locator("label", has_text="Blur faces")
    hidden.click()
    start(page)
    wait_for_frames(page, 5)
    page.get_by_role("button", name="Snapshot").click()
    page.get_by_role("link", name="Analyze this picture").click()
    expect(page.get_by_text("1 face found").first).to_be_visible()
    expect(hidden.locator("input")).to_be_checked()
    wait_for_udp(server, page, some=False)
    page.get_by_test_id("stSidebarNav").get_by_role("link").nth(1).click()
    expect(hidden.locator("input")).to_be_checked()
    expect(page.get_by_text("Press START")).to_be_visible()
    # The session goes on counting: video comes again only after a further frame.
    frames = counters(page)[0]
    start(page)
    wait_for_frames(page, frames + 5)
    page.reload()
    wait_for_udp(server, page, some=False)
    expect(stream_of(page).get_by_role("button", name="START")).to_be_visible()


def test_reload_while_connecting_frees_the_connection(open_tab: OpenTab, server: Server) -> None:
    page = open_tab(LIVE, script=WALLED_JS).page
    start(page)
    wait_for_udp(server, page, some=True)
    page.reload()
    wait_for_udp(server, page, some=False)


def test_start_right_after_stop_is_not_lost(open_tab: OpenTab, server: Server) -> None:
    page = open_tab(LIVE).page
    start(page)
    before = wait_for_frames(page, 5)
    component = next(frame for frame in page.frames if "streamlit_webrtc" in frame.url)
    # The server sees both as one change.
    with paused(server.process):
        component.evaluate(STOP_AND_START_JS)
        page.wait_for_timeout(3000)
    wait_for_frames(page, before[0] + 20)


@pytest.mark.parametrize(
    ("part", "seconds"),
    [("server", 8), ("network", 6), ("network", 20)],
    ids=["server hangs for 8 s", "network is gone for 6 s", "network is gone for 20 s"],
)
def test_video_comes_back(open_tab: OpenTab, server: Server, screenshots: Path, part: str, seconds: float) -> None:
    tab = open_tab(LIVE)
    page = tab.page
    start(page)
    before = wait_for_frames(page, 20)
    with paused(server.process if part == "server" else network_process()):
        page.wait_for_timeout(seconds * 1000)
    # A short cut may pass before the browser calls the connection lost.
    if seconds > 10:
        expect(page.get_by_text("The video stopped.")).to_be_visible()
        tab.screenshot(screenshots / "live_reconnecting.png", playing=True)
    after = wait_for_frames(page, before[0] + 40)
    assert after[2] == 0
    expect(page.get_by_text("The video stopped.")).to_have_count(0)
    stream_of(page).get_by_role("button", name="STOP").click()
    wait_for_udp(server, page, some=False)
    expect(page.get_by_text("Press START")).to_be_visible()
    expect(stream_of(page).get_by_role("button", name="START")).to_be_visible()


def test_video_goes_on_without_the_web_socket(open_tab: OpenTab) -> None:
    tab = open_tab(LIVE, script=SOCKETS_JS)
    page = tab.page
    start(page)
    before = wait_for_frames(page, 20)
    page.evaluate("sockets.forEach((socket) => socket.close())")
    after = wait_for_frames(page, before[0] + 20)
    assert after[2] == 0
    expect(stream_of(page).get_by_role("button", name="STOP")).to_be_visible()
    # The page complains that its refreshes had nowhere to go.
    tab.complaints.clear()


@pytest.fixture
def small_server(executable: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "server.log", environ={"FACET_MAX_VIEWERS": "1"}) as running:
        yield running


def test_viewer_waits_for_a_free_place(small_server: Server, open_tab: OpenTab, screenshots: Path) -> None:
    first, second = [open_tab(LIVE, base=small_server.url) for _ in range(2)]
    start(first.page)
    wait_for_frames(first.page, 5)
    # Opened before, the second page still has START.
    start(second.page)
    expect(second.page.get_by_text("All places are taken")).to_be_visible()
    second.screenshot(screenshots / "live_full.png", playing=True)
    wait_for_frames(first.page, counters(first.page)[0] + 5)
    stream_of(first.page).get_by_role("button", name="STOP").click()
    start(second.page)
    wait_for_frames(second.page, 5)


def test_not_a_secure_origin(open_tab: OpenTab, server: Server, screenshots: Path) -> None:
    tab = open_tab(LIVE, base=server.insecure_url)
    page = tab.page
    expect(page.get_by_text("The camera needs HTTPS.")).to_be_visible()
    tab.screenshot(screenshots / "live_not_secure.png")


def test_help_is_always_there(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(LIVE)
    page = tab.page
    page.get_by_text("Camera does not start?").click()
    expect(page.get_by_text("Another program uses the camera.")).to_be_visible()
    tab.screenshot(screenshots / "live_help.png")


@pytest.fixture
def denying(playwright: Playwright, executable: Path, camera: Path) -> Iterator[Browser]:
    running = launch(playwright, executable, camera=camera, deny=True)
    yield running
    running.close()


def test_permission_denied_when_asked(open_tab: OpenTab, denying: Browser, screenshots: Path) -> None:
    tab = open_tab(LIVE, other=denying)
    page = tab.page
    start(page)
    expect(stream_of(page).get_by_text("NotAllowedError")).to_be_visible()
    expect(page.get_by_text("The camera is blocked for this page.")).to_be_visible()
    tab.screenshot(screenshots / "live_denied_when_asked.png")


def test_permission_denied_before(open_tab: OpenTab, denying: Browser, server: Server, screenshots: Path) -> None:
    tab = open_tab(LIVE, other=denying)
    browser_settings = tab.page.context.new_cdp_session(tab.page)
    browser_settings.send(
        "Browser.setPermission",
        {"permission": {"name": "camera"}, "setting": "denied", "origin": server.url},
    )
    expect(tab.page.get_by_text("The camera is blocked for this page.")).to_be_visible()
    tab.screenshot(screenshots / "live_denied.png")


def test_no_camera_but_a_sample_clip(
    open_tab: OpenTab, playwright: Playwright, executable: Path, screenshots: Path
) -> None:
    without = launch(playwright, executable, camera=None)
    try:
        tab = open_tab(LIVE, other=without)
        page = tab.page
        expect(page.get_by_text("No camera found.")).to_be_visible()
        tab.screenshot(screenshots / "live_no_camera.png")
        page.get_by_text("Sample clip", exact=True).first.click()
        expect(page.get_by_text("play the sample clip")).to_be_visible()
        start(page)
        frames, with_faces, errors = wait_for_frames(page, 10)
        assert (with_faces, errors) == (frames, 0)
        tab.screenshot(screenshots / "live_sample_clip.png", playing=True)
    finally:
        without.close()


def test_a_connection_that_fails(open_tab: OpenTab, server: Server, screenshots: Path) -> None:
    tab = open_tab(LIVE, script=WALLED_JS)
    start(tab.page)
    expect(tab.page.get_by_text("Connecting to the camera")).to_be_visible()
    expect(tab.page.get_by_text("The video connection failed.")).to_be_visible(timeout=60_000)
    tab.screenshot(screenshots / "live_failed.png")
    stream_of(tab.page).get_by_role("button", name="STOP").click()
    wait_for_udp(server, tab.page, some=False)

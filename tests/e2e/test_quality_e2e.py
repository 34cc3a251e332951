"""What holds on every page: accessible in both themes, used by keyboard alone, and light before anything is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.e2e.browser import LONG_MS, Tab, wait_until_run
from tests.e2e.server import ROOT, Server

PAGES = ("/", "/Live_Camera", "/Analyze_Image", "/Analyze_Video", "/Model_Evaluation")
MAX_EXTRA_KB = 400
"""Beyond what a page without any element sends."""
HEAVY_PAGES = {"/Live_Camera": 900}
"""The component of streamlit-webrtc alone has 200 kB."""


FOCUSED = """() => {
  const element = document.activeElement;
  return element.matches("a, button, input, [role]") ? element.ariaLabel || element.innerText || "" : "";
}"""
"""Name of the control with the focus; areas that can be scrolled get it too."""


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(LONG_MS)
    yield Tab.open(context).page
    context.close()


def wait_until_idle(page: Page) -> None:
    wait_until_run(page)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=LONG_MS)
    # Elements fade in, and contrast counts what is there.
    page.wait_for_timeout(700)


def violations(page: Page) -> list[str]:
    """Serious ones by axe-core, as rule and element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(page: Page, server: Server, portrait: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    found: list[str] = []
    for path in PAGES:
        page.goto(server.url + path)
        wait_until_idle(page)
        found += [f"{path} {text}" for text in violations(page)]
        if path == "/Analyze_Image":
            page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(portrait)
            expect(page.get_by_text("1 face found").first).to_be_visible()
            wait_until_idle(page)
            found += [f"{path} with a result: {text}" for text in violations(page)]
    for name in ("Accuracy", "Confusion matrix"):
        page.get_by_role("tab", name=name, exact=True).click()
        wait_until_idle(page)
        found += [f"{name}: {text}" for text in violations(page)]
    assert found == []


def test_keyboard_alone_is_enough(page: Page, server: Server) -> None:
    page.goto(server.url)
    wait_until_idle(page)
    press_until(page, "Try your photo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Analyze Image", level=1)).to_be_visible()
    wait_until_idle(page)
    press_until(page, "Astronaut")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 face found").first).to_be_visible()
    wait_until_idle(page)
    press_until(page, "Face 1: go to its card")
    box = page.get_by_role("link", name="Face 1: go to its card")
    assert "none" not in box.evaluate("box => getComputedStyle(box).boxShadow"), "the focus shows"
    page.keyboard.press("Enter")
    expect(page.locator(":target")).to_be_visible()


def press_until(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until the element with this name has the focus."""
    for _ in range(most):
        focused = page.evaluate(FOCUSED)
        if name in focused:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{name} is never reached")


class Weight:
    """Bytes that the page of a session has received, over HTTP and by WebSocket."""

    def __init__(self, session: CDPSession) -> None:
        self.names: dict[str, str] = {}
        self.bytes: Counter[str] = Counter()
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.responseReceived", lambda e: self.names.update({e["requestId"]: e["response"]["url"]}))
        session.on("Network.loadingFinished", self._add)
        session.on("Network.webSocketFrameReceived", self._add_frame)

    def _add(self, event: dict[str, object]) -> None:
        self.bytes[self.names.get(str(event["requestId"]), "")] += int(str(event["encodedDataLength"]))

    def _add_frame(self, event: dict[str, dict[str, str]]) -> None:
        self.bytes["websocket"] += len(event["response"]["payloadData"]) * 3 // 4


def weigh(browser: Browser, url: str) -> Weight:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = Tab.open(context).page
    weight = Weight(context.new_cdp_session(page))
    page.goto(url)
    wait_until_idle(page)
    page.wait_for_timeout(1500)
    context.close()
    return weight


def test_pages_are_light_before_anything_is_done(browser: Browser, server: Server, tmp_path: Path) -> None:
    script = tmp_path / "empty.py"
    script.write_text("", encoding="utf-8")
    with Server(ROOT / "test-output" / "empty.log", script=script) as empty:
        base = weigh(browser, empty.url)
    for path in PAGES:
        weight = weigh(browser, server.url + path)
        extra = {url.rpartition("/")[2]: size // 1000 for url, size in (weight.bytes - base.bytes).most_common(8)}
        extra_kb = (weight.bytes.total() - base.bytes.total()) / 1000
        assert extra_kb <= HEAVY_PAGES.get(path, MAX_EXTRA_KB), f"{path} sends {extra_kb:.0f} kB more: {extra}"

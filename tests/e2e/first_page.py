"""From navigation to a usable first page: the sample's picture is drawn and the script rests. For ``make first-page``,
not for CI."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.e2e.browser import find_browser, launch
from tests.e2e.server import Server

VISITS = 9
USABLE_JS = """
const look = () => {
  const app = document.querySelector("[data-testid=stApp]");
  const picture = document.querySelector("[data-testid=stMain] img");
  const drawn = picture?.complete && picture.naturalWidth && !document.querySelector("[data-testid=stSkeleton]");
  if (drawn && app.dataset.testScriptState === "notRunning") window.usableMs = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="facet_first_page_"))
    environ = {"FACET_DATA": str(folder)}
    with Server(folder / "server.log", environ=environ) as server, sync_playwright() as playwright:
        executable = find_browser(playwright)
        if executable is None:
            sys.exit("no Chrome or Chromium found")
        browser = launch(playwright, executable, camera=None)
        print(f"first visit after the start: {visit(new_context(browser), server.url):.0f} ms")
        report("nothing cached", [visit(new_context(browser), server.url) for _ in range(VISITS)])
        known = new_context(browser)
        visit(known, server.url)
        report("files cached by the browser", [visit(known, server.url) for _ in range(VISITS)])
        browser.close()


def new_context(browser: Browser) -> BrowserContext:
    return browser.new_context(viewport={"width": 1366, "height": 768})


def visit(context: BrowserContext, url: str) -> float:
    """Milliseconds until the page at ``url`` is usable, in a tab of its own."""
    page = context.new_page()
    page.add_init_script(USABLE_JS)
    page.goto(url, wait_until="commit")
    page.wait_for_function("window.usableMs", timeout=120_000)
    usable_ms = float(page.evaluate("window.usableMs"))
    page.close()
    return usable_ms


def report(title: str, times_ms: list[float]) -> None:
    print(f"{title}: median {median(times_ms):.0f} ms, {min(times_ms):.0f} to {max(times_ms):.0f} ms")


if __name__ == "__main__":
    main()

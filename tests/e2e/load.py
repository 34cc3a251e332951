"""Several live viewers: frames a second, and what they cost the server. For ``make load VIEWERS=4``, not for CI."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from skimage.data import astronaut

from tests.e2e.browser import find_browser, launch, write_camera
from tests.e2e.server import Server
from tests.e2e.test_live_e2e import LIVE, counters, start, stream_of, wait_for_frames

MEASURED_S = 30.0


def main(viewers: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="facet_load_"))
    write_camera(folder / "face.y4m", astronaut())
    environ = {"FACET_MAX_VIEWERS": str(viewers), "FACET_DATA": str(folder)}
    with Server(folder / "server.log", environ=environ) as server, sync_playwright() as playwright:
        executable = find_browser(playwright)
        if executable is None:
            sys.exit("no Chrome or Chromium found")
        browser = launch(playwright, executable, camera=folder / "face.y4m")
        pages = [browser.new_context().new_page() for _ in range(viewers)]
        for page in pages:
            page.goto(server.url + LIVE)
            start(page)
        for page in pages:
            wait_for_frames(page, 20)
        measure(server, pages)
        browser.close()


def measure(server: Server, pages: list[Page]) -> None:
    process, began_s = server.process, time.monotonic()
    process.cpu_percent()
    before = [counters(page) for page in pages]
    pages[0].wait_for_timeout(MEASURED_S * 1000)
    after = [counters(page) for page in pages]
    cores, elapsed_s = process.cpu_percent() / 100, time.monotonic() - began_s
    for number, (page, old, new) in enumerate(zip(pages, before, after, strict=True), start=1):
        frames, with_faces = new[0] - old[0], new[1] - old[1]
        plays = stream_of(page).get_by_role("button", name="STOP").is_visible()
        print(
            f"viewer {number}: {frames / elapsed_s:.1f} frames/s, {with_faces / max(1, frames):.0%} with a face, "
            f"{new[2]} errors, {'plays' if plays else 'dropped'}"
        )
    print(f"server: {cores:.2f} cores, {server.memory_mb():.0f} MB, {process.num_threads()} threads")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)

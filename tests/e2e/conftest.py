"""One server and one browser for all browser tests; a machine without a browser says so, loudly.

``tests/e2e/run.sh`` runs them where no packet can leave the machine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import pytest
from playwright.sync_api import Browser, Playwright, ViewportSize, expect, sync_playwright
from skimage.data import astronaut

from tests.e2e.browser import Tab, find_browser, launch, write_camera
from tests.e2e.server import ROOT, Server

NO_BROWSER = (
    "BROWSER TESTS SKIPPED: no Chrome or Chromium found. Install one (apt-get install chromium), or run "
    "`python -m playwright install chromium`."
)
OUTPUT = ROOT / "test-output"
VIEWPORT: ViewportSize = {"width": 1400, "height": 1400}

OpenTab = Callable[..., Tab]
# Slow machines are slow; a test that fails is rare and may take its time.
expect.set_options(timeout=45_000)
_missing: list[str] = []

# Opened at a page's own address, Streamlit first looks for its server below that address, and then at the
# root.
_STREAMLIT_ITSELF = re.compile(r"status of 404 .*/\w+/_stcore/(health|host-config)\)$")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _missing:
        terminalreporter.section("browser tests", sep="!", red=True)
        terminalreporter.write_line(NO_BROWSER, red=True, bold=True)


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = OUTPUT / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def executable(playwright: Playwright) -> Path:
    found = find_browser(playwright)
    if found is not None:
        return found
    _missing.append(NO_BROWSER)
    if os.environ.get("CI") == "true":
        pytest.fail(NO_BROWSER)
    pytest.skip(NO_BROWSER)


@pytest.fixture(scope="session")
def server(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on a machine that has none of the data sets."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    without_data = {"FACET_DATA": str(tmp_path_factory.mktemp("no_data"))}
    with Server(OUTPUT / "server.log", environ=without_data) as running:
        yield running


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of a real face (NASA's portrait of Eileen Collins, public domain)."""
    path = tmp_path_factory.mktemp("camera") / "face.y4m"
    write_camera(path, astronaut())
    return path


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Portrait of Grace Hopper that comes with matplotlib, public domain: one face."""
    path = tmp_path_factory.mktemp("pictures") / "portrait.jpg"
    path.write_bytes((Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes())
    return path


@pytest.fixture(scope="session")
def browser(playwright: Playwright, executable: Path, camera: Path) -> Iterator[Browser]:
    """Grants the camera without asking."""
    running = launch(playwright, executable, camera=camera)
    yield running
    running.close()


@pytest.fixture
def open_tab(browser: Browser, server: Server) -> Iterator[OpenTab]:
    """``open_tab(path)`` -> a tab of its own at that page of the app. At the end of the test, no tab may have
    had an error in its JavaScript."""
    tabs: list[Tab] = []

    def open_at(path: str, other: Browser | None = None, base: str | None = None, script: str = "") -> Tab:
        context = (other or browser).new_context(viewport=VIEWPORT, accept_downloads=True)
        context.set_default_timeout(90_000)
        context.add_init_script(script)
        tab = Tab.open(context)
        tabs.append(tab)
        tab.page.goto((base or server.url) + path)
        return tab

    yield open_at
    for tab in tabs:
        tab.page.context.close()
    complaints = [text for tab in tabs for text in tab.complaints if not _STREAMLIT_ITSELF.search(text)]
    assert not complaints, "JavaScript errors:\n" + "\n".join(complaints)

"""The other pages in a real browser: they load, work and look right (see test-output/screenshots)."""

from __future__ import annotations

import codecs
import csv
import io
import json
from pathlib import Path

import matplotlib
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.browser import DRAWN, settled
from tests.e2e.conftest import OpenTab

HOME, IMAGE, EVALUATION = "/", "/Analyze_Image", "/Model_Evaluation"
SMALL_SCREENS: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "tablet": {"width": 1024, "height": 768},
}
CUT_OFF = """() => ['[data-testid=stMain]', '[data-testid=stHorizontalBlock]', '[data-testid=stMetricLabel] p',
        '[data-testid=stMetricValue] div', '[data-testid=stMain] button *']
    .flatMap(kind => [...document.querySelectorAll(kind)])
    .filter(part => part.clientWidth && part.scrollWidth > part.clientWidth + 1)
    .map(part => part.innerText.slice(0, 200))"""
"""What the page's parts that are wider than their place say."""


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Portrait of Grace Hopper that comes with matplotlib, public domain: one face."""
    path = tmp_path_factory.mktemp("pictures") / "portrait.jpg"
    path.write_bytes((Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes())
    return path


def upload(page: Page, *files: Path) -> None:
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files([str(file) for file in files])


def test_home(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(HOME)
    expect(tab.page.get_by_role("heading", name="Facet", exact=True)).to_be_visible()
    expect(tab.page.get_by_role("heading", name="Privacy")).to_be_visible()
    settled(tab.page)
    tab.screenshot(screenshots / "home.png")


def test_every_page_is_reached_from_home(open_tab: OpenTab) -> None:
    page = open_tab(HOME).page
    for name in ("Live Camera", "Analyze Image", "Model Evaluation"):
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name.capitalize(), exact=True)).to_be_visible()
        settled(page)


def test_upload(open_tab: OpenTab, portrait: Path, screenshots: Path, tmp_path: Path) -> None:
    tab = open_tab(IMAGE)
    page = tab.page
    tab.screenshot(screenshots / "image_empty.png")
    upload(page, portrait)
    expect(page.get_by_text("1 face found").first).to_be_visible()
    expect(page.get_by_test_id("stImage").first.locator("img")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    settled(page)
    tab.screenshot(screenshots / "image_result.png")

    with page.expect_download() as download:
        page.get_by_role("button", name="All results (JSON)").click()
    download.value.save_as(tmp_path / "faces.json")
    (entry,) = json.loads((tmp_path / "faces.json").read_text(encoding="utf-8"))
    assert entry["file"] == portrait.name
    assert len(entry["faces"]) == 1

    with page.expect_download() as download:
        page.get_by_role("button", name="All faces (CSV)").click()
    download.value.save_as(tmp_path / "faces.csv")
    table = (tmp_path / "faces.csv").read_bytes()
    assert table.startswith(codecs.BOM_UTF8), "Excel would not take it for UTF-8"
    (row,) = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    assert row["file"] == portrait.name
    assert float(row["age_years"]) == pytest.approx(entry["faces"][0]["age"]["years"], abs=0.01)


def test_a_file_that_is_no_picture_leaves_the_others(
    open_tab: OpenTab, portrait: Path, screenshots: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "page.jpg"
    wrong.write_text("<html>not a picture</html>", encoding="utf-8")
    tab = open_tab(IMAGE)
    upload(tab.page, wrong, portrait)
    expect(tab.page.get_by_text("cannot be read as an image").first).to_be_visible()
    expect(tab.page.get_by_text("1 face found").first).to_be_visible()
    tab.screenshot(screenshots / "image_unreadable.png")


def test_snapshot(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(IMAGE)
    page = tab.page
    page.get_by_text("Take a snapshot", exact=True).first.click()
    page.wait_for_function("() => (document.querySelector('video')?.videoWidth ?? 0) > 0")
    page.get_by_test_id("stCameraInputButton").click()
    expect(page.get_by_text("1 face found").first).to_be_visible()
    tab.screenshot(screenshots / "image_snapshot.png")


def test_evaluation_shows_figures_for_each_test_set(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(EVALUATION)
    page = tab.page
    chooser = page.get_by_test_id("stSelectbox").first
    chooser.click()
    titles = page.get_by_role("option").all_inner_texts()
    page.keyboard.press("Escape")
    assert len(titles) >= 3
    for number, title in enumerate(titles):
        chooser.click()
        page.get_by_role("option", name=title, exact=True).click()
        expect(page.get_by_test_id("stPlotlyChart").locator("visible=true").first).to_be_visible()
        settled(page)
        tab.screenshot(screenshots / f"evaluation_{number}.png")


def test_every_tab_of_the_evaluation(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(EVALUATION)
    page = tab.page
    expect(page.get_by_test_id("stPlotlyChart").locator("visible=true").first).to_be_visible()
    settled(page)
    names = page.get_by_role("tab").all_inner_texts()
    assert len(names) >= 4
    for name in names:
        page.get_by_role("tab", name=name, exact=True).click()
        settled(page)
        tab.screenshot(screenshots / f"evaluation_tab_{name.lower().replace(' ', '_').replace('-', '_')}.png")


@pytest.mark.parametrize("path", [HOME, "/Live_Camera", IMAGE, EVALUATION], ids=["home", "live", "image", "evaluation"])
def test_pages_fit_small_screens(
    open_tab: OpenTab, path: str, screenshots: Path, request: pytest.FixtureRequest
) -> None:
    tab = open_tab(path)
    for name, size in SMALL_SCREENS.items():
        tab.page.set_viewport_size(size)
        expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
        tab.screenshot(screenshots / f"{name}_{request.node.callspec.id}.png")
        assert tab.page.evaluate(CUT_OFF) == [], f"scrolls sideways on a {name}"


def test_leaderboard(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(EVALUATION)
    tab.page.get_by_role("tab", name="Leaderboard", exact=True).click()
    expect(tab.page.get_by_role("button", name="Measure on this machine")).to_be_visible()
    expect(tab.page.get_by_test_id("stDataFrame").locator("visible=true").first).to_be_visible()
    expect(tab.page.locator(DRAWN).locator("visible=true").first).to_be_visible()
    settled(tab.page)
    tab.screenshot(screenshots / "leaderboard.png")

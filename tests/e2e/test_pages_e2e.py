"""The pages in a real browser: they load, work and look right (see test-output/screenshots)."""

from __future__ import annotations

import base64
import codecs
import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from core.tasks import TASKS
from tests.e2e.browser import DRAWN, LONG_MS, Tab, settled
from tests.e2e.conftest import VIEWPORT, OpenTab

HOME, IMAGE, EVALUATION = "/", "/Analyze_Image", "/Model_Evaluation"
SMALL_SCREENS: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "tablet": {"width": 1024, "height": 768},
}
LAPTOP: ViewportSize = {"width": 1366, "height": 768}
CUT_OFF = """() => ['[data-testid=stMain]', '[data-testid=stHorizontalBlock]', '[data-testid=stMetricLabel] p',
        '[data-testid=stMetricValue] div', '[data-testid=stMain] button *']
    .flatMap(kind => [...document.querySelectorAll(kind)])
    .filter(part => !part.closest('[data-testid=stFileUploader]'))
    .filter(part => part.clientWidth && part.scrollWidth > part.clientWidth + 1)
    .map(part => part.innerText.slice(0, 200))"""
"""What the page's parts that are wider than their place say."""
SHADOW = "box => getComputedStyle(box).boxShadow"
FAILURES = ("Traceback", "not measured yet", "cannot be used", "is missing")


def upload(page: Page, *files: Path) -> None:
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files([str(file) for file in files])


def save_download(page: Page, button: str, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    download.value.save_as(path)
    return path


def loaded_address(picture: Locator) -> str:
    """The address of a picture, which stands for its content, once the browser has it."""
    picture.evaluate("image => image.decode()")
    address = picture.get_attribute("src")
    assert address
    return address


def open_tab_named(page: Page, name: str) -> Locator:
    """The panel of the tab, which is there only while the tab is open."""
    tab = page.get_by_role("tab", name=name, exact=True)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    settled(page)
    return page.locator(f'[id="{tab.get_attribute("aria-controls")}"]')


def check_drawn(panel: Locator) -> None:
    """There are bars, a chart, a table or a button that makes one; none is empty, and nothing failed."""
    charts = panel.get_by_test_id("stPlotlyChart").locator("visible=true")
    tables = panel.get_by_test_id("stDataFrame").locator("visible=true")
    bars = panel.get_by_role("listitem")
    expect(charts.or_(tables).or_(bars).or_(panel.get_by_role("button")).first).to_be_visible(timeout=LONG_MS)
    for chart in charts.all():
        expect(chart.locator(DRAWN).first).to_be_attached(timeout=LONG_MS)
    for table in tables.all():
        expect(table.locator("canvas").first).to_be_visible(timeout=LONG_MS)
    assert [text for text in FAILURES if text in panel.inner_text()] == []


def check_small_screens(tab: Tab, name: str, screenshots: Path) -> None:
    for kind, size in SMALL_SCREENS.items():
        tab.page.set_viewport_size(size)
        tab.screenshot(screenshots / f"{kind}_{name}.png")
        assert tab.page.evaluate(CUT_OFF) == [], f"{name} scrolls sideways on a {kind}"
    tab.page.set_viewport_size(VIEWPORT)


def test_pages_are_reached_from_the_sidebar_and_fit_small_screens(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(HOME)
    links = tab.page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links).to_have_text(["Home", "Live Camera", "Analyze Image", "Analyze Video", "Model Evaluation"])
    titles = links.all_inner_texts()
    for number, title in enumerate(titles):
        links.nth(number).click()
        heading = "Facet" if number == 0 else title
        expect(tab.page.get_by_role("heading", name=heading, level=1, exact=True)).to_be_visible()
        settled(tab.page)
        name = title.lower().replace(" ", "_")
        tab.screenshot(screenshots / f"{name}.png")
        check_small_screens(tab, name, screenshots)


def test_home_is_seen_without_scrolling_and_leads_on(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(HOME)
    page = tab.page
    page.set_viewport_size(LAPTOP)
    expect(page.get_by_alt_text("Portrait of the astronaut")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("EU AI Act")).to_be_visible()
    settled(page)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollHeight <= main.clientHeight")
    tab.screenshot(screenshots / "home_laptop.png")
    page.get_by_role("link", name="Measured times").click()
    settled(page)
    expect(page.get_by_role("tab", name="Latency", exact=True)).to_have_attribute("aria-selected", "true")
    page.go_back()
    page.get_by_role("button", name="Try your photo").click()
    expect(page.get_by_role("heading", name="Analyze Image", level=1)).to_be_visible()


def test_image_page(open_tab: OpenTab, portrait: Path, screenshots: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "page.jpg"
    wrong.write_text("<html>not a picture</html>", encoding="utf-8")
    tab = open_tab(IMAGE)
    page = tab.page
    upload(page, portrait, wrong)
    expect(page.get_by_text("cannot be read as an image").first).to_be_visible()
    expect(page.get_by_text("1 face found").first).to_be_visible()
    expect(page.get_by_alt_text("1 face found")).to_be_visible()
    tab.screenshot(screenshots / "image_result.png")
    box, card = page.get_by_role("link", name="Face 1: go to its card"), page.locator("[class*=st-key-card_]")
    unmarked = box.evaluate(SHADOW)
    card.hover()
    assert box.evaluate(SHADOW) != unmarked, "the card marks its box"
    box.hover()
    assert card.evaluate("card => getComputedStyle(card).outlineStyle") == "solid", "the box marks its card"

    file = save_download(page, "All results (JSON)", tmp_path / "faces.json")
    found, failed = json.loads(file.read_text(encoding="utf-8"))
    assert (found["file"], len(found["faces"])) == (portrait.name, 1)
    assert failed["error"]
    table = save_download(page, "All faces (CSV)", tmp_path / "faces.csv").read_bytes()
    assert table.startswith(codecs.BOM_UTF8), "Excel would not take it for UTF-8"
    report = save_download(page, "Report with pictures (HTML)", tmp_path / "report.html").read_text(encoding="utf-8")
    assert (portrait.name in report, report.count("data:image/jpeg")) == (True, 1)
    row, failed_row = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    assert float(row["age_years"]) == pytest.approx(found["faces"][0]["age"]["years"], abs=0.01)
    assert failed_row["error"]
    check_small_screens(tab, "image_result", screenshots)


PASTE_JS = """(base64) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}"""


def test_pasted_and_sample_images(open_tab: OpenTab, portrait: Path, screenshots: Path) -> None:
    tab = open_tab(IMAGE)
    page = tab.page
    page.get_by_text("Astronaut", exact=True).click()
    expect(page.get_by_role("heading", level=3)).to_have_text(["astronaut.jpg"])
    # After the reruns so far, one listener is left: the image is there once.
    page.evaluate(PASTE_JS, base64.b64encode(portrait.read_bytes()).decode())
    expect(page.get_by_role("heading", level=3)).to_have_text(["image.png", "astronaut.jpg"])
    expect(page.get_by_text("1 face found").first).to_be_visible()
    tab.screenshot(screenshots / "image_pasted.png")


def test_snapshot(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(IMAGE)
    page = tab.page
    page.get_by_text("Take a snapshot", exact=True).first.click()
    page.wait_for_function("() => (document.querySelector('video')?.videoWidth ?? 0) > 0")
    page.get_by_test_id("stCameraInputButton").click()
    expect(page.get_by_text("1 face found").first).to_be_visible()
    tab.screenshot(screenshots / "image_snapshot.png")


def test_why_this_prediction(open_tab: OpenTab, portrait: Path, screenshots: Path) -> None:
    tab = open_tab(IMAGE)
    page = tab.page
    upload(page, portrait)
    section = page.get_by_test_id("stExpander").filter(has_text="Why this prediction?")
    expect(section).to_have_count(1)
    expect(section.get_by_role("img")).to_have_count(0)
    section.get_by_text("Why this prediction?").click()
    for attribute in ("emotion", "age", "perceived gender"):
        section.get_by_role("radio", name=attribute.capitalize()).click()
        with_map = section.get_by_alt_text(f"Face with the map for {attribute}")
        expect(with_map).to_be_visible(timeout=LONG_MS)
        shown = loaded_address(with_map)
        section.get_by_text("Show the map", exact=True).click()
        without = section.get_by_alt_text("Face without the map")
        expect(without).to_be_visible()
        assert loaded_address(without) != shown, "the same picture with and without the map"
        section.get_by_text("Show the map", exact=True).click()
        expect(with_map).to_be_visible()
    tab.screenshot(screenshots / "image_explained.png")


def test_every_tab_of_the_evaluation(open_tab: OpenTab, screenshots: Path) -> None:
    tab = open_tab(EVALUATION)
    page = tab.page
    settled(page)
    check_drawn(open_tab_named(page, "Leaderboard"))
    tab.screenshot(screenshots / "leaderboard.png")
    open_tab_named(page, "By test set")
    test_sets = {"emotion": "Accuracy", "age_gender": "Age", "detection": "Figures"}
    for task, own_tab in test_sets.items():
        title = TASKS[task].test_split.title
        page.get_by_role("combobox", name="Test set").click()
        page.get_by_role("option", name=title, exact=True).click()
        settled(page)
        expect(page.get_by_role("tab", name=own_tab, exact=True)).to_be_visible()
        settled(page)
        names = page.get_by_role("tablist").last.get_by_role("tab").all_inner_texts()
        assert {"Training", "Model card"} < set(names)
        for name in names:
            check_drawn(open_tab_named(page, name))
            tab.screenshot(screenshots / f"evaluation_{task}_{name.lower().replace(' ', '_')}.png")
            assert page.evaluate(CUT_OFF) == []

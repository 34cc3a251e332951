"""Every tab of the evaluation page without any data set, and "Why this prediction?", in a real browser.

Slow machines get their time; how long the answers took is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import pytest
from playwright.sync_api import Locator, Page, expect

from core.artifacts.model_card import SERVED_FILE, artifacts_dir
from core.tasks import TASKS
from tests.e2e.browser import DRAWN, LONG_MS, Tab, settled
from tests.e2e.conftest import OpenTab
from tests.e2e.server import Server

EVALUATION, IMAGE = "/Model_Evaluation", "/Analyze_Image"
"""A minute on an idle machine."""
LONGEST_MAP_S = 30
"""The promise is one second on an idle machine."""
NO_DATA = "This needs the data set"
FAILURES = ("Traceback", "was not measured yet", "holds no curves", "cannot be used", "is missing")


@dataclass(frozen=True)
class Shows:
    """The least that a tab must show."""

    charts: int = 0
    tables: int = 0
    text: str = ""


COMMON = {
    "Speed": Shows(text="Measures every stage"),
    "Training": Shows(charts=2),
    "Model card": Shows(tables=2, text="Intended use."),
    "Mistakes": Shows(text=NO_DATA),
    "Re-run": Shows(text=NO_DATA),
}


@dataclass(frozen=True)
class Artifact:
    """One of ours: where it is found on the page, and what its tabs must show at least."""

    name: str
    test_set: str
    tabs: Mapping[str, Shows]


ARTIFACTS = (
    Artifact(
        "emotion",
        TASKS["emotion"].test_split.title,
        {
            "Accuracy": Shows(charts=1, tables=1),
            "Confusion": Shows(charts=1),
            "Calibration": Shows(charts=2, tables=2, text="Calibration error"),
            "Groups": Shows(text="There are no figures by group"),
            "Robustness": Shows(charts=1, tables=1, text="Retained accuracy"),
            **COMMON,
        },
    ),
    Artifact(
        "age_gender",
        TASKS["age_gender"].test_split.title,
        {
            "Age": Shows(charts=2, tables=1),
            "Age brackets": Shows(charts=2, tables=1),
            "Perceived gender": Shows(charts=2, tables=1),
            "Calibration": Shows(charts=3, tables=3, text="Calibration error"),
            "Groups": Shows(charts=2, tables=1, text="Gap between the best and the worst group"),
            "Robustness": Shows(charts=1, tables=1, text="Retained accuracy"),
            **COMMON,
        },
    ),
    Artifact(
        "face_detector",
        TASKS["detection"].test_split.title,
        {
            "Found and false": Shows(charts=1, tables=1),
            "Size and tilt": Shows(charts=2, tables=2),
            "Points": Shows(charts=2, tables=2),
            "Speed": Shows(charts=2, tables=1),
            "Steadiness": Shows(charts=1, tables=1),
            "Training": Shows(charts=1),
            "Model card": Shows(tables=1, text="YuNet detector"),
        },
    ),
)


@pytest.fixture
def open_without_data(open_tab: OpenTab, server_without_data: Server) -> Callable[[str], Tab]:
    def open_at(path: str) -> Tab:
        tab = open_tab(path, base=server_without_data.url)
        tab.page.set_default_timeout(LONG_MS)
        return tab

    return open_at


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints at once, whatever pytest captures."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", flush=True)

    return say


def choose_test_set(page: Page, title: str) -> None:
    page.get_by_role("combobox", name="Test set").click()
    page.get_by_role("option", name=title, exact=True).click()
    settled(page)


def choose_only(page: Page, name: str) -> None:
    """Of the models that are offered for the test set, whichever are chosen."""
    models = page.get_by_test_id("stMultiSelect").filter(has_text="Models")
    chosen = models.locator("[data-tag]").locator("visible=true")
    expect(chosen.first).to_be_visible(timeout=LONG_MS)
    if [tag.get_attribute("aria-label") for tag in chosen.all()] == [name]:
        return
    models.get_by_role("button", name="Clear all").click()
    expect(chosen).to_have_count(0)
    models.get_by_role("combobox").click()
    page.get_by_role("option", name=name, exact=True).click()
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(1, timeout=LONG_MS)
    settled(page)


def opened(page: Page, name: str) -> Locator:
    """The panel of the tab, which is there only while the tab is open."""
    tab = page.get_by_role("tab", name=name, exact=True)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    settled(page)
    return page.locator(f'[id="{tab.get_attribute("aria-controls")}"]')


def check(panel: Locator, least: Shows) -> None:
    charts = panel.get_by_test_id("stPlotlyChart").locator("visible=true")
    tables = panel.get_by_test_id("stDataFrame").locator("visible=true")
    if least.charts:
        expect(charts.nth(least.charts - 1)).to_be_visible(timeout=LONG_MS)
    if least.tables:
        expect(tables.nth(least.tables - 1)).to_be_visible(timeout=LONG_MS)
    for chart in charts.all():
        expect(chart.locator(DRAWN).first).to_be_attached(timeout=LONG_MS)
    for table in tables.all():
        expect(table.locator("canvas").first).to_be_visible(timeout=LONG_MS)
    expect(panel).to_contain_text(least.text)
    text = panel.inner_text()
    assert [one for one in FAILURES if one in text] == []


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=[one.name for one in ARTIFACTS])
def test_every_tab_without_any_data_set(
    open_without_data: Callable[[str], Tab], screenshots: Path, artifact: Artifact
) -> None:
    tab = open_without_data(EVALUATION)
    page = tab.page
    settled(page)
    choose_test_set(page, artifact.test_set)
    if artifact.test_set != TASKS["detection"].test_split.title:
        choose_only(page, artifact.name)
    names = page.get_by_role("tablist").last.get_by_role("tab").all_inner_texts()
    assert set(names) >= set(artifact.tabs)
    for name in names:
        check(opened(page, name), artifact.tabs.get(name, Shows()))
        tab.screenshot(screenshots / f"evaluation_{artifact.name}_{_file_name(name)}.png")


def test_why_this_answer(
    open_without_data: Callable[[str], Tab], screenshots: Path, report: Callable[[str], None], tmp_path: Path
) -> None:
    # Portrait of Grace Hopper that comes with matplotlib, public domain: one face.
    portrait = tmp_path / "portrait.jpg"
    portrait.write_bytes((Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes())
    tab = open_without_data(IMAGE)
    page = tab.page
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files([str(portrait)])
    expect(page.get_by_text("1 face found").first).to_be_visible(timeout=LONG_MS)
    settled(page)
    section = page.get_by_test_id("stExpander").filter(has_text="Why this prediction?")
    expect(section).to_have_count(1)
    expect(section.get_by_role("img")).to_have_count(0)
    for number, answer in enumerate(("emotion", "age", "perceived gender")):
        start_s = time.monotonic()
        if number == 0:
            section.get_by_text("Why this prediction?").click()
        else:
            section.get_by_role("radio", name=answer.capitalize()).click()
        picture = section.get_by_alt_text(f"Face with the map for {answer}")
        expect(picture).to_be_visible(timeout=LONG_MS)
        took_s = time.monotonic() - start_s
        report(f"the map for {answer} was there after {took_s:.2f} s")
        assert took_s <= LONGEST_MAP_S
        with_map = _loaded(picture)
        switch = section.get_by_text("Show the map", exact=True)
        switch.click()
        plain = section.get_by_alt_text("Face without the map")
        expect(plain).to_be_visible(timeout=LONG_MS)
        expect(picture).to_have_count(0)
        assert _loaded(plain) != with_map, "the same picture with and without the map"
        switch.click()
        expect(picture).to_be_visible(timeout=LONG_MS)
        assert _loaded(picture) == with_map
    settled(page)
    tab.screenshot(screenshots / "image_explained.png")


def test_what_is_tested_here_is_installed() -> None:
    assert all((artifacts_dir() / one.name / SERVED_FILE).is_file() for one in ARTIFACTS)


def _loaded(picture: Locator) -> str:
    """The address of a picture, which stands for its content, once the browser has it."""
    picture.evaluate("image => image.decode()")
    address = picture.get_attribute("src")
    assert address
    return address


def _file_name(tab: str) -> str:
    return tab.lower().replace(" ", "_").replace("-", "_")

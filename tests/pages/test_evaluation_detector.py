"""The evaluation page's figures about detectors, from a made-up report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import ARTIFACTS_DIR, CARD_FILE, DETECTOR_ARTIFACT, HISTORY_FILE, SERVED_FILE
from core.artifacts.storage import sha256_of
from core.evaluation.detection.store import MEASURED_KEY, REPORT_FILE, save_results
from core.tasks import TASKS
from models.exporting.model_card import read_card, write_card
from tests.fakes.detection import example_report

PAGE = Path(__file__).resolve().parents[2] / "pages" / "3_Model_Evaluation.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the report belongs; no data set is there."""
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("FACET_DATA", str(tmp_path / "data"))
    folder = tmp_path / "artifacts" / DETECTOR_ARTIFACT
    folder.mkdir(parents=True)
    for name in (CARD_FILE, HISTORY_FILE, SERVED_FILE):
        shutil.copy(ARTIFACTS_DIR / DETECTOR_ARTIFACT / name, folder)
    return folder


def store(folder: Path) -> None:
    """A report, on the card as the one of the model that is there."""
    save_results(folder, *example_report())
    write_card(folder, read_card(folder) | {MEASURED_KEY: sha256_of(folder / SERVED_FILE)})


def _page() -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    page.selectbox(key="evaluation_side").select(TASKS["detection"].test_split.title).run()
    assert not page.exception
    return page


def _tiles(page: AppTest) -> list[tuple[str, str]]:
    return [(metric.label, metric.value) for metric in page.metric]


def test_figures_come_from_the_stored_report(folder: Path) -> None:
    store(folder)
    page = _page()
    assert _tiles(page) == [
        ("Faces found", "50.0 %"),
        ("False boxes an image", "1.00"),
        ("Points off by", "10.0 %"),
        ("Time a frame", "2.5 ms"),
        ("Faces found", "50.0 %"),
        ("False boxes an image", "1.00"),
        ("Points off by", "–"),
        ("Time a frame", "25.0 ms"),
    ]
    about = ["Found and false", "Size and tilt", "Points", "Speed", "Steadiness"]
    assert [tab.label for tab in page.tabs][2:] == [*about, "Training", "Model card"]
    curves = 3
    assert len(page.get("plotly_chart")) == 8 + curves
    tables = {button.label.removeprefix("Download detectors_").removesuffix(".csv") for button in page.download_button}
    assert {"size", "tilt", "points", "times", "steadiness"} <= tables
    assert not page.error


def test_the_card_says_who_made_the_labels(folder: Path) -> None:
    store(folder)
    assert any("YuNet" in text.value for text in _page().markdown)


def test_without_a_card_the_figures_stay(folder: Path) -> None:
    store(folder)
    (folder / CARD_FILE).unlink()
    page = _page()
    assert len(page.metric) == 8
    assert any("card.json is missing" in error.value for error in page.error)


@pytest.mark.parametrize("title", ["Enlarged to 640 px", "Enlarged, settings for live video"])
def test_other_sizes_can_be_chosen(folder: Path, title: str) -> None:
    store(folder)
    page = _page()
    page.segmented_control(key="evaluation_setup").set_value(title).run()
    assert not page.exception
    assert len(page.metric) == 8


def test_detectors_can_be_left_out(folder: Path) -> None:
    store(folder)
    page = _page()
    page.multiselect(key="evaluation_detectors").set_value(["haar"]).run()
    assert not page.exception
    assert len(page.metric) == 4
    page.multiselect(key="evaluation_detectors").set_value([]).run()
    assert "Choose a detector" in page.info[-1].value
    assert not page.metric


@pytest.mark.parametrize("damaged", [False, True], ids=["missing", "damaged"])
def test_without_a_report_the_page_says_how_to_get_one(folder: Path, damaged: bool) -> None:
    if damaged:
        store(folder)
        (folder / REPORT_FILE).write_text("{")
    page = _page()
    assert "models.evaluate detector" in page.error[0].value
    assert not page.metric

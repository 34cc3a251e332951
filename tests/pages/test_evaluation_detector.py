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
from tests.pages.evaluation_page import open_page

TAB_KEY = "evaluation_detector_tab"


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


def _page(tab: str | None = None) -> AppTest:
    return open_page(TASKS["detection"].test_split.title, **{TAB_KEY: tab})


def test_metrics_come_from_the_stored_report(folder: Path) -> None:
    store(folder)
    page = _page()
    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("Recall", "50.0 %"),
        ("False positives", "1.00"),
        ("Landmark NME", "10.0%"),
        ("Time per frame", "2.5 ms"),
        ("Recall", "50.0 %"),
        ("False positives", "1.00"),
        ("Landmark NME", "–"),
        ("Time per frame", "25.0 ms"),
    ]


@pytest.mark.parametrize(
    ("tab", "charts", "tables"),
    [
        ("Recall", 1, ["detectors.csv"]),
        ("Size and rotation", 2, ["detectors_size.csv", "detectors_rotation.csv"]),
        ("Landmarks", 1, ["detectors_landmarks.csv"]),
        ("Latency", 1, ["detectors_latency.csv"]),
        ("Training", 3, ["face_detector_history.csv"]),
    ],
)
def test_every_tab_has_its_figures_and_tables(folder: Path, tab: str, charts: int, tables: list[str]) -> None:
    store(folder)
    page = _page(tab)
    assert len(page.get("plotly_chart")) == charts
    assert [button.label for button in page.download_button] == [f"Download {name}" for name in tables]
    assert not page.error


def test_the_card_says_who_made_the_labels(folder: Path) -> None:
    store(folder)
    assert any("YuNet" in text.value for text in _page("Model card").markdown)


def test_without_a_card_the_figures_stay(folder: Path) -> None:
    store(folder)
    (folder / CARD_FILE).unlink()
    page = _page("Model card")
    assert len(page.metric) == 8
    assert any("card.json is missing" in error.value for error in page.error)


@pytest.mark.parametrize("title", ["Enlarged to 640 px", "Enlarged to 640 px, live settings"])
def test_other_conditions_can_be_chosen(folder: Path, title: str) -> None:
    store(folder)
    page = _page()
    page.segmented_control(key="evaluation_condition").set_value(title).run()
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

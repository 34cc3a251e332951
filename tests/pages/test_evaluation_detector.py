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
from tests.pages.apps import download_names, metrics, open_page, rerun, switch_tab

TAB_KEY = "evaluation_detector_tab"
TABS = {
    "Figures": (0, ["detectors_figures.csv"]),
    "Recall": (1, ["detectors.csv"]),
    "Size, yaw and rotation": (3, ["detectors_size.csv", "detectors_yaw.csv", "detectors_rotation.csv"]),
    "Landmarks": (1, ["detectors_landmarks.csv"]),
    "Latency": (1, ["detectors_latency.csv"]),
    "Training": (1, ["face_detector_history.csv"]),
}
"""Title -> number of charts, tables to download."""


@pytest.fixture
def folder(artifacts: Path) -> Path:
    """The detector's artifact with a report, listed on the card as the one of the model that is there."""
    folder = artifacts / DETECTOR_ARTIFACT
    folder.mkdir()
    for name in (CARD_FILE, SERVED_FILE):
        shutil.copy(ARTIFACTS_DIR / DETECTOR_ARTIFACT / name, folder)
    (folder / HISTORY_FILE).write_text("epoch,elapsed_s,loss,val_loss,round\n1,9.5,1.5,1.4,1\n2,19.0,1.2,1.1,1\n")
    save_results(folder, *example_report())
    write_card(folder, read_card(folder) | {MEASURED_KEY: sha256_of(folder / SERVED_FILE)})
    return folder


def _page(tab: str | None = None) -> AppTest:
    return open_page(TASKS["detection"].test_split.title, **{TAB_KEY: tab})


def test_metrics_and_tabs(folder: Path) -> None:
    page = _page()
    assert metrics(page) == [
        ("Recall", "50.0 %"),
        ("False positives", "1.00"),
        ("Landmark NME", "10.0%"),
        ("Time per frame", "2.5 ms"),
        ("Recall", "50.0 %"),
        ("False positives", "1.00"),
        ("Landmark NME", "–"),
        ("Time per frame", "25.0 ms"),
    ]
    for tab, (charts, tables) in TABS.items():
        switch_tab(page, tab, TAB_KEY)
        assert len(page.get("plotly_chart")) == charts
        assert download_names(page) == tables
        assert not page.error
    switch_tab(page, "Model card", TAB_KEY)
    assert any("YuNet" in text.value for text in page.markdown), "the card says who made the labels"


def test_conditions_and_detectors_can_be_chosen(folder: Path) -> None:
    page = _page()
    for title in ("Enlarged to 640 px", "Enlarged to 640 px, live settings"):
        page.segmented_control(key="evaluation_condition").set_value(title)
        assert len(rerun(page).metric) == 8
    page.segmented_control(key="evaluation_operating_point").set_value("0.10 false positives per web image")
    assert ("False positives", "0.00") in metrics(rerun(page))
    page.multiselect(key="evaluation_detectors").set_value(["haar"])
    assert len(rerun(page).metric) == 4
    page.multiselect(key="evaluation_detectors").set_value([])
    assert "Choose a detector" in rerun(page).info[-1].value
    assert not page.metric


def test_the_table_of_figures_has_a_column_per_detector(folder: Path) -> None:
    table = _page("Figures").dataframe[0].value
    assert list(table) == ["figure", "Facet", "Haar"]
    assert table.set_index("figure").loc["FairFace portraits: recall"].tolist() == ["50.0%", "0.0%"]


def test_without_a_card_the_figures_stay(folder: Path) -> None:
    (folder / CARD_FILE).unlink()
    page = _page("Model card")
    assert len(page.metric) == 8
    assert any("card.json is missing" in error.value for error in page.error)


@pytest.mark.parametrize("corrupt", [False, True], ids=["missing", "corrupt"])
def test_without_a_report(folder: Path, corrupt: bool) -> None:
    (folder / REPORT_FILE).unlink()
    if corrupt:
        (folder / REPORT_FILE).write_text("{")
    page = _page()
    assert "models.evaluate detector" in page.error[0].value
    assert not page.metric

"""The tab about corrupted images, from a made-up report; no data set is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import ROBUSTNESS_FILE
from core.evaluation.intervals import wilson_interval
from core.evaluation.robustness import ConditionMetrics
from tests.fakes.robustness import list_on_card, write_measured


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("FACET_DATA", str(tmp_path / "data"))
    return tmp_path / "artifacts"


def _tab() -> None:
    from core.artifacts.model_card import list_artifacts
    from core.evaluation.stored import load_stored
    from pages.shared.evaluation.robustness import show_robustness

    (artifact,) = list_artifacts()
    show_robustness(load_stored(artifact, "private" if artifact.name == "emotion" else "test"))


def _page() -> AppTest:
    page = AppTest.from_function(_tab, default_timeout=60).run()
    assert not page.exception
    return page


def _tiles(page: AppTest) -> list[tuple[str, str]]:
    return [(metric.label, metric.value) for metric in page.metric]


def _downloads(page: AppTest) -> list[str]:
    return [element.proto.label for element in page.get("download_button")]


def test_accuracy_of_emotions_comes_from_the_stored_report(root: Path) -> None:
    write_measured(root)
    page = _page()
    assert _tiles(page) == [("Clean", "80.0 %"), ("Corrupted", "62.0 %"), ("Retained accuracy", "77.5 %")]
    assert "2 corruptions" in page.markdown[0].value
    assert len(page.get("plotly_chart")) == 1
    assert page.dataframe[0].value["corruption"].tolist() == ["Noise", "Glasses"]
    assert _downloads(page) == ["Download emotion_private_robustness_accuracy.csv"]
    assert not page.error


def test_the_age_error_can_be_chosen(root: Path) -> None:
    write_measured(root, "age_gender")
    page = _page()
    assert _tiles(page)[0] == ("Clean", "80.0 %")
    page.button_group[0].set_value("age_mae").run()
    assert _tiles(page) == [("Clean", "5.00 years"), ("Corrupted", "6.80 years"), ("Added error", "+1.80 years")]
    assert _downloads(page) == ["Download age_gender_test_robustness_age_mae.csv"]
    assert not page.exception


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Limited to what 12 minutes allow"),
        ({"limited_by": "limit"}, "Limited on request"),
        ({"limited_by": "none", "split_images": 100}, "100 of 100 images"),
    ],
)
def test_the_page_says_which_images_were_used(root: Path, changes: dict[str, object], text: str) -> None:
    write_measured(root, **changes)
    used = _page().caption[0].value
    assert used.startswith("FER2013 PrivateTest: 100 of")
    assert text in used
    assert ("Limited" in used) == (changes.get("limited_by") != "none")


def test_a_model_without_a_correct_prediction_retains_a_dash(root: Path) -> None:
    write_measured(root, clean=ConditionMetrics(wilson_interval(0, 100), 0.5))
    assert _tiles(_page())[2] == ("Retained accuracy", "–")


def test_without_a_report_the_page_shows_the_command(root: Path) -> None:
    (write_measured(root) / ROBUSTNESS_FILE).unlink()
    page = _page()
    assert "not measured yet" in page.info[0].value
    assert page.code[0].value == "python -m models robustness emotion --data DIR"
    assert not page.error
    assert not page.metric


def test_a_damaged_report_is_an_error_with_advice(root: Path) -> None:
    folder = write_measured(root)
    (folder / ROBUSTNESS_FILE).write_text("{")
    list_on_card(folder, ROBUSTNESS_FILE)
    page = _page()
    assert "models robustness emotion" in page.error[0].value
    assert not page.metric

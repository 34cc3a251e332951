"""The tab about damaged pictures, from a made-up report; no data set is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation.intervals import wilson_interval
from core.evaluation.robustness import ROBUSTNESS_FILE, Figures
from core.evaluation.robustness_before import BeforeReport, save_before
from tests.fakes.evaluation import predictions_of, write_artifact
from tests.fakes.robustness import example_report, list_on_card, write_measured


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


def test_emotion_figures_come_from_the_stored_report(root: Path) -> None:
    write_measured(root)
    page = _page()
    assert _tiles(page) == [
        ("As they are", "80.0 %"),
        ("Damaged", "62.0 %"),
        ("Kept under damage", "77.5 %"),
    ]
    assert "2 ways" in page.markdown[0].value
    assert len(page.get("plotly_chart")) == 2
    assert page.dataframe[0].value["damage"].tolist() == ["Noise", "Glasses"]
    assert _downloads(page) == [
        "Download emotion_private_robustness_accuracy.csv",
        "Download emotion_private_robustness_all.csv",
    ]
    assert not page.error


def test_ages_have_figures_of_their_own(root: Path) -> None:
    write_measured(root, "age_gender")
    page = _page()
    assert _tiles(page)[3:] == [
        ("As they are", "5.00 years"),
        ("Damaged", "6.80 years"),
        ("Added by damage", "+1.80 years"),
    ]
    headings = [text.value for text in page.markdown]
    assert headings.index("**Perceived gender accuracy**") < headings.index("**Age error**")
    assert len(page.get("plotly_chart")) == 4
    assert len(page.dataframe) == 2
    assert "Download age_gender_test_robustness_age.csv" in _downloads(page)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "would have taken too long"),
        ({"limited_by": "limit"}, "asked for"),
        ({"limited_by": "none", "side_images": 100}, "100 of 100 pictures"),
    ],
)
def test_the_page_says_which_pictures_were_used(root: Path, changes: dict[str, object], text: str) -> None:
    write_measured(root, **changes)
    used = _page().caption[0].value
    assert used.startswith("FER2013 PrivateTest: 100 of")
    assert text in used
    assert ("Only part" in used) == (changes.get("limited_by") != "none")


def test_a_model_that_is_never_right_keeps_a_dash(root: Path) -> None:
    write_measured(root, clean=Figures(wilson_interval(0, 100), 0.5))
    assert _tiles(_page())[2] == ("Kept under damage", "–")


def test_without_a_report_the_page_shows_the_command(root: Path) -> None:
    (write_measured(root) / ROBUSTNESS_FILE).unlink()
    page = _page()
    assert "not measured yet" in page.info[0].value
    assert page.code[0].value == "python -m models robustness emotion --data DIR"
    assert not page.error
    assert not page.metric


@pytest.mark.parametrize(
    ("task", "recipe", "text"),
    [
        ("age_gender_published", "", "not tried on networks of this kind"),
        ("age_gender", "theirs", "tried on our own networks only"),
    ],
    ids=["another kind of ours", "one of others"],
)
def test_networks_that_were_not_tried_are_told_apart(root: Path, task: str, recipe: str, text: str) -> None:
    write_artifact(root, "untried", task, {"test": predictions_of(task)}, recipe=recipe)
    page = _page()
    assert text in page.info[0].value
    assert not page.code


def test_a_damaged_report_is_an_error_with_advice(root: Path) -> None:
    folder = write_measured(root)
    (folder / ROBUSTNESS_FILE).write_text("{")
    list_on_card(folder, ROBUSTNESS_FILE)
    page = _page()
    assert "models.measuring.robustness emotion" in page.error[0].value
    assert not page.metric


def test_figures_of_a_replaced_network_are_not_shown(root: Path) -> None:
    write_measured(root, model_sha256="f" * 64)
    page = _page()
    assert "another network" in page.error[0].value
    assert not page.metric


def test_what_training_against_damage_gained_is_shown(root: Path) -> None:
    folder = write_measured(root)
    before = replace(example_report(), model_sha256="1" * 64)
    files = json.loads((folder / "card.json").read_text())["files"]
    list_on_card(folder, save_before(folder, BeforeReport("Before: a smaller network.", before)).name)
    card = json.loads((folder / "card.json").read_text())
    card["files"] |= files
    (folder / "card.json").write_text(json.dumps(card))
    page = _page()
    assert any("Before: a smaller network. It kept 77.5%" in one.value for one in page.markdown)
    assert len(page.get("plotly_chart")) == 3
    assert not page.error

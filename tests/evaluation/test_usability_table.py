"""What poor crops take off, as a table and on the page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import ARTIFACTS_DIR
from core.attributes.quality import QUALITY_FILE
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.usability_table import usability_table
from tests.fakes.evaluation import emotion_predictions, write_artifact

FACE = {"searched": 9, "n": 8, "whole": 0.5, "share": 0.7, "before": 0.8, "after": 0.6, "accuracy": 0.75}
NO_FACE = {"searched": 9, "n": 3, "whole": 0.0, "share": 0.1, "before": 0.4, "after": 0.2}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / QUALITY_FILE
    limits = json.loads((ARTIFACTS_DIR / QUALITY_FILE).read_text())
    file.write_text(json.dumps(limits | {"measured": {"Blurred": {"emotion": FACE}, "Wall": {"emotion": NO_FACE}}}))
    return file


def test_one_row_a_condition(file: Path) -> None:
    table = usability_table(file, "emotion")
    assert table.condition.tolist() == ["Blurred", "Wall"]
    assert table.faces.tolist() == [8, 3]
    assert table.confidence_before.tolist() == [0.8, 0.4]
    assert table.confidence_after.tolist() == [0.6, 0.2]
    assert table.accuracy[0] == 0.75
    assert math.isnan(table.accuracy[1]), "without a face nothing is right"


def test_another_answer_has_no_rows(file: Path) -> None:
    assert usability_table(file, "gender").empty


def test_what_is_stored_has_both_answers_for_every_condition() -> None:
    emotion, gender = (usability_table(ARTIFACTS_DIR / QUALITY_FILE, answer) for answer in ("emotion", "gender"))
    assert len(emotion) >= 10
    assert emotion.condition.tolist() == gender.condition.tolist()


def test_a_file_that_is_missing_or_damaged_is_named(file: Path) -> None:
    file.write_text("{}")
    with pytest.raises(ArtifactCorruptError, match=r"usability\.json is no report.*measured"):
        usability_table(file, "emotion")
    file.unlink()
    with pytest.raises(ArtifactMissingError, match=r"usability\.json is missing.*git restore"):
        usability_table(file, "emotion")


def _part(name: str) -> None:
    """Run by ``AppTest`` as a page of its own, so it imports everything itself."""
    from core.artifacts.model_card import list_artifacts
    from core.evaluation.stored import load_stored
    from pages.shared.evaluation.usability import show_usability

    show_usability(next(load_stored(one, "private") for one in list_artifacts() if one.name == name))


@pytest.mark.parametrize(("name", "tables"), [("emotion", 1), ("emotion_other", 0)])
def test_it_is_shown_for_the_networks_that_it_was_measured_with(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, tables: int
) -> None:
    monkeypatch.setenv("FACET_ARTIFACTS", str(file.parent))
    write_artifact(file.parent, name, "emotion", {"private": emotion_predictions()})
    page = AppTest.from_function(_part, args=(name,), default_timeout=60).run()
    assert not page.exception
    assert not page.error
    assert len(page.dataframe) == tables

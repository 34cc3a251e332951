"""The earlier network's figures on damaged pictures beside the served one's."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, load_card
from core.artifacts.storage import sha256_of
from core.errors import ArtifactCorruptError, ConfigError
from core.evaluation.plots.robustness import before_bars
from core.evaluation.robustness import ROBUSTNESS_FILE, load_report
from core.evaluation.robustness_before import (
    ROBUSTNESS_BEFORE_FILE,
    BeforeReport,
    check_comparable,
    load_before,
    save_before,
)
from core.evaluation.robustness_tables import before_table
from models.measuring import robustness
from tests.fakes.robustness import RIGHT, example_report, list_on_card, write_measured

AFTER = example_report()
WORSE = tuple(replace(one, figures=one.figures[::-1]) for one in AFTER.corruptions)
BEFORE = BeforeReport("It was smaller.", replace(AFTER, model_sha256="1" * 64, corruptions=WORSE))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    folder = write_measured(tmp_path)
    assert load_before(folder, load_card(folder), AFTER) is None
    card = list_on_card(folder, save_before(folder, BEFORE).name)
    assert load_before(folder, card, AFTER) == BEFORE


def test_an_altered_file_is_named(tmp_path: Path) -> None:
    folder = write_measured(tmp_path)
    card = list_on_card(folder, save_before(folder, BEFORE).name)
    (folder / ROBUSTNESS_BEFORE_FILE).write_text("{}")
    with pytest.raises(ArtifactCorruptError, match=ROBUSTNESS_BEFORE_FILE):
        load_before(folder, card, AFTER)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fingerprint": "other"}, "differ in fingerprint"),
        ({"seed": 1}, "differ in seed"),
        ({"corruptions": AFTER.corruptions[:1]}, "kinds of damage"),
        ({"model_sha256": AFTER.model_sha256}, "same network"),
    ],
)
def test_only_like_is_compared_with_like(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_comparable(replace(BEFORE.report, **changes), AFTER)  # type: ignore[arg-type]


def test_a_comparison_says_what_is_compared() -> None:
    with pytest.raises(ValueError, match="differs"):
        BeforeReport(" ", AFTER)


def test_table_and_bars_have_a_row_for_each_damage_and_one_for_none() -> None:
    table = before_table(BEFORE.report, AFTER)
    assert table["damage"].tolist() == ["none", "Noise", "Glasses"]
    assert table["accuracy_after"].tolist() == pytest.approx([0.8] + [sum(one) / 500 for one in RIGHT.values()])
    figure = before_bars(BEFORE.report, AFTER, "title")
    assert [trace.name for trace in figure.data] == ["before", "after"]
    assert all(len(trace.x) == 3 for trace in figure.data)


def test_the_command_keeps_the_report_of_an_earlier_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path / "now"))
    folder, earlier = tmp_path / "now" / "emotion", tmp_path / "earlier" / "emotion"
    for copy in (folder, earlier):
        shutil.copytree(ARTIFACTS_DIR / "emotion", copy)
    (folder / ROBUSTNESS_BEFORE_FILE).unlink(missing_ok=True)
    assert robustness.main(["emotion", "--before", str(earlier)]) == 2
    assert "same network" in capsys.readouterr().err
    _rename_network(earlier)
    assert robustness.main(["emotion", "--before", str(earlier), "--what", "It was smaller."]) == 0
    card = load_card(folder)
    before = load_before(folder, card, load_report(folder, card))
    assert before is not None
    assert before.description == "It was smaller."
    assert before.report == load_report(earlier, load_card(earlier))


def test_training_against_damage_helped_the_served_network() -> None:
    folder = ARTIFACTS_DIR / "emotion"
    card = load_card(folder)
    after = load_report(folder, card)
    before = load_before(folder, card, after)
    assert before is not None
    assert after.mean_relative_drop < before.report.mean_relative_drop


def _rename_network(folder: Path) -> None:
    """As if another network had been measured."""
    report = folder / ROBUSTNESS_FILE
    report.write_text(json.dumps(json.loads(report.read_text()) | {"model_sha256": "1" * 64}))
    card = json.loads((folder / "card.json").read_text())
    card["files"]["model.tflite"]["sha256"] = "1" * 64
    card["files"][ROBUSTNESS_FILE]["sha256"] = sha256_of(report)
    (folder / "card.json").write_text(json.dumps(card))

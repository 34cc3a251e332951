from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.artifacts.model_card import load_card
from core.errors import ArtifactCorruptError, ArtifactMissingError, ConfigError
from core.evaluation.age_brackets import AGE_BRACKETS
from core.evaluation.intervals import Measured
from core.evaluation.metrics import age_report, gender_report
from core.evaluation.predictions import AgeGenderPredictions, subset
from core.evaluation.reweighting import (
    EVERYBODY,
    REWEIGHTING_FILE,
    Change,
    SideChange,
    compared,
    load_reweighting,
    save_reweighting,
)
from core.evaluation.reweighting_figures import error_before_after
from core.evaluation.reweighting_tables import change_table
from tests.fakes.reweighting import (
    example_after,
    example_before,
    example_report,
    list_on_card,
    reordered,
    write_compared,
)

BEFORE = example_before()
AFTER = example_after(BEFORE)


def _first(predictions: AgeGenderPredictions, count: int) -> AgeGenderPredictions:
    return reordered(predictions, np.arange(count))


def test_figures_are_those_of_the_usual_reports() -> None:
    side = compared(BEFORE, AFTER)
    for when, predictions in (("before", BEFORE), ("after", AFTER)):
        ages = age_report(predictions)
        assert getattr(side.everybody.age_mae, when).value == pytest.approx(ages.mae.value)
        assert getattr(side.everybody.gender_accuracy, when) == gender_report(predictions).accuracy
        for group, expected in zip(side.brackets, ages.by_bracket, strict=True):
            assert group.label == expected.label
            measured = getattr(group.age_mae, when)
            assert (measured.value, measured.low, measured.high) == pytest.approx(
                (expected.mae.value, expected.mae.low, expected.mae.high), nan_ok=True
            )


def test_what_is_gained_and_lost_is_more_than_chance() -> None:
    side = compared(BEFORE, AFTER)
    changes = {one.label: one.age_mae for one in side.brackets}
    old, adult = changes["70+"], changes["30-39"]
    assert old.change.value == pytest.approx(-old.before.value / 3, rel=1e-3)
    assert old.change.high < 0
    assert not old.may_be_chance
    assert adult.change.value == pytest.approx(adult.before.value / 2, rel=0.01)
    assert not adult.may_be_chance
    gender = side.everybody.gender_accuracy
    assert gender.change.value == pytest.approx(1 / 400)
    assert gender.may_be_chance


def test_the_change_of_the_same_people_is_known_better_than_either_figure() -> None:
    everybody = compared(BEFORE, AFTER).everybody.age_mae
    assert everybody.change.high - everybody.change.low < everybody.after.high - everybody.after.low


def test_nothing_changed() -> None:
    side = compared(BEFORE, BEFORE)
    assert all(one.age_mae.change.value == 0 for one in side.groups if one.age_mae.n)
    assert all(one.age_mae.may_be_chance and one.gender_accuracy.may_be_chance for one in side.groups)


def test_a_bracket_without_people_or_with_one_has_no_interval() -> None:
    young = int(np.nonzero(BEFORE.age_true == 25)[0][0])
    one = reordered(BEFORE, np.array([young]))
    side = compared(one, one)
    groups = dict(zip((EVERYBODY, *AGE_BRACKETS), side.groups, strict=True))
    assert groups["70+"].age_mae.n == 0
    assert math.isnan(groups["70+"].age_mae.change.value)
    assert groups["20-29"].age_mae.change.value == 0
    assert math.isnan(groups["20-29"].age_mae.change.low)
    assert groups["20-29"].age_mae.may_be_chance


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (_first(BEFORE, 300), AFTER, "300 and 400 answers have 300 in common"),
        (BEFORE, subset(AFTER, BEFORE.ids[:10]), "have 10 in common"),
        (_first(BEFORE, 0), _first(BEFORE, 0), "at least one"),
        (replace(BEFORE, age_true=BEFORE.age_true + 1), AFTER, "disagree on the true age"),
        (replace(BEFORE, gender_true=1 - BEFORE.gender_true), AFTER, "disagree on the true age or the gender"),
    ],
    ids=["fewer before", "fewer after", "none", "other ages", "other genders"],
)
def test_answers_about_other_people_are_not_compared(
    before: AgeGenderPredictions, after: AgeGenderPredictions, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        compared(before, after)


def test_the_table_has_a_row_a_group_with_all_intervals() -> None:
    side = compared(BEFORE, AFTER)
    table = change_table(side)
    assert list(table["true_age"]) == [EVERYBODY, *AGE_BRACKETS]
    assert table.loc[0, "people"] == 400
    last = table.iloc[-1]
    old = side.brackets[-1]
    assert last["age_error_years_change_high"] == old.age_mae.change.high
    assert last["gender_accuracy_after_low"] == old.gender_accuracy.after.low
    assert len(table.columns) == 2 + 2 * 9


def test_the_figure_shows_both_for_every_group_with_people() -> None:
    side = compared(BEFORE, AFTER)
    figure = error_before_after(side, "Title")
    assert figure.layout.title.text == "Title"
    before, after = figure.data
    assert (before.name, after.name) == ("before", "after")
    assert list(before.x) == list(after.x) == [EVERYBODY, *(one.label for one in side.brackets if one.age_mae.n)]
    assert after.y[-1] == side.brackets[-1].age_mae.after.value
    assert after.y[-1] + after.error_y.array[-1] == pytest.approx(side.brackets[-1].age_mae.after.high)
    assert figure.to_json()


def test_groups_without_people_are_not_drawn() -> None:
    adults = reordered(BEFORE, np.nonzero(BEFORE.age_true > 30)[0])
    figure = error_before_after(compared(adults, adults), "Title")
    assert "0-2" not in figure.data[0].x
    assert len(figure.data[0].x) == len({*figure.data[0].x})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_compared(tmp_path)


def test_the_report_comes_back(folder: Path) -> None:
    report = load_reweighting(folder, load_card(folder))
    expected = example_report(report.after_sha256)
    # NaN differs from itself, text does not.
    assert repr(report) == repr(expected)
    assert not list(folder.glob("*.partial"))
    json.loads((folder / REWEIGHTING_FILE).read_text(), parse_constant=pytest.fail)


def test_no_comparison(folder: Path) -> None:
    (folder / REWEIGHTING_FILE).unlink()
    with pytest.raises(ArtifactMissingError, match=r"reweighting\.json is missing.*models\.reweighting age_gender"):
        load_reweighting(folder, load_card(folder))


def test_a_comparison_with_other_predictions_is_refused(folder: Path) -> None:
    save_reweighting(folder, example_report("c" * 64))
    list_on_card(folder, REWEIGHTING_FILE)
    with pytest.raises(ArtifactCorruptError, match="other predictions than those installed"):
        load_reweighting(folder, load_card(folder))


def test_an_altered_file_is_refused(folder: Path) -> None:
    file = folder / REWEIGHTING_FILE
    file.write_text(file.read_text().replace("everybody", "nobody"))
    with pytest.raises(ArtifactCorruptError, match="does not match the SHA-256"):
        load_reweighting(folder, load_card(folder))


def _no_sides(content: dict[str, Any]) -> None:
    content["sides"] = {}


def _empty_sentence(content: dict[str, Any]) -> None:
    content["what_changed"] = " "


def _other_people(content: dict[str, Any]) -> None:
    content["sides"]["test"]["everybody"]["age_mae"]["after"]["n"] = 1


def _brackets_in_another_order(content: dict[str, Any]) -> None:
    content["sides"]["test"]["brackets"].reverse()


def _somebody_is_missing(content: dict[str, Any]) -> None:
    content["sides"]["test"]["brackets"][3] = content["sides"]["validation"]["brackets"][3]


@pytest.mark.parametrize(
    "change",
    [_no_sides, _empty_sentence, _other_people, _brackets_in_another_order, _somebody_is_missing, dict.clear],
)
def test_a_file_that_contradicts_itself_is_refused(folder: Path, change: Any) -> None:
    file = folder / REWEIGHTING_FILE
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    list_on_card(folder, REWEIGHTING_FILE)
    with pytest.raises(ArtifactCorruptError, match=r"is no report.*Compare again"):
        load_reweighting(folder, load_card(folder))


def test_changes_of_different_people_are_no_change() -> None:
    few, more = Measured(1.0, 0.5, 1.5, 5), Measured(1.0, 0.5, 1.5, 6)
    with pytest.raises(ValueError, match="of the same people"):
        Change(few, more, more)


def test_brackets_must_be_all_of_them() -> None:
    side = compared(BEFORE, AFTER)
    with pytest.raises(ValueError, match="groups must be everybody and"):
        SideChange(side.everybody, side.brackets[1:])

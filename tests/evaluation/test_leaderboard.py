"""Networks side by side: what is ranked, against what, and what is said where something is missing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from core.evaluation.latency import NetworkSpeed
from core.evaluation.leaderboard import FROM_GROUPS, MORE_VOTES, Group, Leaderboard, load_leaderboard
from core.evaluation.leaderboard_tables import NOTHING_CLAIMED, group_table, whole_table
from core.evaluation.measures import MEASURES, comparability_note
from core.tasks import TASKS
from tests.fakes.leaderboard import RECIPE, claim, figures, write_network, write_networks

MEASURE = {measure.key: measure for measure in MEASURES}


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return load_leaderboard(write_networks(tmp_path))


def _group(board: Leaderboard, key: str) -> Group:
    (found,) = [group for group in board.groups if group.measure.key == key]
    return found


def _names(board: Leaderboard, key: str) -> list[str]:
    return [row.network.name for row in _group(board, key).rows]


def _edit(folder: Path, **changes: Any) -> None:
    file = folder / "card.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("emotion", ["emotion", "four_conv"]),
        ("emotion_five", ["five_emotions"]),
        ("gender", ["age_gender", "vgg16_age", "levi_hassner"]),
        ("age", ["age_gender", "vgg16_age", "levi_hassner"]),
        ("age_group", ["levi_hassner"]),
    ],
)
def test_figures_of_one_kind_are_ranked_best_first(board: Leaderboard, key: str, names: list[str]) -> None:
    assert _names(board, key) == names
    assert not board.problems


def test_every_measure_belongs_to_tasks_with_one_reporting_set() -> None:
    for measure in MEASURES:
        assert len({TASKS[task].test_split.title for task in measure.tasks}) == 1


def test_a_row_has_both_sides_and_what_the_card_says(board: Leaderboard) -> None:
    ours, other = _group(board, "emotion").rows
    assert (ours.reported.value, ours.reported.low, ours.reported.high) == pytest.approx((0.68, 0.67, 0.69))
    assert ours.reported.n == 100
    assert ours.validation.value == 0.67
    assert (ours.network.own, other.network.own) == (True, False)
    assert (ours.network.epochs, other.network.epochs) == ("12", "12 of 30")
    assert other.network.size_bytes == 2_500_000
    assert other.network.speed == NetworkSpeed(0.5, 10, 5, "Test CPU", "2026-01-31")
    assert other.network.can_be_chosen
    assert other.network.restore == ()


def test_a_network_without_its_file_says_how_to_make_it(board: Leaderboard) -> None:
    (network,) = board.to_restore
    assert (network.name, network.can_be_chosen, network.size_bytes) == ("vgg16_age", False, 78_000_000)
    assert network.restore == (
        "python -m models.train vgg16_age --data data --epochs 12",
        "python -m models export vgg16_age --data data",
    )
    assert math.isnan(network.ms_per_face)


def test_a_file_that_was_lost_is_restored_from_the_repository(tmp_path: Path) -> None:
    (write_networks(tmp_path) / "four_conv" / "model.tflite").unlink()
    assert load_leaderboard(tmp_path).networks["four_conv"].restore == ("git restore models/artifacts/four_conv",)


def test_more_rounds_than_the_recipe_has_are_only_counted(tmp_path: Path) -> None:
    folder = write_networks(tmp_path) / "four_conv"
    _edit(folder, recipe_epochs=5)
    assert load_leaderboard(tmp_path).networks["four_conv"].epochs == "12"
    _edit(folder, training={})
    assert load_leaderboard(tmp_path).networks["four_conv"].epochs == "not recorded"


def test_more_labels_than_the_others_had_are_said(tmp_path: Path) -> None:
    folder = write_networks(tmp_path) / "emotion"
    _edit(folder, training={"rounds": [{"config": {"annotators_share": 0.5}, "epochs_run": 3}]})
    table = group_table(_group(load_leaderboard(tmp_path), "emotion"))
    assert table["note"].tolist()[0] == MORE_VOTES


def test_other_images_are_a_table_of_their_own(tmp_path: Path) -> None:
    write_networks(tmp_path)
    other = {"private": figures(n=7, accuracy=0.99)}
    write_network(tmp_path, "elsewhere", "emotion", other, data={"fingerprints": {"private": "ffff"}})
    first, second = [group for group in load_leaderboard(tmp_path).groups if group.measure.key == "emotion"]
    assert [row.network.name for row in first.rows] == ["emotion", "four_conv"]
    assert ([row.network.name for row in second.rows], second.images) == (["elsewhere"], 7)
    assert first.title != second.title


def test_what_was_not_measured_on_the_reporting_side_comes_last(tmp_path: Path) -> None:
    write_networks(tmp_path)
    write_network(tmp_path, "a_half", "emotion", {"public": figures(accuracy=0.9)})
    write_network(tmp_path, "b_nothing", "emotion", {})
    board = load_leaderboard(tmp_path)
    assert _names(board, "emotion") == ["emotion", "four_conv", "a_half"]
    assert math.isnan(_group(board, "emotion").rows[-1].reported.value)
    assert "b_nothing" in board.networks


def test_an_age_that_was_not_measured_comes_last_too(tmp_path: Path) -> None:
    write_networks(tmp_path)
    write_network(tmp_path, "a_half", "age_gender", {"validation": figures(age_mae=1.0)})
    assert _names(load_leaderboard(tmp_path), "age")[-1] == "a_half"


def test_the_detector_has_no_place_here(tmp_path: Path) -> None:
    write_network(tmp_path, "other_detector", "detection", {"test": figures(recall=0.9)})
    (tmp_path / "face_detector").mkdir()
    assert load_leaderboard(tmp_path) == Leaderboard(())


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": {"private": {"accuracy": "high"}}},
        {"metrics": [1]},
        {"metrics": {"private": 3}},
        {"claims": [{"output": "emotion"}]},
        {"claims": ["66 %"]},
        {"training": {"rounds": [{}]}},
        {"training": {"rounds": 3}},
        {"training": []},
        {"files": {"model.tflite": {}}},
        {"files": None},
    ],
    ids=str,
)
def test_a_card_that_says_nothing_usable_leaves_the_others(tmp_path: Path, changes: dict[str, Any]) -> None:
    _edit(write_networks(tmp_path) / "four_conv", **changes)
    board = load_leaderboard(tmp_path)
    assert _names(board, "emotion") == ["emotion"]
    (problem,) = board.problems
    assert "four_conv" in str(problem)


def test_a_broken_card_and_a_broken_time_are_named(tmp_path: Path) -> None:
    write_networks(tmp_path)
    (tmp_path / "four_conv" / "card.json").write_text("{")
    (tmp_path / "emotion" / "speed.json").write_text("{")
    board = load_leaderboard(tmp_path)
    assert _names(board, "emotion") == ["emotion"]
    assert ["card.json" in str(one) for one in board.problems] == [False, True]
    assert board.networks["emotion"].speed is None


def test_fresh_times_replace_stored_ones(tmp_path: Path) -> None:
    fresh = NetworkSpeed(9.0, 10, 5, "Other CPU", "2026-02-01")
    board = load_leaderboard(write_networks(tmp_path), {"emotion": fresh})
    assert board.networks["emotion"].speed == fresh
    assert board.machines == ("Other CPU", "Test CPU")


@pytest.mark.parametrize(
    ("key", "made", "words"),
    [
        ("age", claim("age", "accuracy", "64 %"), "what counts as right"),
        ("age", claim("age", "mae", "MAE 3.16 on MORPH2"), "other images"),
        ("emotion", claim("emotion", "accuracy", "66 % on FER2013"), "on FER2013"),
        ("emotion", claim("emotion", "accuracy", "about 50 %"), "not said on which"),
    ],
    ids=["unit", "data", "same data", "unnamed"],
)
def test_every_claim_says_how_far_it_goes(key: str, made: dict[str, Any], words: str) -> None:
    assert words in comparability_note(MEASURE[key], made)


def test_the_table_of_a_group(board: Leaderboard) -> None:
    table = group_table(_group(board, "emotion"))
    assert table["network"].tolist() == ["emotion", "four_conv"]
    assert table["measured"].tolist() == [0.68, 0.61]
    assert table["choosing_set"].tolist() == [0.67, 0.6]
    assert table["claimed"].tolist() == ["", "61.6 % on validation; 85 %, elsewhere"]
    assert table["claimed_by"].tolist() == ["", "Somebody 2015"]
    assert table["size_mb"].tolist() == [2.5, 2.5]
    assert table["ms_per_face"].tolist() == [1.0, 0.5]
    assert table["recipe"].tolist() == ["ours", RECIPE]
    assert table["can_be_chosen"].all()


def test_claims_stand_only_beside_what_they_are_about(board: Leaderboard) -> None:
    ages = group_table(_group(board, "age")).set_index("network")
    assert ages["claimed"].to_dict() == {"age_gender": "", "vgg16_age": "64 %", "levi_hassner": NOTHING_CLAIMED}
    assert "measured here in years" in ages["note"]["vgg16_age"]
    assert ages["note"]["levi_hassner"] == FROM_GROUPS
    genders = group_table(_group(board, "gender")).set_index("network")
    assert genders["claimed"]["levi_hassner"] == "86.8 % on Adience"
    assert math.isnan(ages["ms_per_face"]["vgg16_age"])
    assert "models export vgg16_age" in ages["restore"]["vgg16_age"]


def test_the_whole_table_says_what_can_be_compared(tmp_path: Path) -> None:
    root, narrow = write_networks(tmp_path), figures(age_mae=5.0, gender_accuracy=0.97)
    splits = {"published_test": narrow, "published_validation": narrow}
    write_network(root, "age_gender_published", "age_gender_published", splits)
    board = load_leaderboard(root)
    table = whole_table(board)
    assert len(table) == sum(len(group.rows) for group in board.groups) == 12
    assert set(zip(table["what"], table["unit"], strict=True)) == {
        (measure.title, "years" if measure.key in ("age", "age_published") else "share") for measure in MEASURES
    }
    assert set(table["test_set"]) == {
        TASKS[task].test_split.title for task in ("emotion", "emotion_five", "age", "age_gender_published")
    }


def test_nothing_installed_is_an_empty_leaderboard(tmp_path: Path) -> None:
    board = load_leaderboard(tmp_path / "nowhere")
    assert board == Leaderboard(())
    assert whole_table(board).empty

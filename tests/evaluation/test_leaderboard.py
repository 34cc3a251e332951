"""What is ranked, against what, and what is said where something is missing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, PREDICTIONS_FILE
from core.evaluation.intervals import MetricValue
from core.evaluation.latency import NetworkSpeed
from core.evaluation.leaderboard import (
    FERPLUS_VOTES,
    FROM_GROUPS,
    UNMEASURED,
    Group,
    Leaderboard,
    differences_to_best,
    load_leaderboard,
)
from core.evaluation.leaderboard_tables import (
    NOTHING_REPORTED,
    format_difference,
    leaderboard_table,
    published_table,
    whole_table,
)
from core.evaluation.measures import MEASURES, PUBLISHED, comparability_note, published_results_for
from core.evaluation.predictions import Predictions, save_predictions
from core.tasks import TASKS
from tests.fakes.evaluation import emotion_predictions
from tests.fakes.leaderboard import RECIPE, figures, reported_result, write_network, write_networks, write_peer

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
def test_networks_are_ranked_best_first(board: Leaderboard, key: str, names: list[str]) -> None:
    assert _names(board, key) == names
    assert not board.problems


def test_every_measure_belongs_to_tasks_with_one_test_split() -> None:
    for measure in MEASURES:
        assert len({TASKS[task].test_split.title for task in measure.tasks}) == 1


def test_a_row_has_both_splits_and_what_the_card_says(board: Leaderboard) -> None:
    own, other = _group(board, "emotion").rows
    assert (own.test.value, own.test.low, own.test.high) == pytest.approx((0.68, 0.67, 0.69))
    assert (own.test.n, own.validation.value) == (100, 0.67)
    assert (own.network.is_own, other.network.is_own) == (True, False)
    assert (own.network.epochs, other.network.epochs) == ("12", "12 of 30")
    assert other.network.speed == NetworkSpeed(0.5, 10, 5, "Test CPU", "2026-01-31")
    assert other.network.is_installed
    assert other.network.install_commands == ()


def test_a_network_without_its_file_says_how_to_make_it(board: Leaderboard) -> None:
    (network,) = [network for network in board.networks.values() if not network.is_installed]
    assert (network.name, network.size_mb) == ("vgg16_age", 78)
    assert network.install_commands == (
        "python -m models.train vgg16_age --data data --epochs 12",
        "python -m models export vgg16_age --data data",
    )
    assert math.isnan(network.ms_per_face)


def test_a_lost_file_is_restored_from_the_repository(tmp_path: Path) -> None:
    (write_networks(tmp_path) / "four_conv" / "model.tflite").unlink()
    network = load_leaderboard(tmp_path).networks["four_conv"]
    assert network.install_commands == ("git restore models/artifacts/four_conv",)


@pytest.mark.parametrize(
    ("changes", "epochs"), [({"recipe_epochs": 5}, "12"), ({"training": {}}, "not recorded")], ids=["more", "unknown"]
)
def test_epochs_beside_the_recipe(tmp_path: Path, changes: dict[str, Any], epochs: str) -> None:
    _edit(write_networks(tmp_path) / "four_conv", **changes)
    assert load_leaderboard(tmp_path).networks["four_conv"].epochs == epochs


def test_additional_training_labels_are_noted(tmp_path: Path) -> None:
    folder = write_networks(tmp_path) / "emotion"
    _edit(folder, training={"rounds": [{"config": {"annotators_share": 0.5}, "epochs_run": 3}]})
    assert leaderboard_table(_group(load_leaderboard(tmp_path), "emotion"))["note"].tolist()[0] == FERPLUS_VOTES


def test_other_images_are_a_table_of_their_own(tmp_path: Path) -> None:
    write_networks(tmp_path)
    other = {"private": figures(n=7, accuracy=0.99)}
    write_network(tmp_path, "elsewhere", "emotion", other, data={"fingerprints": {"private": "ffff"}})
    first, second = [group for group in load_leaderboard(tmp_path).groups if group.measure.key == "emotion"]
    assert [row.network.name for row in first.rows] == ["emotion", "four_conv"]
    assert ([row.network.name for row in second.rows], second.images) == (["elsewhere"], 7)
    assert first.title != second.title


def test_networks_without_a_test_score_come_last(tmp_path: Path) -> None:
    write_networks(tmp_path)
    write_network(tmp_path, "a_half", "emotion", {"public": figures(accuracy=0.9)})
    write_network(tmp_path, "a_half_age", "age_gender", {"validation": figures(age_mae=1.0)})
    write_network(tmp_path, "b_nothing", "emotion", {})
    board = load_leaderboard(tmp_path)
    assert _names(board, "emotion") == ["emotion", "four_conv", "a_half"]
    assert math.isnan(_group(board, "emotion").rows[-1].test.value)
    assert _names(board, "age")[-1] == "a_half_age"
    assert "b_nothing" in board.networks


def test_without_networks_the_leaderboard_is_empty(tmp_path: Path) -> None:
    write_network(tmp_path, "other_detector", "detection", {"test": figures(recall=0.9)})
    for root in (tmp_path, tmp_path / "nowhere"):
        assert load_leaderboard(root) == Leaderboard(())
    assert whole_table(Leaderboard(())).empty


def test_a_broken_card_and_a_broken_time_are_named(tmp_path: Path) -> None:
    write_networks(tmp_path)
    (tmp_path / "four_conv" / "card.json").write_text("{")
    (tmp_path / "emotion" / "speed.json").write_text("{")
    board = load_leaderboard(tmp_path)
    assert _names(board, "emotion") == ["emotion"]
    assert ["card.json" in str(problem) for problem in board.problems] == [False, True]
    assert board.networks["emotion"].speed is None


@pytest.mark.parametrize(
    ("key", "made", "words"),
    [
        ("age", reported_result("age", "accuracy", "64 %"), "unknown criterion"),
        ("age", reported_result("age", "mae", "MAE 3.16 on MORPH2"), "other or unnamed images"),
        ("emotion", reported_result("emotion", "accuracy", "66 % on FER2013"), "on FER2013"),
        ("emotion", reported_result("emotion", "accuracy", "about 50 %"), "other or unnamed images"),
    ],
    ids=["unit", "data", "same data", "unnamed"],
)
def test_every_reported_result_says_how_comparable_it_is(key: str, made: dict[str, Any], words: str) -> None:
    assert words in comparability_note(MEASURE[key], made)


def test_the_table_of_a_group(board: Leaderboard) -> None:
    table = leaderboard_table(_group(board, "emotion"))
    assert table["model"].tolist() == ["emotion", "four_conv"]
    assert table["value"].tolist() == [0.68, 0.61]
    assert table["validation"].tolist() == [0.67, 0.6]
    assert table["reported"].tolist() == ["", "61.6 % on validation; 85 %, elsewhere"]
    assert table["source"].tolist() == ["", "Somebody 2015"]
    assert table["size_mb"].tolist() == [2.5, 2.5]
    assert table["ms_per_face"].tolist() == [1.0, 0.5]
    assert table["recipe"].tolist() == ["Facet", RECIPE]
    assert table["difference"].isna().all()
    assert table["installed"].all()


def test_reported_results_stand_beside_their_metric(board: Leaderboard) -> None:
    ages = leaderboard_table(_group(board, "age")).set_index("model")
    assert ages["reported"].to_dict() == {"age_gender": "", "vgg16_age": "64 %", "levi_hassner": NOTHING_REPORTED}
    assert "measured here in years" in ages["note"]["vgg16_age"]
    assert ages["note"]["levi_hassner"] == FROM_GROUPS
    genders = leaderboard_table(_group(board, "gender")).set_index("model")
    assert genders["reported"]["levi_hassner"] == "86.8 % on Adience"
    assert "models export vgg16_age" in ages["install"]["vgg16_age"]


def test_the_whole_table_says_what_is_comparable(tmp_path: Path) -> None:
    root, narrow = write_networks(tmp_path), figures(age_mae=5.0, gender_accuracy=0.97)
    splits = {"published_test": narrow, "published_validation": narrow}
    write_network(root, "age_gender_published", "age_gender_published", splits)
    board = load_leaderboard(root)
    table = whole_table(board)
    assert len(table) == sum(len(group.rows) for group in board.groups) == 12
    assert set(zip(table["metric"], table["unit"], strict=True)) == {
        (measure.title, "years" if measure.lower_is_better else "share") for measure in MEASURES
    }
    tasks = ("emotion", "emotion_five", "age", "age_gender_published")
    assert set(table["test_split"]) == {TASKS[task].test_split.title for task in tasks}


def test_packages_are_ranked_and_marked_but_never_installed(tmp_path: Path) -> None:
    write_networks(tmp_path)
    splits = {"private": figures(accuracy=0.65), "public": figures(accuracy=0.66)}
    write_peer(tmp_path, "peer_one", "one 1.0", "emotion", splits, seen="chosen by the test images")
    write_peer(tmp_path, "peer_two", "two 1.0", "emotion", {"private": figures(accuracy=0.3)})
    board = load_leaderboard(tmp_path)
    table = leaderboard_table(_group(board, "emotion"))
    assert table["model"].tolist() == ["emotion", "one 1.0 *", "four_conv", "two 1.0"]
    assert table["kind"].tolist() == ["Facet", "Package", "Baseline", "Package"]
    assert table["own"].tolist() == [True, False, False, False]
    assert table["note"].tolist()[1] == "chosen by the test images"
    assert table["size_mb"].tolist()[1] == 0.4
    assert not board.networks["peer_one"].is_installed
    assert board.networks["peer_one"].install_commands == ()


def _store(root: Path, **stored: Predictions) -> Group:
    for name, predictions in stored.items():
        save_predictions(root / name / PREDICTIONS_FILE, {"private": predictions})
    return _group(load_leaderboard(root), "emotion")


def test_differences_are_paired_by_image(tmp_path: Path) -> None:
    write_networks(tmp_path)
    correct = np.eye(7, dtype=np.float32)
    truth, ids = np.array([0, 1, 2, 3] * 25), np.array([f"image {row}" for row in range(100)])
    best = Predictions("emotion", ids, {"emotion": truth}, {"emotion": correct[[0, 1, 2, 4] * 25]})
    # Wrong on the same quarter, and on four images more; stored in another order.
    probabilities = best.probabilities["emotion"].copy()
    probabilities[[0, 1, 4, 5]] = correct[6]
    other = replace(best, probabilities={"emotion": probabilities}).take(np.arange(100)[::-1])
    difference = differences_to_best(_store(tmp_path, emotion=best, four_conv=other))["four_conv"]
    assert (difference.value, difference.low) == pytest.approx((-0.04, -0.0786), abs=1e-3)
    assert difference.high < 0
    assert difference.n == 100


def test_no_difference_without_the_same_images(tmp_path: Path) -> None:
    write_networks(tmp_path)
    assert differences_to_best(_store(tmp_path, emotion=emotion_predictions(50))) == {}
    group = _store(tmp_path, four_conv=emotion_predictions(49))
    assert differences_to_best(group) == {}
    (tmp_path / "emotion" / PREDICTIONS_FILE).write_bytes(b"no archive")
    assert differences_to_best(group) == {}


@pytest.mark.parametrize(
    ("difference", "key", "text"),
    [
        (MetricValue(-0.0266, -0.0342, -0.019, 4732), "emotion", "-2.7 points (-3.4 to -1.9)"),
        (MetricValue(1.353, 1.209, 1.497, 4732), "age", "+1.35 years (+1.21 to +1.50)"),
        (UNMEASURED, "age", ""),
    ],
    ids=["share", "years", "unknown"],
)
def test_a_difference_in_words(difference: MetricValue, key: str, text: str) -> None:
    assert format_difference(difference, MEASURE[key]) == text


def test_stored_predictions_agree_with_the_cards() -> None:
    board = load_leaderboard(ARTIFACTS_DIR)
    differences = {group.title: differences_to_best(group) for group in board.groups}
    for group in board.groups:
        best, *others = group.rows
        found = differences[group.title]
        assert {name: difference.value for name, difference in found.items()} == pytest.approx(
            {row.network.name: row.test.value - best.test.value for row in others}, abs=1e-6
        )
    table = whole_table(board, differences)
    assert table["difference"].notna().sum() == sum(len(group.rows) - 1 for group in board.groups)


@pytest.mark.parametrize("key", PUBLISHED)
def test_published_results_are_best_first(key: str) -> None:
    measure = MEASURE[key]
    low, high = (1, 15) if measure.lower_is_better else (0.5, 1)
    results = published_results_for(measure)
    assert all(low < result.value < high and result.name and result.source for result in results)
    values = [result.value for result in results]
    assert values == sorted(values, reverse=not measure.lower_is_better)
    assert published_table(measure).index.tolist() == [result.name for result in results]
    assert published_table(MEASURE["age_group"]).empty

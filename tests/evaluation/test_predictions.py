from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from core.age_groups import age_groups_of
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.predictions import (
    KINDS,
    EmotionPredictions,
    Predictions,
    load_predictions,
    save_predictions,
    subset,
)
from tests.fakes.classic import age_group_predictions, five_emotion_predictions, predictions_of
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions

SIDES: dict[str, dict[str, Predictions]] = {
    "emotion": {"public": emotion_predictions(seed=1), "private": emotion_predictions(seed=2)},
    "age and gender": {"validation": age_gender_predictions(seed=1), "test": age_gender_predictions(seed=2)},
    **{f"kind {task}": {"side": predictions_of(task)} for task in KINDS},
    "two kinds": {"a": predictions_of("gender"), "b": predictions_of("age")},
    "one sample": {"private": emotion_predictions(count=1)},
    "no samples": {"private": emotion_predictions(count=0)},
}


@pytest.mark.parametrize("splits", SIDES.values(), ids=SIDES.keys())
def test_what_was_saved_is_loaded(tmp_path: Path, splits: dict[str, Predictions]) -> None:
    save_predictions(tmp_path / "predictions.npz", splits)
    loaded = load_predictions(tmp_path / "predictions.npz")
    assert list(loaded) == list(splits)
    for split, expected in splits.items():
        assert type(loaded[split]) is type(expected)
        for field in fields(expected):
            found = getattr(loaded[split], field.name)
            np.testing.assert_array_equal(found, getattr(expected, field.name))
            assert found.dtype == getattr(expected, field.name).dtype
    assert [file.name for file in tmp_path.iterdir()] == ["predictions.npz"]


def test_the_same_predictions_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_predictions(tmp_path / name, SIDES["emotion"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("task", ["emotion", "age_gender"])
def test_files_that_do_not_name_their_kind_are_loaded(tmp_path: Path, task: str) -> None:
    file = tmp_path / "predictions.npz"
    save_predictions(file, {"side": predictions_of(task)})
    with np.load(file) as archive:
        arrays = {key: archive[key] for key in archive.files if key != "side/kind"}
    np.savez_compressed(file, allow_pickle=False, **arrays)
    assert type(load_predictions(file)["side"]) is KINDS[task]


def test_five_emotions_are_told_from_seven_with_the_same_arrays(tmp_path: Path) -> None:
    five = five_emotion_predictions()
    seven = EmotionPredictions(five.ids, five.truth, five.probabilities)
    save_predictions(tmp_path / "predictions.npz", {"five": five, "seven": seven})
    loaded = load_predictions(tmp_path / "predictions.npz")
    assert [type(one).__name__ for one in loaded.values()] == ["FiveEmotionPredictions", "EmotionPredictions"]
    with pytest.raises(ValueError, match="truth must be one of angry, happy, sad, surprise, neutral"):
        replace(five, truth=np.ones(len(five), np.int64))


def test_age_groups_of_the_truth_are_the_nearest() -> None:
    predictions = age_group_predictions()
    assert predictions.age_group_true.tolist() == age_groups_of(predictions.age_true).tolist()
    with pytest.raises(ValueError, match="age_group_probabilities"):
        replace(predictions, age_group_probabilities=predictions.gender_probabilities)


def test_a_missing_file_is_named_with_the_command_that_restores_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError, match=r"predictions\.npz is missing.*models\.evaluate emotion"):
        load_predictions(tmp_path / "emotion" / "predictions.npz")


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def _altered(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[200:400] = bytes(200)
    file.write_bytes(content)


def _without_truth(file: Path) -> None:
    with np.load(file) as archive:
        arrays = {key: archive[key] for key in archive.files if key != "private/truth"}
    np.savez_compressed(file, allow_pickle=False, **arrays)


def _with_pickle(file: Path) -> None:
    np.savez_compressed(file, allow_pickle=True, **{"private/ids": np.array([{"a": 1}], dtype=object)})


def _of_unknown_kind(file: Path) -> None:
    with np.load(file) as archive:
        arrays = {key: archive[key] for key in archive.files}
    np.savez_compressed(file, allow_pickle=False, **(arrays | {"private/kind": np.array("weather")}))


def _of_another_kind(file: Path) -> None:
    with np.load(file) as archive:
        arrays = {key: archive[key] for key in archive.files}
    np.savez_compressed(file, allow_pickle=False, **(arrays | {"private/kind": np.array("gender")}))


DAMAGES = {
    "unknown kind": _of_unknown_kind,
    "another kind": _of_another_kind,
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("<html>"),
    "truncated": _truncated,
    "altered": _altered,
    "field missing": _without_truth,
    "pickled object": _with_pickle,
    "key without side": lambda file: np.savez_compressed(file, truth=np.zeros(1)),
    "no arrays": lambda file: np.savez_compressed(file),
    "npy instead of npz": lambda file: file.open("wb").write(b"\x93NUMPY"),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_named(tmp_path: Path, damage: object) -> None:
    file = tmp_path / "predictions.npz"
    save_predictions(file, SIDES["emotion"])
    damage(file)  # type: ignore[operator]
    with pytest.raises(ArtifactCorruptError, match=r"predictions\.npz .*models\.evaluate"):
        load_predictions(file)


BAD_EMOTIONS = {
    "rows do not sum to 1": {"probabilities": np.full((120, 7), 0.5, np.float32)},
    "NaN": {"probabilities": np.full((120, 7), np.nan, np.float32)},
    "six classes": {"probabilities": np.full((120, 6), 1 / 6, np.float32)},
    "float64": {"probabilities": np.full((120, 7), 1 / 7)},
    "unknown label": {"truth": np.full(120, 7)},
    "negative label": {"truth": np.full(120, -1)},
    "labels too short": {"truth": np.zeros(119, np.int64)},
    "ids repeat": {"ids": np.full(120, "a")},
    "ids are numbers": {"ids": np.arange(120)},
}


@pytest.mark.parametrize("change", BAD_EMOTIONS.values(), ids=BAD_EMOTIONS.keys())
def test_bad_emotion_predictions_are_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(emotion_predictions(), **change)


BAD_AGES = {
    "low above years": {"age_low": np.full(150, 120, np.float32)},
    "high below years": {"age_high": np.zeros(150, np.float32)},
    "negative low": {"age_low": np.full(150, -1, np.float32)},
    "infinite high": {"age_high": np.full(150, np.inf, np.float32)},
    "unknown race": {"race": np.full(150, 5)},
    "negative age": {"age_true": np.full(150, -1)},
}


@pytest.mark.parametrize("change", BAD_AGES.values(), ids=BAD_AGES.keys())
def test_bad_age_predictions_are_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(age_gender_predictions(), **change)


@pytest.mark.parametrize("split", ["", "a/b"], ids=["empty", "slash"])
def test_a_side_needs_a_usable_name(tmp_path: Path, split: str) -> None:
    with pytest.raises(ValueError, match="side"):
        save_predictions(tmp_path / "predictions.npz", {split: emotion_predictions()})


def test_subset_keeps_the_stored_order() -> None:
    predictions = emotion_predictions()
    chosen = subset(predictions, np.array(["PrivateTest_7", "PrivateTest_3", "not there"]))
    assert chosen.ids.tolist() == ["PrivateTest_3", "PrivateTest_7"]

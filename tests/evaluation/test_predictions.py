from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.predictions import Predictions, load_predictions, save_predictions, subset
from tests.fakes_evaluation import age_gender_predictions, emotion_predictions

SIDES: dict[str, dict[str, Predictions]] = {
    "emotion": {"public": emotion_predictions(seed=1), "private": emotion_predictions(seed=2)},
    "age and gender": {"validation": age_gender_predictions(seed=1), "test": age_gender_predictions(seed=2)},
    "one sample": {"private": emotion_predictions(count=1)},
    "no samples": {"private": emotion_predictions(count=0)},
}


@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES.keys())
def test_what_was_saved_is_loaded(tmp_path: Path, sides: dict[str, Predictions]) -> None:
    save_predictions(tmp_path / "predictions.npz", sides)
    loaded = load_predictions(tmp_path / "predictions.npz")
    assert list(loaded) == list(sides)
    for side, expected in sides.items():
        for field in fields(expected):
            found = getattr(loaded[side], field.name)
            np.testing.assert_array_equal(found, getattr(expected, field.name))
            assert found.dtype == getattr(expected, field.name).dtype
    assert [file.name for file in tmp_path.iterdir()] == ["predictions.npz"]


def test_the_same_predictions_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_predictions(tmp_path / name, SIDES["emotion"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


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


DAMAGES = {
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


@pytest.mark.parametrize("side", ["", "a/b"], ids=["empty", "slash"])
def test_a_side_needs_a_usable_name(tmp_path: Path, side: str) -> None:
    with pytest.raises(ValueError, match="side"):
        save_predictions(tmp_path / "predictions.npz", {side: emotion_predictions()})


def test_subset_keeps_the_stored_order() -> None:
    predictions = emotion_predictions()
    chosen = subset(predictions, np.array(["PrivateTest_7", "PrivateTest_3", "not there"]))
    assert chosen.ids.tolist() == ["PrivateTest_3", "PrivateTest_7"]

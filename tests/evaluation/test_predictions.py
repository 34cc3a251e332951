from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from core.age_groups import nearest_age_groups
from core.errors import ArtifactCorruptError, ArtifactMissingError, ConfigError
from core.evaluation.predictions import AgeArrays, Predictions, load_predictions, save_predictions
from core.tasks import ATTRIBUTE_TASKS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, predictions_of

SPLITS: dict[str, dict[str, Predictions]] = {
    "two splits": {"public": emotion_predictions(seed=1), "private": emotion_predictions(seed=2)},
    **{task: {"split": predictions_of(task)} for task in ATTRIBUTE_TASKS},
    "two tasks": {"a": predictions_of("gender"), "b": predictions_of("age")},
    "one sample": {"private": emotion_predictions(count=1)},
    "no samples": {"private": emotion_predictions(count=0)},
}


def _arrays(predictions: Predictions) -> dict[str, np.ndarray]:
    age = {} if predictions.age is None else {field.name: getattr(predictions.age, field.name) for field in AGE_FIELDS}
    return {"ids": predictions.ids, **predictions.truth, **age} | {
        f"p {name}": values for name, values in predictions.probabilities.items()
    }


AGE_FIELDS = fields(AgeArrays)


@pytest.mark.parametrize("splits", SPLITS.values(), ids=SPLITS.keys())
def test_what_was_saved_is_loaded(tmp_path: Path, splits: dict[str, Predictions]) -> None:
    save_predictions(tmp_path / "predictions.npz", splits)
    loaded = load_predictions(tmp_path / "predictions.npz")
    assert list(loaded) == list(splits)
    for split, expected in splits.items():
        assert loaded[split].task == expected.task
        found, wanted = _arrays(loaded[split]), _arrays(expected)
        assert set(found) == set(wanted)
        for name, values in wanted.items():
            np.testing.assert_array_equal(found[name], values)
            assert found[name].dtype == values.dtype
    assert [file.name for file in tmp_path.iterdir()] == ["predictions.npz"]


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("emotion", "truth probabilities"),
        (
            "age_group_gender",
            "age_true gender_true race gender_probabilities age_group_probabilities age_years age_low age_high",
        ),
    ],
)
def test_files_have_the_names_of_old(tmp_path: Path, task: str, names: str) -> None:
    save_predictions(tmp_path / "predictions.npz", {"test": predictions_of(task)})
    with np.load(tmp_path / "predictions.npz") as archive:
        assert set(archive.files) == {f"test/{name}" for name in ("kind", "ids", *names.split())}


def test_the_same_predictions_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_predictions(tmp_path / name, SPLITS["two splits"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("task", ["emotion", "age_gender"])
def test_files_that_do_not_name_their_kind_are_loaded(tmp_path: Path, task: str) -> None:
    file = tmp_path / "predictions.npz"
    save_predictions(file, {"private": predictions_of(task)})
    _rewrite(file, without="kind")
    assert load_predictions(file)["private"].task == task


def test_only_emotions_of_the_task_are_predicted() -> None:
    five = predictions_of("emotion_five")
    probabilities = np.full((len(five), 7), 0.1, np.float32)
    probabilities[:, [1, 5]] = 0.3, 0.2
    assert set(replace(five, probabilities={"emotion": probabilities}).predicted("emotion").tolist()) == {5}
    with pytest.raises(ValueError, match="must be one of angry, happy, sad, surprise, neutral"):
        replace(five, truth={"emotion": np.ones(len(five), np.int64)})


def test_age_groups_of_the_truth_are_the_nearest() -> None:
    predictions = predictions_of("age_group_gender")
    assert predictions.truth["age_group"].tolist() == nearest_age_groups(predictions.truth["age"]).tolist()


def test_age_errors_are_predicted_minus_true_years() -> None:
    predictions = age_gender_predictions()
    assert predictions.age_errors == pytest.approx(predictions.ages.years - predictions.truth["age"].astype(float))
    with pytest.raises(ConfigError, match="emotion have no ages"):
        _ = emotion_predictions().ages


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError, match=r"predictions\.npz is missing.*models\.evaluate emotion"):
        load_predictions(tmp_path / "emotion" / "predictions.npz")


def _rewrite(file: Path, without: str = "", **changes: np.ndarray) -> None:
    """Store the archive again ``without`` an array and with ``changes``, by their names in the split "private"."""
    with np.load(file) as archive:
        arrays = {key: archive[key] for key in archive.files if key != f"private/{without}"}
    changed = {f"private/{name}": values for name, values in changes.items()}
    np.savez_compressed(file, allow_pickle=False, **(arrays | changed))


CORRUPTIONS: dict[str, Callable[[Path], object]] = {
    "unknown kind": lambda file: _rewrite(file, kind=np.array("weather")),
    "another kind": lambda file: _rewrite(file, kind=np.array("gender")),
    "field missing": lambda file: _rewrite(file, without="truth"),
    "not an archive": lambda file: file.write_text("<html>"),
    "key without split": lambda file: np.savez_compressed(file, truth=np.zeros(1)),
    "no arrays": lambda file: np.savez_compressed(file),
}


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_a_corrupt_file_is_named(tmp_path: Path, corrupt: Callable[[Path], object]) -> None:
    file = tmp_path / "predictions.npz"
    save_predictions(file, SPLITS["two splits"])
    corrupt(file)
    with pytest.raises(ArtifactCorruptError, match=r"predictions\.npz .*models\.evaluate"):
        load_predictions(file)


def _of_emotion(**changes: np.ndarray) -> Predictions:
    good = emotion_predictions()
    arrays = {"ids": good.ids, "truth": good.truth["emotion"], "probabilities": good.probabilities["emotion"]} | changes
    return Predictions("emotion", arrays["ids"], {"emotion": arrays["truth"]}, {"emotion": arrays["probabilities"]})


def _of_people(**changes: np.ndarray) -> Predictions:
    good = age_gender_predictions()
    truth = {name: changes.get(name, values) for name, values in good.truth.items()}
    ages = AgeArrays(*(changes.get(field.name, getattr(good.ages, field.name)) for field in AGE_FIELDS))
    return replace(good, truth=truth, age=ages)


BAD = {
    "rows do not sum to 1": lambda: _of_emotion(probabilities=np.full((120, 7), 0.5, np.float32)),
    "NaN": lambda: _of_emotion(probabilities=np.full((120, 7), np.nan, np.float32)),
    "six classes": lambda: _of_emotion(probabilities=np.full((120, 6), 1 / 6, np.float32)),
    "float64": lambda: _of_emotion(probabilities=np.full((120, 7), 1 / 7)),
    "unknown label": lambda: _of_emotion(truth=np.full(120, 7)),
    "negative label": lambda: _of_emotion(truth=np.full(120, -1)),
    "labels too short": lambda: _of_emotion(truth=np.zeros(119, np.int64)),
    "ids repeat": lambda: _of_emotion(ids=np.full(120, "a")),
    "ids are numbers": lambda: _of_emotion(ids=np.arange(120)),
    "low above years": lambda: _of_people(low=np.full(150, 120, np.float32)),
    "high below years": lambda: _of_people(high=np.zeros(150, np.float32)),
    "negative low": lambda: _of_people(low=np.full(150, -1, np.float32)),
    "infinite high": lambda: _of_people(high=np.full(150, np.inf, np.float32)),
    "unknown race": lambda: _of_people(race=np.full(150, 5)),
    "negative age": lambda: _of_people(age=np.full(150, -1)),
    "unknown task": lambda: replace(emotion_predictions(), task="weather"),
    "outputs of another task": lambda: replace(age_gender_predictions(), task="age"),
    "no ages": lambda: replace(age_gender_predictions(), age=None),
    "ages of others": lambda: replace(predictions_of("gender"), age=age_gender_predictions(count=3).ages),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_bad_predictions_are_refused(make: Callable[[], Predictions]) -> None:
    with pytest.raises(ValueError, match="must"):
        make()


@pytest.mark.parametrize("split", ["", "a/b"], ids=["empty", "slash"])
def test_a_split_needs_a_name(tmp_path: Path, split: str) -> None:
    with pytest.raises(ValueError, match="split"):
        save_predictions(tmp_path / "predictions.npz", {split: emotion_predictions()})


def test_take_keeps_what_belongs_together() -> None:
    predictions = age_gender_predictions()
    chosen = predictions.take(np.array([7, 3]))
    assert chosen.ids.tolist() == predictions.ids[[7, 3]].tolist()
    assert chosen.truth["age"].tolist() == predictions.truth["age"][[7, 3]].tolist()
    assert chosen.ages.high.tolist() == predictions.ages.high[[7, 3]].tolist()
    assert chosen.probabilities["gender"].tolist() == predictions.probabilities["gender"][[7, 3]].tolist()

from __future__ import annotations

from pathlib import Path

import pytest

from core.artifacts.model_card import PREDICTIONS_FILE, InstalledArtifact, list_artifacts
from core.errors import ArtifactCorruptError, ArtifactError, ArtifactMissingError
from core.evaluation.stored import load_history, load_stored
from core.tasks import ATTRIBUTE_TASKS, TASKS
from tests.fakes.evaluation import (
    age_gender_predictions,
    emotion_predictions,
    write_artifact,
    write_artifacts,
    write_baseline,
)
from tests.fakes.robustness import list_on_card


def _artifact(root: Path, name: str) -> InstalledArtifact:
    return {artifact.name: artifact for artifact in list_artifacts(root)}[name]


@pytest.mark.parametrize("task", ATTRIBUTE_TASKS)
def test_both_splits_of_every_task_are_found(tmp_path: Path, task: str) -> None:
    write_baseline(tmp_path, "network", task)
    for split in TASKS[task].splits:
        stored = load_stored(_artifact(tmp_path, "network"), split.name)
        assert stored.name == "network"
        assert stored.predictions.task == task
        assert len(stored.predictions) > 0


def test_predictions_need_the_hash_on_the_card(tmp_path: Path) -> None:
    folder = write_artifact(tmp_path, "emotion", "emotion", {"private": emotion_predictions()})
    list_on_card(folder, PREDICTIONS_FILE)
    assert len(load_stored(_artifact(tmp_path, "emotion"), "private").predictions) == 120
    (folder / PREDICTIONS_FILE).write_bytes(b"something else")
    with pytest.raises(ArtifactCorruptError, match=r"predictions\.npz"):
        load_stored(_artifact(tmp_path, "emotion"), "private")


def test_a_split_that_is_not_stored_is_named(tmp_path: Path) -> None:
    write_artifact(tmp_path, "emotion", "emotion", {"public": emotion_predictions()})
    with pytest.raises(ArtifactMissingError, match="'private', only on public"):
        load_stored(_artifact(tmp_path, "emotion"), "private")


@pytest.mark.parametrize(
    "predictions",
    [age_gender_predictions(), emotion_predictions(count=0), emotion_predictions(task="emotion_five")],
    ids=["of another task", "none", "of five emotions only"],
)
def test_other_predictions_are_refused(tmp_path: Path, predictions: object) -> None:
    write_artifact(tmp_path, "emotion", "emotion", {"private": predictions})  # type: ignore[dict-item]
    with pytest.raises(ArtifactCorruptError, match="no usable emotion predictions"):
        load_stored(_artifact(tmp_path, "emotion"), "private")


def test_a_broken_card_is_the_error(tmp_path: Path) -> None:
    (write_artifact(tmp_path, "emotion", "emotion", {"private": emotion_predictions()}) / "card.json").unlink()
    with pytest.raises(ArtifactError, match=r"card\.json is missing"):
        load_stored(_artifact(tmp_path, "emotion"), "private")


def test_history_is_numbers_by_epoch(tmp_path: Path) -> None:
    history = load_history(write_artifacts(tmp_path) / "emotion")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert "val_accuracy" in history.columns


@pytest.mark.parametrize(
    "content",
    ["", "loss\n1\n", "epoch,loss\n1,low\n", "epoch\n1\n1,2,3\n"],
    ids=["empty", "no epoch", "text", "ragged"],
)
def test_a_bad_history_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(ArtifactMissingError, match=r"history\.csv is missing"):
        load_history(tmp_path)
    (tmp_path / "history.csv").write_text(content)
    with pytest.raises(ArtifactCorruptError, match=r"history\.csv"):
        load_history(tmp_path)

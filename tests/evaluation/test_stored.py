from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from core.artifacts.model_card import InstalledArtifact, list_artifacts
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


def _with_hash(root: Path, content_of_hash: bytes) -> None:
    write_artifact(root, "emotion", "emotion", {"private": emotion_predictions()})
    file = root / "emotion" / "predictions.npz"
    card = json.loads((root / "emotion" / "card.json").read_text())
    card["files"]["predictions.npz"] = {
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(content_of_hash or file.read_bytes()).hexdigest(),
    }
    (root / "emotion" / "card.json").write_text(json.dumps(card))


def test_predictions_with_the_hash_on_the_card_are_used(tmp_path: Path) -> None:
    _with_hash(tmp_path, b"")
    assert len(load_stored(_artifact(tmp_path, "emotion"), "private").predictions) == 120


def test_predictions_with_another_hash_are_refused(tmp_path: Path) -> None:
    _with_hash(tmp_path, b"something else")
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
def test_unusable_predictions_are_refused(tmp_path: Path, predictions: object) -> None:
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


BAD_HISTORIES = {
    "empty": "",
    "no epoch": "loss\n1\n",
    "text": "epoch,loss\n1,low\n",
    "ragged": "epoch\n1\n1,2,3\n",
}


@pytest.mark.parametrize("content", BAD_HISTORIES.values(), ids=BAD_HISTORIES.keys())
def test_a_bad_history_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "history.csv").write_text(content)
    with pytest.raises(ArtifactCorruptError, match=r"history\.csv"):
        load_history(tmp_path)


def test_a_missing_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError, match=r"history\.csv is missing"):
        load_history(tmp_path)

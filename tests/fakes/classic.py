"""Made-up answers and artifact folders of the kinds that only rebuilt networks have."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from core.age_groups import AGE_GROUPS, age_groups_of
from core.datasets.label_subsets import FIVE_EMOTIONS
from core.evaluation.predictions import (
    KINDS,
    AgeGenderPredictions,
    AgeGroupGenderPredictions,
    FiveEmotionPredictions,
    Predictions,
)
from core.tasks import DATASET_OF, DATASET_SPLITS
from core.types import EMOTIONS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, write_artifact

CLAIM = {"output": "gender", "measure": "accuracy", "text": "94 %", "low": 0.94, "high": 0.94, "source": "a report"}
LARGE = {"model.tflite": {"bytes": 57_000_000, "sha256": "a" * 64}}


def predictions_of(task: str, count: int = 150, seed: int = 0) -> Predictions:
    """Of any kind; the people and their answers are those of ``age_gender_predictions``."""
    if task == "emotion":
        return emotion_predictions(count, seed)
    if task == "emotion_five":
        return five_emotion_predictions(count, seed)
    everything = age_group_predictions(count, seed)
    kind = KINDS[task]
    return kind(**{field.name: getattr(everything, field.name) for field in fields(kind)})


def five_emotion_predictions(count: int = 120, seed: int = 0) -> FiveEmotionPredictions:
    """Answers that are right about two times in three."""
    rng = np.random.default_rng(seed)
    known = np.array([EMOTIONS.index(emotion) for emotion in FIVE_EMOTIONS])
    truth = rng.choice(known, count)
    probabilities = np.zeros((count, len(EMOTIONS)))
    probabilities[:, known] = rng.dirichlet(np.full(len(known), 0.6), count)
    probabilities[np.arange(count), truth] += 0.5
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    ids = np.array([f"PrivateTest_{row}" for row in range(count)], dtype=np.str_)
    return FiveEmotionPredictions(ids, truth, probabilities.astype(np.float32))


def age_group_predictions(count: int = 150, seed: int = 0) -> AgeGroupGenderPredictions:
    """Groups that are right about half of the time."""
    people = age_gender_predictions(count, seed)
    rng = np.random.default_rng(seed)
    groups = rng.dirichlet(np.full(len(AGE_GROUPS), 0.5), count)
    groups[np.arange(count), age_groups_of(people.age_true)] += 0.4
    groups /= groups.sum(axis=1, keepdims=True)
    arrays = {field.name: getattr(people, field.name) for field in fields(AgeGenderPredictions)}
    return AgeGroupGenderPredictions(**arrays, age_group_probabilities=groups.astype(np.float32))


def write_classic(root: Path, name: str, task: str, **card_changes: Any) -> Path:
    """An artifact of a rebuilt network with both sides of its data set, too large to be included."""
    splits = DATASET_SPLITS[DATASET_OF[task]]
    answers: dict[str, Predictions] = {
        splits.choosing: predictions_of(task, seed=1),
        splits.reporting: predictions_of(task, seed=2),
    }
    facts: dict[str, Any] = {
        "recipe": "the authors'",
        "recipe_epochs": 50,
        "claims": [CLAIM],
        "not_included": LARGE,
        "training": {"start": "random weights", "rounds": [{"epochs_run": 12}]},
        "trainable_parameters": 600_000,
        "frozen_parameters": 80_000,
        "input": {"size": 48, "channels": 1 if task.startswith("emotion") else 3},
    }
    return write_artifact(root, name, task, answers, **(facts | card_changes))


def write_every_kind(root: Path) -> None:
    """A rebuilt network of each task."""
    for task in KINDS:
        write_classic(root, f"classic_{task}", task)

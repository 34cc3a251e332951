"""Training tasks by name: data set, targets, losses, and the metric that picks the checkpoint."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.age_groups import AGE_GROUPS, nearest_age_groups
from core.datasets.ferplus import read_votes
from core.datasets.label_subsets import load_five_emotions
from core.datasets.published_split import load_utkface_published
from core.datasets.samples import Samples, resize_images
from core.datasets.splits import SplitDataset, load_fer2013, load_utkface
from core.tasks import TASKS as CORE_TASKS
from core.types import EMOTIONS, GENDERS
from models.cli import report_splits
from models.training.config import TrainConfig
from models.training.losses import LABEL_SIGMA, age_class_loss, age_distribution_loss, mae
from models.training.pipeline import TrainingBatches
from models.training.sampling import compute_class_weights
from models.training.soft_labels import soften_labels
from models.training.teacher import (
    count_sources,
    join_unlabelled,
    mix_with_teacher,
    read_answers,
    unlabelled_weights,
)

Arrays = Mapping[str, NDArray[np.float32]]
Targets = dict[str, NDArray[np.float32]]
LOADERS: dict[str, Callable[[Path, int], SplitDataset]] = {
    "fer2013": lambda data_dir, image_size: load_fer2013(data_dir),
    "fer2013_five": lambda data_dir, image_size: load_five_emotions(data_dir),
    "utkface": load_utkface,
    "utkface_published": load_utkface_published,
}
"""Data set -> reader of all its splits from (folder, image side in pixels). FER2013's images have one size."""
_SOFT_EMOTION = "emotion_probabilities"
_UNLABELLED = "unlabelled"
"""Faces that have only a teacher's answers, as one more split."""


def load_data(task: str, data_dir: Path, image_size: int) -> SplitDataset:
    """Read the data set of ``task``, a key of ``core.tasks.ATTRIBUTE_TASKS``; say on stderr what it lacks."""
    data = LOADERS[CORE_TASKS[task].dataset](data_dir, image_size)
    report_splits(data, task)
    return data


@dataclass(frozen=True)
class Objective:
    """Losses and metrics by output; ``monitor`` is a Keras log name, ``mode`` its better end (max or min).

    ``losses`` takes the label smoothing. ``age_sigma``: standard deviation in years of the target distributions of
    ages, 0 for none.
    """

    losses: Callable[[float], dict[str, object]]
    metrics: Callable[[], dict[str, object]]
    monitor: str
    mode: str
    age_sigma: float = 0.0


@dataclass(frozen=True)
class TrainingTask:
    """How a task is learnt. ``core_task``: the key of ``core.tasks.TASKS`` that the card of such a network names;
    several ways of learning may share one."""

    objective: Objective
    core_task: str
    targets: Callable[[Samples], Targets]

    @property
    def validation_split(self) -> str:
        """The split that picks the epoch."""
        return CORE_TASKS[self.core_task].validation_split.name

    def load(self, data_dir: Path, config: TrainConfig) -> SplitDataset:
        data = load_data(self.core_task, data_dir, config.source_size)
        data.require("train", self.validation_split)
        if config.annotators_share:
            data = _replace_train(data, _with_soft_emotions(data.splits["train"], data_dir, config.annotators_share))
        return _with_teacher(data, data_dir, config) if config.teacher_share else data

    def batches(self, config: TrainConfig, data: SplitDataset, first_epoch: int) -> keras.utils.PyDataset:
        train, weights = data.splits["train"], _weights(data.splits["train"], config)
        if config.unlabelled_share:
            train, weights = _join_unlabelled(train, weights, data.splits[_UNLABELLED], config)
        return TrainingBatches(
            train,
            self.targets,
            config.image_size,
            config.batch_size,
            config.augmentation,
            config.seed,
            first_epoch,
            config.closing_augmentation,
            config.epochs - config.closing_epochs,
            weights=weights,
            mixup=config.mixup,
        )

    def validation(self, config: TrainConfig, data: SplitDataset) -> tuple[NDArray[np.float32], Arrays]:
        samples = data.splits[self.validation_split]
        return resize_images(samples.images, config.image_size).astype(np.float32), self.targets(samples)


def _weights(train: Samples, config: TrainConfig) -> NDArray[Any] | None:
    return compute_class_weights(train.labels["emotion"], config.class_balance) if config.class_balance else None


def _with_soft_emotions(train: Samples, data_dir: Path, share: float) -> Samples:
    votes = read_votes(data_dir, train.ids, train.labels["emotion"])
    if without := int((votes.sum(axis=1) == 0).sum()):
        print(f"warning: {without:,} training images have no FER+ votes and keep their labels", file=sys.stderr)
    targets = soften_labels(train.labels["emotion"], votes, len(EMOTIONS), share)
    return replace(train, labels={**train.labels, _SOFT_EMOTION: targets})


def _replace_train(data: SplitDataset, train: Samples) -> SplitDataset:
    return replace(data, splits={**data.splits, "train": train})


def _with_teacher(data: SplitDataset, data_dir: Path, config: TrainConfig) -> SplitDataset:
    train = data.splits["train"]
    labelled, unlabelled = read_answers(data_dir)
    targets = mix_with_teacher(train.ids, _emotion_targets(train)["emotion"], labelled, config.teacher_share)
    data = _replace_train(data, replace(train, labels={**train.labels, _SOFT_EMOTION: targets}))
    if not config.unlabelled_share:
        return data
    answers = {"emotion": unlabelled.probabilities.argmax(axis=1), _SOFT_EMOTION: unlabelled.probabilities}
    return replace(data, splits={**data.splits, _UNLABELLED: Samples(unlabelled.ids, unlabelled.images, answers)})


def describe_unlabelled(data: SplitDataset) -> dict[str, Any]:
    """Return for a run's record how many faces without labels each data set gave; empty if there are none."""
    return {_UNLABELLED: count_sources(data.splits[_UNLABELLED].ids)} if _UNLABELLED in data.splits else {}


def _join_unlabelled(
    train: Samples, weights: NDArray[Any] | None, unlabelled: Samples, config: TrainConfig
) -> tuple[Samples, NDArray[Any]]:
    own = np.ones(len(train)) if weights is None else weights
    total = own.sum() * config.unlabelled_share / (1 - config.unlabelled_share)
    added = unlabelled_weights(unlabelled.labels[_SOFT_EMOTION], total)
    return join_unlabelled(train, unlabelled), np.concatenate([own, added])


def _one_hot(labels: NDArray, classes: int) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[labels]


def _emotion_targets(samples: Samples) -> Targets:
    if _SOFT_EMOTION in samples.labels:
        return {"emotion": samples.labels[_SOFT_EMOTION]}
    return {"emotion": _one_hot(samples.labels["emotion"], len(EMOTIONS))}


def _age_targets(samples: Samples) -> Targets:
    return {"age": samples.labels["age"].astype(np.float32)[:, None]}


def _gender_targets(samples: Samples) -> Targets:
    return {"gender": _one_hot(samples.labels["gender"], len(GENDERS))}


def _age_gender_targets(samples: Samples) -> Targets:
    return _age_targets(samples) | _gender_targets(samples)


def _age_group_gender_targets(samples: Samples) -> Targets:
    return {"age_group": _one_hot(nearest_age_groups(samples.labels["age"]), len(AGE_GROUPS))} | _gender_targets(
        samples
    )


def _cross_entropy(smoothing: float) -> keras.losses.Loss:
    return keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)


_EMOTION = TrainingTask(
    Objective(
        losses=lambda smoothing: {"emotion": _cross_entropy(smoothing)},
        metrics=lambda: {"emotion": ["accuracy"]},
        monitor="val_accuracy",
        mode="max",
    ),
    core_task="emotion",
    targets=_emotion_targets,
)
_AGE_GENDER = TrainingTask(
    Objective(
        losses=lambda smoothing: {"age": age_distribution_loss, "gender": _cross_entropy(smoothing)},
        metrics=lambda: {"age": [mae], "gender": ["accuracy"]},
        # The sum of both losses: the epoch with the lowest age error may have a poor gender accuracy.
        monitor="val_loss",
        mode="min",
        age_sigma=LABEL_SIGMA,
    ),
    core_task="age_gender",
    targets=_age_gender_targets,
)
_GENDER = TrainingTask(
    Objective(
        losses=lambda smoothing: {"gender": _cross_entropy(smoothing)},
        metrics=lambda: {"gender": ["accuracy"]},
        monitor="val_accuracy",
        mode="max",
    ),
    core_task="gender",
    targets=_gender_targets,
)

TASKS: Mapping[str, TrainingTask] = MappingProxyType(
    {
        "emotion": _EMOTION,
        "emotion_five": replace(_EMOTION, core_task="emotion_five"),
        "age_gender": _AGE_GENDER,
        "age_gender_published": replace(_AGE_GENDER, core_task="age_gender_published"),
        "age_gender_classes": replace(
            _AGE_GENDER,
            objective=Objective(
                losses=lambda smoothing: {"age": age_class_loss, "gender": _cross_entropy(smoothing)},
                metrics=lambda: {"age": [mae], "gender": ["accuracy"]},
                # The cross-entropy over 101 years rises long before the mean of the years gets worse.
                monitor="val_age_mae",
                mode="min",
            ),
        ),
        "gender": _GENDER,
        "gender_regression": replace(
            _GENDER,
            objective=replace(_GENDER.objective, losses=lambda smoothing: {"gender": keras.losses.MeanAbsoluteError()}),
        ),
        "age": TrainingTask(
            Objective(
                losses=lambda smoothing: {"age": keras.losses.MeanAbsoluteError()},
                metrics=lambda: {"age": ["mae"]},
                monitor="val_mae",
                mode="min",
            ),
            core_task="age",
            targets=_age_targets,
        ),
        "age_group_gender": TrainingTask(
            Objective(
                losses=lambda smoothing: {"age_group": _cross_entropy(smoothing), "gender": _cross_entropy(smoothing)},
                metrics=lambda: {"age_group": ["accuracy"], "gender": ["accuracy"]},
                monitor="val_age_group_accuracy",
                mode="max",
            ),
            core_task="age_group_gender",
            targets=_age_group_gender_targets,
        ),
    }
)
"""The ``task`` of a ``TrainConfig`` -> how it is learnt."""

"""What a network learns: data set, targets, losses, and the validation figure that picks the checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset, load_fer2013, load_utkface
from core.types import EMOTIONS, GENDERS
from models.losses import age_distribution_loss, mae


@dataclass(frozen=True)
class Task:
    """``load(data_dir, source_size)`` gives the sides; ``monitor`` is a Keras log name, ``mode`` its better end."""

    load: Callable[[Path, int], SplitDataset]
    choose_on: str
    targets: Callable[[Samples], dict[str, NDArray[np.float32]]]
    losses: Callable[[float], dict[str, object]]
    metrics: Callable[[], dict[str, object]]
    monitor: str
    mode: str


def _one_hot(labels: NDArray, classes: int) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[labels]


def _emotion_targets(samples: Samples) -> dict[str, NDArray[np.float32]]:
    return {"emotion": _one_hot(samples.labels["emotion"], len(EMOTIONS))}


def _age_gender_targets(samples: Samples) -> dict[str, NDArray[np.float32]]:
    return {
        "age": samples.labels["age"].astype(np.float32)[:, None],
        "gender": _one_hot(samples.labels["gender"], len(GENDERS)),
    }


TASKS: dict[str, Task] = {
    "emotion": Task(
        load=lambda data_dir, source_size: load_fer2013(data_dir),
        choose_on="public",
        targets=_emotion_targets,
        losses=lambda smoothing: {"emotion": keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)},
        metrics=lambda: {"emotion": ["accuracy"]},
        monitor="val_accuracy",
        mode="max",
    ),
    "age_gender": Task(
        load=load_utkface,
        choose_on="validation",
        targets=_age_gender_targets,
        losses=lambda smoothing: {
            "age": age_distribution_loss,
            "gender": keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
        },
        metrics=lambda: {"age": [mae], "gender": ["accuracy"]},
        # The sum of both losses: the epoch with the lowest age error alone may be a poor one for gender.
        monitor="val_loss",
        mode="min",
    ),
}

"""What a network learns about cropped faces: data set, targets, losses, and the figure that picks the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import keras
import numpy as np
from numpy.typing import NDArray

from core.datasets.ferplus import read_votes
from core.datasets.samples import Samples, resized
from core.datasets.splits import SplitDataset
from core.tasks import DATASET_OF, DATASET_SPLITS
from core.types import EMOTIONS, GENDERS
from models.training.age_weights import sample_weights
from models.training.config import TrainConfig
from models.training.data_sets import LOADERS
from models.training.losses import LABEL_SIGMA, age_distribution_loss, mae
from models.training.pipeline import TrainingBatches
from models.training.sampling import class_weights
from models.training.soft_labels import softened

Arrays = Mapping[str, NDArray[np.float32]]
_SOFT_EMOTION = "emotion_probabilities"


class TrainingData(Protocol):
    """What a task reads: its sides, and facts for the run's record."""

    @property
    def splits(self) -> Mapping[str, Any]: ...

    def facts(self) -> dict[str, Any]: ...

    def shortened(self, count: int) -> Self:
        """At most ``count`` images of each side, always the same ones."""
        ...


@dataclass(frozen=True)
class Objective:
    """Losses and metrics by output; ``monitor`` is a Keras log name, ``mode`` its better end (max or min)."""

    losses: Callable[[float], dict[str, object]]
    metrics: Callable[[], dict[str, object]]
    monitor: str
    mode: str
    age_sigma: float = 0.0
    """Of the Gaussians in years that ages are learnt as, if they are."""


class Task(Protocol):
    """Everything that training needs to know about what is learnt. ``choose_on`` is the side that picks the epoch."""

    @property
    def objective(self) -> Objective: ...

    @property
    def choose_on(self) -> str: ...

    def load(self, data_dir: Path, config: TrainConfig) -> TrainingData: ...

    def batches(self, config: TrainConfig, data: Any, first_epoch: int) -> keras.utils.PyDataset: ...

    def validation(self, config: TrainConfig, data: Any) -> tuple[NDArray[np.float32], Arrays]: ...


@dataclass(frozen=True)
class CropTask:
    """Attributes of cropped faces. ``card_task`` is what the card of such a network says, see
    ``core.artifacts.model_card.ATTRIBUTES``: several ways of learning end in the same answers; ``dataset`` as in
    ``core.tasks``."""

    objective: Objective
    card_task: str
    dataset: str
    targets: Callable[[Samples], dict[str, NDArray[np.float32]]]

    @property
    def choose_on(self) -> str:
        return DATASET_SPLITS[self.dataset].choosing

    def read(self, data_dir: Path, source_size: int) -> SplitDataset:
        return LOADERS[self.dataset](data_dir, source_size)

    def load(self, data_dir: Path, config: TrainConfig) -> SplitDataset:
        data = self.read(data_dir, config.source_size)
        if not config.annotators_share:
            return data
        train = _with_soft_emotions(data.splits["train"], data_dir, config.annotators_share)
        return replace(data, splits={**data.splits, "train": train})

    def batches(self, config: TrainConfig, data: SplitDataset, first_epoch: int) -> keras.utils.PyDataset:
        return TrainingBatches(
            data.splits["train"],
            self.targets,
            config.image_size,
            config.batch_size,
            config.augmentation,
            config.seed,
            first_epoch,
            config.closing_augmentation,
            config.epochs - config.closing_epochs,
            weights=_weights(data.splits["train"], config),
            mixup=config.mixup,
        )

    def validation(self, config: TrainConfig, data: SplitDataset) -> tuple[NDArray[np.float32], Arrays]:
        chosen_on = data.splits[self.choose_on]
        return resized(chosen_on.images, config.image_size).astype(np.float32), self.targets(chosen_on)


def _weights(train: Samples, config: TrainConfig) -> NDArray[Any] | None:
    if config.age_weighting is not None:
        return sample_weights(train.labels["age"], config.age_weighting)
    return class_weights(train.labels["emotion"], config.class_balance) if config.class_balance else None


def _one_hot(labels: NDArray, classes: int) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[labels]


def _with_soft_emotions(train: Samples, data_dir: Path, share: float) -> Samples:
    votes = read_votes(data_dir, train.ids, train.labels["emotion"])
    targets = softened(train.labels["emotion"], votes, len(EMOTIONS), share)
    return replace(train, labels={**train.labels, _SOFT_EMOTION: targets})


def _emotion_targets(samples: Samples) -> dict[str, NDArray[np.float32]]:
    if _SOFT_EMOTION in samples.labels:
        return {"emotion": samples.labels[_SOFT_EMOTION]}
    return {"emotion": _one_hot(samples.labels["emotion"], len(EMOTIONS))}


def _age_gender_targets(samples: Samples) -> dict[str, NDArray[np.float32]]:
    return {
        "age": samples.labels["age"].astype(np.float32)[:, None],
        "gender": _one_hot(samples.labels["gender"], len(GENDERS)),
    }


_AGE_GENDER = CropTask(
    Objective(
        losses=lambda smoothing: {
            "age": age_distribution_loss,
            "gender": keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
        },
        metrics=lambda: {"age": [mae], "gender": ["accuracy"]},
        # The sum of both losses: the epoch with the lowest age error alone may be a poor one for gender.
        monitor="val_loss",
        mode="min",
        age_sigma=LABEL_SIGMA,
    ),
    card_task="age_gender",
    dataset=DATASET_OF["age_gender"],
    targets=_age_gender_targets,
)

OWN_CROP_TASKS: dict[str, CropTask] = {
    "emotion": CropTask(
        Objective(
            losses=lambda smoothing: {"emotion": keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)},
            metrics=lambda: {"emotion": ["accuracy"]},
            monitor="val_accuracy",
            mode="max",
        ),
        card_task="emotion",
        dataset=DATASET_OF["emotion"],
        targets=_emotion_targets,
    ),
    "age_gender": _AGE_GENDER,
    "age_gender_published": replace(
        _AGE_GENDER, card_task="age_gender_published", dataset=DATASET_OF["age_gender_published"]
    ),
}

"""What the rebuilt networks learn beyond ``models.training.tasks``: gender alone, age alone, age groups, five emotions."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.age_groups import AGE_GROUPS, age_groups_of
from core.datasets.samples import Samples
from core.tasks import DATASET_OF
from core.types import MAX_AGE
from models.training.crop_tasks import OWN_CROP_TASKS, CropTask, Objective
from models.training.losses import mae

Targets = dict[str, NDArray[np.float32]]


@keras.saving.register_keras_serializable("facet")
def age_class_loss(age_years: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Cross-entropy to the true year as a class: DEX (Rothe et al. 2015). (B, 1) years and (B, 101) -> (B,)."""
    years = ops.minimum(ops.reshape(ops.cast(age_years, "float32"), (-1,)), float(MAX_AGE))
    return keras.losses.sparse_categorical_crossentropy(ops.cast(years, "int32"), probabilities)


def _cross_entropy(smoothing: float) -> keras.losses.Loss:
    return keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)


def _gender_targets(samples: Samples) -> Targets:
    return {"gender": OWN_CROP_TASKS["age_gender"].targets(samples)["gender"]}


def _age_targets(samples: Samples) -> Targets:
    return {"age": OWN_CROP_TASKS["age_gender"].targets(samples)["age"]}


def _age_group_targets(samples: Samples) -> Targets:
    groups = np.eye(len(AGE_GROUPS), dtype=np.float32)[age_groups_of(samples.labels["age"])]
    return {"age_group": groups} | _gender_targets(samples)


_GENDER = CropTask(
    Objective(
        losses=lambda smoothing: {"gender": _cross_entropy(smoothing)},
        metrics=lambda: {"gender": ["accuracy"]},
        monitor="val_accuracy",
        mode="max",
    ),
    card_task="gender",
    dataset=DATASET_OF["gender"],
    targets=_gender_targets,
)

CLASSIC_TASKS: dict[str, CropTask] = {
    "emotion_five": replace(OWN_CROP_TASKS["emotion"], card_task="emotion_five", dataset=DATASET_OF["emotion_five"]),
    "gender": _GENDER,
    "gender_regression": replace(
        _GENDER,
        objective=replace(_GENDER.objective, losses=lambda smoothing: {"gender": keras.losses.MeanAbsoluteError()}),
    ),
    "age": replace(
        _GENDER,
        card_task="age",
        objective=Objective(
            losses=lambda smoothing: {"age": keras.losses.MeanAbsoluteError()},
            metrics=lambda: {"age": ["mae"]},
            monitor="val_mae",
            mode="min",
        ),
        targets=_age_targets,
    ),
    "age_gender_classes": replace(
        OWN_CROP_TASKS["age_gender"],
        objective=Objective(
            losses=lambda smoothing: {"age": age_class_loss, "gender": _cross_entropy(smoothing)},
            metrics=lambda: {"age": [mae], "gender": ["accuracy"]},
            # The cross-entropy over 101 years rises long before the mean of the years gets worse.
            monitor="val_age_mae",
            mode="min",
        ),
    ),
    "age_group_gender": replace(
        _GENDER,
        card_task="age_group_gender",
        objective=Objective(
            losses=lambda smoothing: {"age_group": _cross_entropy(smoothing), "gender": _cross_entropy(smoothing)},
            metrics=lambda: {"age_group": ["accuracy"], "gender": ["accuracy"]},
            monitor="val_age_group_accuracy",
            mode="max",
        ),
        targets=_age_group_targets,
    ),
}

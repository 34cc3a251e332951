"""Recipes: one frozen config per artifact and training stage, which with the data decides what training produces."""

from __future__ import annotations

from dataclasses import replace

from core.errors import ConfigError
from models.faces.config import FaceLearning
from models.training.baseline_recipes import BASELINE_CONFIGS
from models.training.config import TrainConfig
from models.training.pipeline import Augmentation

_WIDE = ((48, 2), (48, 1), (96, 2), (96, 1), (192, 2), (192, 1))
"""Residual blocks of the served networks: at half, a quarter and an eighth of the stem's size."""

_DEEP = (*_WIDE[:4], (96, 1), *_WIDE[4:], (192, 1))
_LIGHT = Augmentation(
    rotation_deg=10,
    scale=0.08,
    shift=0.06,
    brightness=25,
    contrast=0.25,
    gamma=0.25,
    erase_probability=0.1,
    erase_area=(0.02, 0.1),
    damage_probability=0.2,
)
_EMOTION_BASE = TrainConfig(
    name="emotion_base",
    task="emotion",
    architecture="emotion_residual",
    architecture_arguments={"stages": ((48, 2), (96, 2), (96, 1), (192, 2), (192, 1)), "stem": (16, 1)},
    epochs=64,
    stop_after=56,
    label_smoothing=0.0,
    annotators_share=0.5,
    augmentation=Augmentation(gamma=0.3, damage_probability=0.25),
    closing_augmentation=Augmentation(
        rotation_deg=12, scale=0.10, shift=0.10, gamma=0.3, erase_probability=0.25, damage_probability=0.2
    ),
    closing_epochs=12,
)
CONFIGS: dict[str, TrainConfig] = {
    config.name: config
    for config in (
        # Small networks underfit strong augmentation: the accuracy on augmented training crops stays at or below that
        # on clean validation crops. A second, shorter stage with less augmentation makes up for it.
        _EMOTION_BASE,
        replace(
            _EMOTION_BASE,
            name="emotion_second",
            start_from=_EMOTION_BASE.name,
            epochs=18,
            stop_after=None,
            learning_rate=0.03,
            warmup_epochs=0.5,
            augmentation=Augmentation(
                rotation_deg=10,
                scale=0.10,
                shift=0.08,
                gamma=0.2,
                erase_probability=0.25,
                erase_area=(0.02, 0.12),
                damage_probability=0.12,
            ),
            closing_augmentation=None,
            closing_epochs=0,
            seed=2,
        ),
        # A teacher, larger than what is served: the mean of several seeds answers for the images a student learns from.
        replace(
            _EMOTION_BASE,
            name="emotion_teacher",
            architecture_arguments={
                "stages": ((64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (320, 2), (320, 1), (320, 1)),
                "stem": (32, 1),
            },
            epochs=90,
            stop_after=None,
            batch_size=64,
            learning_rate=0.05,
            mixup=0.2,
            class_balance=0.3,
            label_smoothing=0.05,
            average_momentum=0.999,
            closing_augmentation=None,
            closing_epochs=0,
        ),
        # It improved further when the rate was raised again: a third, longer stage.
        replace(
            _EMOTION_BASE,
            name="emotion_third",
            start_from="emotion_second",
            epochs=84,
            stop_after=None,
            learning_rate=0.05,
            warmup_epochs=0.5,
            annotators_share=0.3,
            label_smoothing=0.05,
            class_balance=0.3,
            augmentation=Augmentation(
                rotation_deg=10,
                scale=0.10,
                shift=0.08,
                brightness=25,
                contrast=0.25,
                gamma=0.2,
                erase_probability=0.25,
                erase_area=(0.02, 0.12),
                damage_probability=0.1,
            ),
            closing_augmentation=None,
            closing_epochs=0,
            seed=3,
        ),
        # What is served: more blocks, and faces of other data sets, about which the network before it answers.
        TrainConfig(
            name="emotion",
            task="emotion",
            architecture="emotion_residual",
            architecture_arguments={
                "stages": ((48, 2), (96, 2), (96, 1), (96, 1), (192, 2), (192, 1), (192, 1)),
                "stem": (16, 1),
            },
            start_artifact="emotion",
            epochs=20,
            learning_rate=0.06,
            warmup_epochs=0.25,
            label_smoothing=0.02,
            annotators_share=0.25,
            teacher_share=0.3,
            unlabelled_share=0.4,
            class_balance=0.35,
            average_momentum=0.999,
            augmentation=Augmentation(
                rotation_deg=12,
                scale=0.12,
                shift=0.09,
                brightness=30,
                contrast=0.3,
                gamma=0.35,
                erase_probability=0.25,
                erase_area=(0.02, 0.12),
                damage_probability=0.2,
            ),
            seed=4,
        ),
        TrainConfig(
            name="age_gender",
            task="age_gender",
            architecture="age_gender_residual",
            architecture_arguments={"input_size": 96, "stages": _DEEP, "stem": (32, 2), "dropout": 0.2},
            image_size=96,
            epochs=14,
            batch_size=64,
            learning_rate=0.03,
            warmup_epochs=0.5,
            label_smoothing=0.05,
            loss_weights={"age": 1.0, "gender": 3.0},
            start_artifact="age_gender",
            average_momentum=0.999,
            faces=FaceLearning(),
        ),
        # For comparison with published results only: ages 21-60, trained on the training split of that publication.
        TrainConfig(
            name="age_gender_published",
            task="age_gender_published",
            architecture="age_gender_residual",
            architecture_arguments={"input_size": 96, "stages": _WIDE, "stem": (32, 2)},
            image_size=96,
            source_size=120,
            epochs=48,
            learning_rate=0.05,
            loss_weights={"age": 1.0, "gender": 2.0},
            augmentation=Augmentation(shift=0.10, gamma=0.4, erase_probability=0.3, damage_probability=0.25),
            closing_augmentation=_LIGHT,
            closing_epochs=10,
        ),
    )
}
CONFIGS |= BASELINE_CONFIGS


def get_recipe(name: str) -> TrainConfig:
    """Return the recipe ``name``. Raises ``ConfigError`` for an unknown name."""
    if name not in CONFIGS:
        raise ConfigError(f"unknown recipe {name!r}: choose one of {', '.join(CONFIGS)}")
    return CONFIGS[name]

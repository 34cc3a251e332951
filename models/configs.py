"""One frozen config an artifact: everything that, with the data, decides what training produces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import ConfigError
from models.input_pipeline import Augmentation


@dataclass(frozen=True)
class TrainConfig:
    """How to train one network. ``weight_decay`` is decoupled (applied as rate x decay x kernel at each step);
    with momentum 0.9, 5e-3 acts like an L2 gradient term of 5e-4."""

    name: str
    task: str
    """A key of ``models.tasks.TASKS``: decides data set, targets, losses and the figure that picks the checkpoint."""
    architecture: str
    architecture_arguments: Mapping[str, object] = field(default_factory=dict)
    image_size: int = 48
    source_size: int = 48
    """Side at which training images are kept; a little above ``image_size`` keeps detail for zooming in."""
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 0.1
    warmup_epochs: float = 1.0
    momentum: float = 0.9
    weight_decay: float = 5e-3
    label_smoothing: float = 0.1
    average_momentum: float = 0.998
    """Per step, of the running average of the weights that is evaluated and exported."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    precision: str = "mixed_bfloat16"
    seed: int = 1


CONFIGS: dict[str, TrainConfig] = {
    config.name: config
    for config in (
        TrainConfig(name="emotion", task="emotion", architecture="emotion_residual"),
        TrainConfig(
            name="age_gender",
            task="age_gender",
            architecture="age_gender_residual",
            image_size=64,
            source_size=80,
            epochs=45,
            learning_rate=0.05,
            augmentation=Augmentation(shift=0.10, gamma=0.4, erase_probability=0.3),
        ),
    )
}


def config_named(name: str) -> TrainConfig:
    """The config of that name; ``ConfigError`` if there is none."""
    if name not in CONFIGS:
        raise ConfigError(f"unknown config {name!r}: choose one of {', '.join(CONFIGS)}")
    return CONFIGS[name]

"""Optimizer and learning rate schedule of a config."""

from __future__ import annotations

import keras
from keras.optimizers import schedules

from core.errors import ConfigError
from models.training.config import TrainConfig

STEP_FACTOR = 0.1
"""The rate is multiplied by it at each of ``step_epochs``."""
SCHEDULES = ("cosine", "constant", "steps")
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")


def build_optimizer(config: TrainConfig, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Build the optimizer of ``config``. Raises ``ConfigError`` for an unknown optimizer or schedule."""
    rate = build_schedule(config, steps_per_epoch)
    decay = config.weight_decay or None
    if config.optimizer == "adam":
        return keras.optimizers.Adam(rate, weight_decay=decay)
    if config.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, global_clipnorm=5.0)
    if config.optimizer in ("sgd", "momentum"):
        nesterov = config.optimizer == "sgd"
        return keras.optimizers.SGD(rate, momentum=config.momentum, nesterov=nesterov, weight_decay=decay)
    raise ConfigError(f"unknown optimizer {config.optimizer!r}: choose one of {', '.join(OPTIMIZERS)}")


def build_schedule(
    config: TrainConfig, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Build the schedule of ``config``: one rate, or the rate by step. Only ``cosine`` has ``warmup_epochs``."""
    if config.schedule == "constant":
        return config.learning_rate
    if config.schedule == "steps":
        rates = [config.learning_rate * STEP_FACTOR**number for number in range(len(config.step_epochs) + 1)]
        boundaries = [epoch * steps_per_epoch for epoch in config.step_epochs]
        return schedules.PiecewiseConstantDecay(boundaries, rates)
    if config.schedule == "cosine":
        total = config.epochs * steps_per_epoch
        warmup = min(round(config.warmup_epochs * steps_per_epoch), total // 2)
        return schedules.CosineDecay(
            initial_learning_rate=config.learning_rate / 10,
            decay_steps=total - warmup,
            warmup_target=config.learning_rate,
            warmup_steps=warmup,
        )
    raise ConfigError(f"unknown schedule {config.schedule!r}: choose one of {', '.join(SCHEDULES)}")

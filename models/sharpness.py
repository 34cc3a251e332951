"""Sharpness-aware minimisation: steps that look for flat minima, which answer unseen images better (Foret et al.,
"Sharpness-Aware Minimization for Efficiently Improving Generalization", 2021).

Each step first walks uphill from the weights, by ``radius`` along the gradient, and then applies the gradient found
there to the weights where they were. It takes twice the time, so it is meant for late rounds. PyTorch only: the other
backends compile the whole step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from core.errors import ConfigError

_SMALLEST_NORM = 1e-12


def sharpness_aware(model: keras.Model, radius: float) -> None:
    """Change the training step of a compiled ``model``. ``ConfigError`` where Keras does not run on PyTorch."""
    if keras.backend.backend() != "torch":
        raise ConfigError("sharpness-aware training needs PyTorch: set KERAS_BACKEND=torch")
    import torch

    plain_step, plain_apply = model.train_step, model.optimizer.apply
    uphill: list[torch.Tensor] = []

    def climb(data: Any) -> None:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        model.zero_grad()
        model.compute_loss(x, y, model(x, training=True), weights, training=True).backward()
        values = [weight.value for weight in model.trainable_weights]
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(value.grad) for value in values]))
        with torch.no_grad():
            for value in values:
                uphill.append(value.grad * (radius / (norm + _SMALLEST_NORM)))
                value += uphill[-1]

    def train_step(data: Any) -> Any:
        climb(data)
        return plain_step(data)

    def apply(gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
        # Keras calls this with the gradients found uphill.
        for weight, step in zip(model.trainable_weights, uphill, strict=True):
            weight.value.sub_(step)
        uphill.clear()
        return plain_apply(gradients, variables)

    model.train_step, model.optimizer.apply = train_step, apply

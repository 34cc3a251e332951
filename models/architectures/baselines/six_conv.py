"""Six convolutions in three pairs, one batch normalisation per pair, one hidden dense layer.

The layout is from student reports. Input scaled to [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from core.types import EMOTIONS
from models.architectures.heads import class_heads

PAIRS: tuple[tuple[int, int], ...] = ((64, 5), (128, 5), (256, 3))
"""(filters, kernel side) of each pair."""


def build(
    output: str = "emotion",
    input_size: int = 48,
    channels: int = 1,
    pairs: Sequence[tuple[int, int]] = PAIRS,
    dropout: float = 0.2,
    emotions: Sequence[str] = EMOTIONS,
) -> keras.Model:
    """(B, 48, 48, C) crop, grey or BGR, on the 0-255 scale -> ``emotion`` (B, 7) or ``gender`` (B, 2) probabilities."""
    image = keras.Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(image)
    for number, (filters, kernel) in enumerate(pairs, start=1):
        for letter in "ab":
            x = layers.Conv2D(filters, kernel, padding="same", activation="relu", name=f"conv{number}{letter}")(x)
        x = layers.BatchNormalization(name=f"bn{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(128, name="dense")(x)
    x = layers.BatchNormalization(name="dense_bn")(x)
    x = layers.ReLU(name="dense_relu")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(image, class_heads(x, (output,), emotions), name="six_conv")

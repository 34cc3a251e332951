"""Three convolutions and three dense layers: what ``three_conv_emotion`` and ``three_conv_gender`` share.

The layout is from student reports. Input scaled to [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

Dense = tuple[int, float]
"""Units of a dense layer and the dropout after it."""


def three_conv_features(image: keras.KerasTensor, dense: Sequence[Dense], l2: float = 0.0) -> keras.KerasTensor:
    """(B, H, W, C) crop on the 0-255 scale -> (B, F) features; ``l2`` is the penalty on the dense kernels."""
    x = layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(image)
    x = layers.Conv2D(32, 5, padding="same", activation="relu", name="conv1")(x)
    x = layers.Conv2D(64, 5, padding="same", activation="relu", name="conv2")(x)
    x = layers.BatchNormalization(name="conv2_bn")(x)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Conv2D(128, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.Dropout(0.1, name="conv3_dropout")(x)
    x = layers.BatchNormalization(name="conv3_bn")(x)
    x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    for number, (units, dropout) in enumerate(dense, start=1):
        penalty = keras.regularizers.L2(l2) if l2 else None
        x = layers.Dense(units, activation="relu", kernel_regularizer=penalty, name=f"dense{number}")(x)
        x = layers.BatchNormalization(name=f"dense{number}_bn")(x)
        x = layers.Dropout(dropout, name=f"dense{number}_dropout")(x)
    return x

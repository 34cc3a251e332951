"""The smaller AlexNet of Correa, Jonker, Ozo & Stolk, "Emotion Recognition using Deep Convolutional Neural Networks"
(TU Delft 2016), written for TFLearn (github.com/isseu/emotion-recognition-neural-networks).

TFLearn pads convolutions and pools ("same"), and so does this. Its ``dropout(0.3)`` keeps 0.3 of the values, where
Keras' drops 0.3 of them, as other reimplementations do; ``dropout=0.7`` would be TFLearn's reading. 56,883,015
parameters, nearly all in the first dense layer. Input scaled to [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from core.types import EMOTIONS
from models.architectures.heads import class_heads


def build(
    input_size: int = 48,
    channels: int = 1,
    dense: int = 3072,
    dropout: float = 0.3,
    emotions: Sequence[str] = EMOTIONS,
) -> keras.Model:
    """(B, 48, 48, 1) crop on the 0-255 scale -> ``emotion`` (B, 7) probabilities in the order of ``EMOTIONS``."""
    image = keras.Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(image)
    x = layers.Conv2D(64, 5, padding="same", activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool1")(x)
    x = layers.Conv2D(64, 5, padding="same", activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool2")(x)
    x = layers.Conv2D(128, 4, padding="same", activation="relu", name="conv3")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(dense, activation="relu", name="dense")(x)
    return keras.Model(image, class_heads(x, ("emotion",), emotions), name="tflearn_cnn")

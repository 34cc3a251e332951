"""Four unpadded 3x3 convolutions on a 48x48 grey crop: the Keras network of github.com/atulapra/Emotion-detection.

Input scaled to [0, 1]; 2,345,607 parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from core.types import EMOTIONS
from models.architectures.heads import class_heads


def build(
    input_size: int = 48, channels: int = 1, dense: int = 1024, emotions: Sequence[str] = EMOTIONS
) -> keras.Model:
    """(B, 48, 48, 1) crop on the 0-255 scale -> ``emotion`` (B, 7) probabilities in the order of ``EMOTIONS``."""
    image = keras.Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(image)
    x = layers.Conv2D(32, 3, activation="relu", name="conv1")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Dropout(0.25, name="pool1_dropout")(x)
    x = layers.Conv2D(128, 3, activation="relu", name="conv3")(x)
    x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.Conv2D(128, 3, activation="relu", name="conv4")(x)
    x = layers.MaxPooling2D(2, name="pool3")(x)
    x = layers.Dropout(0.25, name="pool3_dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(dense, activation="relu", name="dense")(x)
    x = layers.Dropout(0.5, name="dense_dropout")(x)
    return keras.Model(image, class_heads(x, ("emotion",), emotions), name="four_conv")

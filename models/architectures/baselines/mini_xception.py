"""mini-XCEPTION of Arriaga, Valdenegro-Toro & Plöger, "Real-time Convolutional Neural Networks for Emotion and Gender
Classification" (arXiv:1710.07557; github.com/oarriaga/face_classification): four residual modules of separable
convolutions and no dense layer.

58,423 parameters for seven classes. Input scaled to [-1, 1]; colour crops are converted to grey first, as both of the
authors' networks read grey images.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops

from core.types import EMOTIONS
from models.architectures.heads import classes_of, with_all_emotions

WIDTHS = (16, 32, 64, 128)
BGR_TO_GREY = (0.114, 0.587, 0.299)
"""OpenCV's weights, those of ITU-R BT.601."""


def build(
    output: str = "emotion",
    input_size: int = 64,
    channels: int = 1,
    widths: Sequence[int] = WIDTHS,
    l2: float = 0.01,
    emotions: Sequence[str] = EMOTIONS,
) -> keras.Model:
    """(B, 64, 64, C) crop, grey or BGR, on the 0-255 scale -> ``emotion`` (B, 7) or ``gender`` (B, 2) probabilities."""
    image = keras.Input((input_size, input_size, channels), name="image")
    x = image if channels == 1 else _grey(image)
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="to_plus_minus_one")(x)
    for letter in "ab":
        # The authors ask for the penalty on the separable convolutions too, where the Keras of then ignored it.
        x = layers.Conv2D(
            8, 3, use_bias=False, kernel_regularizer=keras.regularizers.L2(l2), name=f"stem_{letter}_conv"
        )(x)
        x = layers.BatchNormalization(name=f"stem_{letter}_bn")(x)
        x = layers.ReLU(name=f"stem_{letter}_relu")(x)
    for number, filters in enumerate(widths, start=1):
        x = _module(x, filters, f"module{number}")
    x = layers.Conv2D(classes_of(output, emotions), 3, padding="same", name="class_maps")(x)
    x = layers.GlobalAveragePooling2D(dtype="float32", name="pool")(x)
    x = layers.Activation("softmax", dtype="float32", name=output)(x)
    return keras.Model(image, {output: with_all_emotions(x, output, emotions)}, name="mini_xception")


def _grey(image: keras.KerasTensor) -> keras.KerasTensor:
    weighted = layers.Rescaling(BGR_TO_GREY, dtype="float32", name="grey_shares")(image)
    return ops.sum(weighted, axis=-1, keepdims=True)


def _module(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    shortcut = layers.Conv2D(filters, 1, 2, padding="same", use_bias=False, name=f"{name}_shortcut")(x)
    shortcut = layers.BatchNormalization(name=f"{name}_shortcut_bn")(shortcut)
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_a")(x)
    x = layers.BatchNormalization(name=f"{name}_a_bn")(x)
    x = layers.ReLU(name=f"{name}_a_relu")(x)
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_b")(x)
    x = layers.BatchNormalization(name=f"{name}_b_bn")(x)
    x = layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])

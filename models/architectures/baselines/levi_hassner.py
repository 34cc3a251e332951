"""Levi & Hassner, "Age and Gender Classification using Convolutional Neural Networks" (CVPR workshops 2015): three
convolutions with local response normalisation, two dense layers of 512.

The authors train one network for the age group and one for gender; ``outputs`` selects the heads. Caffe's pools round
up, as padded pools do on the even sides of 227. Input scaled to [-1, 1] in place of their mean image.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops

from models.architectures.heads import class_heads

LRN_CHANNELS, LRN_ALPHA, LRN_BETA = 5, 1e-4, 0.75
"""As in Caffe: the neighbouring channels that are summed, the weight of their mean square, the exponent."""


def build(
    input_size: int = 227,
    channels: int = 3,
    filters: tuple[int, int, int] = (96, 256, 384),
    dense: int = 512,
    dropout: float = 0.5,
    outputs: Sequence[str] = ("age_group", "gender"),
) -> keras.Model:
    """(B, S, S, 3) BGR crop on the 0-255 scale -> ``age_group`` (B, 8) in the order of ``heads.AGE_GROUPS`` and
    ``gender`` (B, 2) probabilities."""
    image = keras.Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="to_plus_minus_one")(image)
    x = _conv(x, filters[0], 7, 4, "valid", "conv1")
    x = local_response_normalization(x)
    x = _conv(x, filters[1], 5, 1, "same", "conv2")
    x = local_response_normalization(x)
    x = _conv(x, filters[2], 3, 1, "same", "conv3")
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc6", "fc7"):
        x = layers.Dense(dense, activation="relu", kernel_initializer="he_normal", name=name)(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return keras.Model(image, class_heads(x, outputs), name="levi_hassner")


def _conv(x: keras.KerasTensor, filters: int, kernel: int, stride: int, padding: str, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, kernel, stride, padding=padding, activation="relu", kernel_initializer="he_normal", name=name
    )(x)
    return layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_pool")(x)


def local_response_normalization(x: keras.KerasTensor) -> keras.KerasTensor:
    """(B, H, W, C) -> x / (1 + alpha * mean of the squares of 5 neighbouring channels)^beta, zeros beyond the ends
    (Krizhevsky et al. 2012), in float32."""
    x = ops.cast(x, "float32")
    reach = LRN_CHANNELS // 2
    channels = x.shape[-1]
    squares = ops.pad(ops.square(x), ((0, 0), (0, 0), (0, 0), (reach, reach)))
    total = squares[..., :channels]
    for shift in range(1, LRN_CHANNELS):
        total = total + squares[..., shift : shift + channels]
    return x * ops.power(1.0 + total * (LRN_ALPHA / LRN_CHANNELS), -LRN_BETA)

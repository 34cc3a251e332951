"""Small residual backbone (He et al. 2016) for CPUs: few filters at full size, most operations at a quarter of it.

Each crop is standardised inside the graph, (x - mean) / sqrt(variance + 8^2) on the 0-255 scale, so that a raw
uint8 crop goes in everywhere and contrast and brightness of the camera cancel out.
"""

from __future__ import annotations

import keras
from keras import layers

STAGES: tuple[tuple[int, int], ...] = ((16, 1), (32, 2), (64, 2), (64, 1), (128, 2), (128, 1))
"""(filters, stride) of each residual block: maps of 48, 24, 12, 12, 6, 6 for a 48-pixel crop."""


def residual_features(
    image: keras.KerasTensor,
    stages: tuple[tuple[int, int], ...] = STAGES,
    stem: tuple[int, int] = (16, 1),
    dropout: float = 0.4,
) -> keras.KerasTensor:
    """(B, H, W, C) crop on the 0-255 scale -> (B, F) features. ``stem`` is (filters, stride)."""
    x = layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(image)
    x = layers.LayerNormalization(
        axis=[1, 2, 3], center=False, scale=False, epsilon=(8 / 255) ** 2, dtype="float32", name="standardise"
    )(x)
    x = _conv_bn(x, stem[0], 3, stem[1], "stem")
    x = layers.ReLU(name="stem_relu")(x)
    for number, (filters, stride) in enumerate(stages, start=1):
        x = _block(x, filters, stride, f"block{number}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dropout(dropout, name="dropout")(x)


def _block(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    shortcut = x
    if stride != 1 or x.shape[-1] != filters:
        shortcut = _conv_bn(x, filters, 1, stride, f"{name}_shortcut")
    y = _conv_bn(x, filters, 3, stride, f"{name}_a")
    y = layers.ReLU(name=f"{name}_a_relu")(y)
    y = _conv_bn(y, filters, 3, 1, f"{name}_b")
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([y, shortcut]))


def _conv_bn(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    return layers.BatchNormalization(momentum=0.95, name=f"{name}_bn")(x)

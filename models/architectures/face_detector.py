"""Face detector: single shot, anchor free, five landmarks, one stride of 8 pixels.

Depthwise-separable trunk with strides 2, 4, 8 and 16 (Howard et al. 2017); 5x5 depthwise kernels at stride 16 see the
whole frame; their result is upsampled and added to stride 8. Each cell predicts whether it is the centre of a face
(Zhou et al. 2019), the box and the landmarks.
"""

from __future__ import annotations

import keras
from keras import layers

GEOMETRY = 14
"""Predictions per cell, see ``core.detection.decoding``."""


def build(
    widths: tuple[int, int, int, int] = (16, 32, 64, 128), fine_blocks: int = 3, coarse_blocks: int = 5, head: int = 64
) -> keras.Model:
    """Build the network: (B, H, W, 3) BGR on the 0-255 scale, H and W multiples of 16 -> ``score`` (B, H/8, W/8, 1)
    probabilities and ``geometry`` (B, H/8, W/8, 14)."""
    image = keras.Input((None, None, 3), name="image")
    x = layers.Rescaling(1 / 64, offset=-2.0, dtype="float32", name="to_plus_minus_two")(image)
    x = _conv_bn_relu(x, widths[0], 3, 2, "stem")
    x = _separable(x, widths[1], 3, 2, "down4")
    x = _separable(x, widths[1], 3, 1, "quarter1")
    x = _separable(x, widths[2], 3, 2, "down8")
    for number in range(1, fine_blocks + 1):
        x = layers.Add(name=f"fine{number}_add")([x, _separable(x, widths[2], 3, 1, f"fine{number}")])
    fine = _conv_bn_relu(x, head, 1, 1, "lateral")
    x = _separable(x, widths[3], 3, 2, "down16")
    for number in range(1, coarse_blocks + 1):
        x = layers.Add(name=f"coarse{number}_add")([x, _separable(x, widths[3], 5, 1, f"coarse{number}")])
    x = _conv_bn_relu(x, head, 1, 1, "coarse_out")
    x = layers.UpSampling2D(2, interpolation="nearest", name="up")(x)
    x = layers.Add(name="merge")([fine, x])
    x = layers.Add(name="head1_add")([x, _separable(x, head, 3, 1, "head1")])
    x = layers.Add(name="head2_add")([x, _separable(x, head, 3, 1, "head2")])
    score = layers.Conv2D(
        1,
        1,
        activation="sigmoid",
        # A probability of 0.01 at first, since almost every cell is background.
        bias_initializer=keras.initializers.Constant(-4.6),
        dtype="float32",
        name="score",
    )(x)
    geometry = layers.Conv2D(GEOMETRY, 1, dtype="float32", name="geometry")(x)
    return keras.Model(image, {"score": score, "geometry": geometry}, name="face_detector")


def _separable(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, depthwise_initializer="he_normal", name=f"{name}_depthwise"
    )(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_depthwise_bn")(x)
    return _conv_bn_relu(x, filters, 1, 1, name)


def _conv_bn_relu(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)

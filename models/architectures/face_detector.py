"""Face detector: single shot, anchor free, five landmarks, maps of strides 8, 16 and 32 pixels.

Depthwise-separable trunk with strides 2 to 32 (Howard et al. 2017); 5x5 depthwise kernels at strides 16 and 32 see the
whole frame. Each map adds the next coarser one, upsampled (Lin et al. 2017). Each of its cells predicts whether it is
the centre of a face (Zhou et al. 2019), the box and the landmarks. ``models/detection/network.py`` is its twin for
training in PyTorch.
"""

from __future__ import annotations

import keras
from keras import layers

GEOMETRY = 14
"""Predictions per cell, see ``core.detection.decoding``."""
STRIDES = (8, 16, 32)


def build(
    widths: tuple[int, int, int, int, int] = (16, 32, 64, 128, 160),
    blocks: tuple[int, int, int] = (2, 5, 2),
    head: int = 64,
    head_blocks: tuple[int, int, int] = (1, 2, 2),
) -> keras.Model:
    """Build the network: (B, H, W, 3) BGR on the 0-255 scale, H and W multiples of 32 -> for each stride s ``score_s``
    (B, H/s, W/s, 1) probabilities and ``geometry_s`` (B, H/s, W/s, 14)."""
    image = keras.Input((None, None, 3), name="image")
    x = layers.Rescaling(1 / 64, offset=-2.0, dtype="float32", name="to_plus_minus_two")(image)
    x = _conv_bn_relu(x, widths[0], 3, 2, "stem")
    x = _separable(x, widths[1], 3, 2, "down4")
    x = _separable(x, widths[1], 3, 1, "quarter1")
    laterals = []
    for stride, width, count, kernel in zip(STRIDES, widths[2:], blocks, (3, 5, 5), strict=True):
        x = _separable(x, width, 3, 2, f"down{stride}")
        x = _residual_blocks(x, width, kernel, count, f"at{stride}")
        laterals.append(_conv_bn_relu(x, head, 1, 1, f"lateral{stride}"))
    outputs = {}
    coarser = None
    for stride, lateral, count in reversed(list(zip(STRIDES, laterals, head_blocks, strict=True))):
        x = lateral
        if coarser is not None:
            up = layers.UpSampling2D(2, interpolation="nearest", name=f"up{stride}")(coarser)
            x = layers.Add(name=f"merge{stride}")([lateral, up])
        coarser = x
        x = _residual_blocks(x, head, 3, count, f"head{stride}")
        # A probability of 0.01 at first, since almost every cell is background.
        rare = keras.initializers.Constant(-4.6)
        outputs[f"score_{stride}"] = layers.Conv2D(
            1, 1, activation="sigmoid", bias_initializer=rare, dtype="float32", name=f"score_{stride}"
        )(x)
        outputs[f"geometry_{stride}"] = layers.Conv2D(GEOMETRY, 1, dtype="float32", name=f"geometry_{stride}")(x)
    return keras.Model(image, outputs, name="face_detector")


def _residual_blocks(x: keras.KerasTensor, filters: int, kernel: int, count: int, stage: str) -> keras.KerasTensor:
    for number in range(1, count + 1):
        name = f"{stage}_{number}"
        x = layers.Add(name=f"{name}_add")([x, _separable(x, filters, kernel, 1, name)])
    return x


def _separable(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    # Without batch normalisation in between: both convolutions are linear, so one after them does the same.
    x = layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, depthwise_initializer="he_normal", name=f"{name}_depthwise"
    )(x)
    return _conv_bn_relu(x, filters, 1, 1, name)


def _conv_bn_relu(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)

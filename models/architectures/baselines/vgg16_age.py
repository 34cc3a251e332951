"""VGG-16 (Simonyan & Zisserman 2015) with the 101 years as classes, whose mean is the age: DEX (Rothe, Timofte & Van
Gool, "Deep Expectation of Apparent Age from a Single Image", 2015), and with a gender head.

The authors cut 256x256 crops and start from ImageNet; here the size comes from the config and the start is random.
Input scaled to [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from models.architectures.heads import class_heads

BLOCKS: tuple[tuple[int, int], ...] = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""(filters, convolutions) of each block; a pool ends it."""


def build(
    input_size: int = 64,
    channels: int = 3,
    blocks: Sequence[tuple[int, int]] = BLOCKS,
    dense: int = 4096,
    dropout: float = 0.5,
    outputs: Sequence[str] = ("age", "gender"),
) -> keras.Model:
    """(B, S, S, 3) BGR crop on the 0-255 scale -> ``age`` (B, 101) and ``gender`` (B, 2) probabilities."""
    image = keras.Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="to_plus_minus_one")(image)
    for block, (filters, convolutions) in enumerate(blocks, start=1):
        for number in range(1, convolutions + 1):
            # Without batch normalisation, sixteen layers only learn if activations keep their scale.
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = layers.Dense(dense, activation="relu", kernel_initializer="he_normal", name=name)(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return keras.Model(image, class_heads(x, outputs), name="vgg16_age")

"""Three convolutions and narrow dense layers on a 48x48 colour crop, two classes; see ``three_conv``."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from models.architectures.baselines.three_conv import Dense, three_conv_features
from models.architectures.heads import class_heads

DENSE: tuple[Dense, ...] = ((256, 0.3), (128, 0.3), (64, 0.2))


def build(input_size: int = 48, channels: int = 3, dense: Sequence[Dense] = DENSE) -> keras.Model:
    """(B, 48, 48, 3) BGR crop on the 0-255 scale -> ``gender`` (B, 2) probabilities in the order of ``GENDERS``."""
    image = keras.Input((input_size, input_size, channels), name="image")
    features = three_conv_features(image, dense)
    return keras.Model(image, class_heads(features, ("gender",)), name="three_conv_gender")

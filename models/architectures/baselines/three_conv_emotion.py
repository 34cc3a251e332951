"""Three convolutions and wide dense layers on a 48x48 grey crop, seven classes; see ``three_conv``."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from core.types import EMOTIONS
from models.architectures.baselines.three_conv import Dense, three_conv_features
from models.architectures.heads import class_heads

DENSE: tuple[Dense, ...] = ((1024, 0.5), (512, 0.5), (256, 0.5))


def build(
    input_size: int = 48,
    channels: int = 1,
    dense: Sequence[Dense] = DENSE,
    l2: float = 1e-4,
    emotions: Sequence[str] = EMOTIONS,
) -> keras.Model:
    """(B, 48, 48, 1) crop on the 0-255 scale -> ``emotion`` (B, 7) probabilities in the order of ``EMOTIONS``."""
    image = keras.Input((input_size, input_size, channels), name="image")
    features = three_conv_features(image, dense, l2)
    return keras.Model(image, class_heads(features, ("emotion",), emotions), name="three_conv_emotion")

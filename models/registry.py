"""All architectures by name. A new one is a file in ``architectures`` and a line here."""

from __future__ import annotations

from collections.abc import Callable

import keras

from core.errors import ConfigError
from models.architectures import age_gender_residual, emotion_residual, face_detector
from models.architectures.baselines import (
    four_conv,
    levi_hassner,
    mini_xception,
    mobilenet_transfer,
    six_conv,
    ssr_net,
    tflearn_cnn,
    three_conv_emotion,
    three_conv_gender,
    vgg16_age,
)

ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    "emotion_residual": emotion_residual.build,
    "age_gender_residual": age_gender_residual.build,
    "face_detector": face_detector.build,
    "six_conv": six_conv.build,
    "three_conv_emotion": three_conv_emotion.build,
    "three_conv_gender": three_conv_gender.build,
    "mobilenet_transfer": mobilenet_transfer.build,
    "four_conv": four_conv.build,
    "tflearn_cnn": tflearn_cnn.build,
    "mini_xception": mini_xception.build,
    "ssr_net": ssr_net.build,
    "vgg16_age": vgg16_age.build,
    "levi_hassner": levi_hassner.build,
}


def build(name: str, **arguments: object) -> keras.Model:
    """Build the architecture ``name`` with ``arguments``. Raises ``ConfigError`` for an unknown name."""
    if name not in ARCHITECTURES:
        raise ConfigError(f"unknown architecture {name!r}: choose one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name](**arguments)

"""Every network by name. A new one is a file in ``architectures`` and a line here."""

from __future__ import annotations

from collections.abc import Callable

import keras

from core.errors import ConfigError
from models.architectures import age_gender_residual, emotion_residual, face_detector

ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    "emotion_residual": emotion_residual.build,
    "age_gender_residual": age_gender_residual.build,
    "face_detector": face_detector.build,
}


def build(name: str, **arguments: object) -> keras.Model:
    """The network ``name`` built with ``arguments``; ``ConfigError`` if there is none of that name."""
    if name not in ARCHITECTURES:
        raise ConfigError(f"unknown architecture {name!r}: choose one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name](**arguments)

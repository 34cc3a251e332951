"""Emotion network: residual backbone on a 48x48 grey crop, seven classes."""

from __future__ import annotations

import keras
from keras import layers

from core.types import EMOTIONS
from models.architectures.residual import STAGES, residual_features


def build(
    input_size: int = 48,
    channels: int = 1,
    stages: tuple[tuple[int, int], ...] = STAGES,
    stem: tuple[int, int] = (16, 1),
    dropout: float = 0.4,
) -> keras.Model:
    """(B, 48, 48, 1) crop on the 0-255 scale -> ``emotion`` (B, 7) probabilities in the order of ``EMOTIONS``."""
    image = keras.Input((input_size, input_size, channels), name="image")
    features = residual_features(image, stages, stem, dropout)
    emotion = layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name="emotion")(features)
    return keras.Model(image, {"emotion": emotion}, name="emotion_residual")

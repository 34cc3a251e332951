"""Joint age and gender network: residual backbone on a 64x64 colour crop.

Age is a distribution over the years 0-100 (label distribution learning, Gao et al. 2018); its mean is the prediction.
"""

from __future__ import annotations

import keras
from keras import layers

from core.types import GENDERS, MAX_AGE
from models.architectures.residual import STAGES, residual_features


def build(
    input_size: int = 64,
    channels: int = 3,
    stages: tuple[tuple[int, int], ...] = STAGES,
    stem: tuple[int, int] = (16, 1),
    dropout: float = 0.4,
) -> keras.Model:
    """(B, 64, 64, 3) BGR crop on the 0-255 scale -> ``age`` (B, 101) and ``gender`` (B, 2) probabilities."""
    image = keras.Input((input_size, input_size, channels), name="image")
    features = residual_features(image, stages, stem, dropout)
    age = layers.Dense(MAX_AGE + 1, activation="softmax", dtype="float32", name="age")(features)
    gender = layers.Dense(len(GENDERS), activation="softmax", dtype="float32", name="gender")(features)
    return keras.Model(image, {"age": age, "gender": gender}, name="age_gender_residual")

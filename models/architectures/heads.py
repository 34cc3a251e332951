"""Output layers that the baselines share: softmax, in float32 also where the rest computes in bfloat16."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops

from core.age_groups import AGE_GROUPS
from core.tasks import FIVE_EMOTIONS
from core.types import EMOTIONS, GENDERS, MAX_AGE

__all__ = ["AGE_GROUPS", "FIVE_EMOTIONS", "WIDTHS", "class_heads", "classes_of", "with_all_emotions"]


WIDTHS = {"emotion": len(EMOTIONS), "gender": len(GENDERS), "age": MAX_AGE + 1, "age_group": len(AGE_GROUPS)}
"""Output name -> number of classes."""


def classes_of(output: str, emotions: Sequence[str] = EMOTIONS) -> int:
    """Count the classes that the network itself tells apart for ``output``."""
    return len(emotions) if output == "emotion" else WIDTHS[output]


def class_heads(
    features: keras.KerasTensor, outputs: Sequence[str], emotions: Sequence[str] = EMOTIONS
) -> dict[str, keras.KerasTensor]:
    """(B, F) features -> output name -> (B, K) probabilities by one dense layer each."""
    return {
        output: with_all_emotions(
            layers.Dense(classes_of(output, emotions), activation="softmax", dtype="float32", name=output)(features),
            output,
            emotions,
        )
        for output in outputs
    }


def with_all_emotions(
    probabilities: keras.KerasTensor, output: str, emotions: Sequence[str] = EMOTIONS
) -> keras.KerasTensor:
    """Pad (B, len(emotions)) to (B, 7) in the order of ``EMOTIONS``, with zeros for unknown emotions.

    All emotion networks thus have outputs of one form. Other outputs are returned as they are.
    """
    if output != "emotion" or tuple(emotions) == EMOTIONS:
        return probabilities
    zero = ops.zeros_like(probabilities[:, :1])
    known = list(emotions)
    columns = [
        probabilities[:, known.index(emotion) : known.index(emotion) + 1] if emotion in known else zero
        for emotion in EMOTIONS
    ]
    return layers.Concatenate(dtype="float32", name="all_emotions")(columns)

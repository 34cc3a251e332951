"""The answers that were most wrong: what to look at first when asking why a model fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.predictions import AgePredictions, EmotionPredictions, GenderPredictions
from core.types import EMOTIONS, GENDERS


@dataclass(frozen=True, slots=True)
class WrongPrediction:
    """One wrong answer; ``caption`` says truth, answer, and how sure or how far off the model was."""

    sample_id: str
    truth: str
    answer: str
    caption: str


def emotion_mistakes(predictions: EmotionPredictions, count: int) -> tuple[WrongPrediction, ...]:
    """The ``count`` wrong emotions that the model was surest of, surest first."""
    return _surest(predictions.ids, predictions.truth, predictions.probabilities, EMOTIONS, count)


def gender_mistakes(predictions: GenderPredictions, count: int) -> tuple[WrongPrediction, ...]:
    """The ``count`` wrong genders that the model was surest of, surest first."""
    return _surest(predictions.ids, predictions.gender_true, predictions.gender_probabilities, GENDERS, count)


def age_mistakes(predictions: AgePredictions, count: int) -> tuple[WrongPrediction, ...]:
    """The ``count`` ages that are furthest from the label, worst first."""
    errors = np.abs(predictions.age_years - predictions.age_true)
    rows = np.argsort(-errors, kind="stable")[:count]
    return tuple(
        WrongPrediction(
            str(predictions.ids[row]),
            f"{predictions.age_true[row]}",
            f"{predictions.age_years[row]:.0f}",
            f"{predictions.age_true[row]} → {predictions.age_years[row]:.0f} years "
            f"({predictions.age_low[row]:.0f}-{predictions.age_high[row]:.0f})",
        )
        for row in rows
    )


def _surest(
    ids: NDArray[np.str_],
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    labels: tuple[str, ...],
    count: int,
) -> tuple[WrongPrediction, ...]:
    answers, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.nonzero(answers != truth)[0]
    rows = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return tuple(
        WrongPrediction(
            str(ids[row]),
            labels[truth[row]],
            labels[answers[row]],
            f"{labels[truth[row]]} → {labels[answers[row]]} {confidence[row]:.0%}",
        )
        for row in rows
    )

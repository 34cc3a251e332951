"""The answers that were most wrong: what to look at first when asking why a model fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.evaluation.predictions import Predictions
from core.tasks import CLASSES


@dataclass(frozen=True, slots=True)
class WrongPrediction:
    """One wrong answer; ``caption`` says truth, answer, and how sure or how far off the model was."""

    sample_id: str
    truth: str
    answer: str
    caption: str


def class_mistakes(predictions: Predictions, output: str, count: int) -> tuple[WrongPrediction, ...]:
    """The ``count`` wrong classes of ``output`` that the model was surest of, surest first."""
    labels, probabilities, truth = CLASSES[output], predictions.probabilities[output], predictions.truth[output]
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.nonzero(predicted != truth)[0]
    rows = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return tuple(
        WrongPrediction(
            str(predictions.ids[row]),
            labels[truth[row]],
            labels[predicted[row]],
            f"{labels[truth[row]]} → {labels[predicted[row]]} {confidence[row]:.0%}",
        )
        for row in rows
    )


def age_mistakes(predictions: Predictions, count: int) -> tuple[WrongPrediction, ...]:
    """The ``count`` ages that are furthest from the label, worst first."""
    truth, ages = predictions.truth["age"], predictions.ages
    rows = np.argsort(-np.abs(predictions.age_errors), kind="stable")[:count]
    return tuple(
        WrongPrediction(
            str(predictions.ids[row]),
            f"{truth[row]}",
            f"{ages.years[row]:.0f}",
            f"{truth[row]} → {ages.years[row]:.0f} years ({ages.low[row]:.0f}-{ages.high[row]:.0f})",
        )
        for row in rows
    )

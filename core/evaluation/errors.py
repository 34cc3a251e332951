"""Find the predictions that are most wrong: what to look at first when asking why a model fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.evaluation.predictions import Predictions
from core.tasks import CLASSES


@dataclass(frozen=True, slots=True)
class WrongPrediction:
    """``caption``: truth, prediction, and its confidence or interval."""

    sample_id: str
    truth: str
    predicted: str
    caption: str


def find_class_errors(
    predictions: Predictions, output: str, count: int, cell: tuple[str, str] | None = None
) -> tuple[WrongPrediction, ...]:
    """Return the ``count`` wrong classes of ``output`` with the highest confidence, highest first; of a ``cell`` of the
    confusion matrix, (true, predicted) class, all predictions count, right ones too."""
    labels, probabilities, truth = CLASSES[output], predictions.probabilities[output], predictions.truth[output]
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    chosen = predicted != truth
    if cell is not None:
        true_row, predicted_row = map([str(label) for label in labels].index, cell)
        chosen = (truth == true_row) & (predicted == predicted_row)
    wrong = np.nonzero(chosen)[0]
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


def find_age_errors(predictions: Predictions, count: int) -> tuple[WrongPrediction, ...]:
    """Return the ``count`` ages with the largest error, largest first."""
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

"""Run a served network over a side of a data set: what the stored predictions were made with, and can be checked by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.answers import age_answers, normalised
from core.datasets.samples import Samples, resized
from core.estimator import CropModel, Estimator, LiteRTEstimator
from core.evaluation.predictions import AgeGenderPredictions, EmotionPredictions, Predictions

_BATCH = 64


def evaluate_samples(
    folder: Path, samples: Samples, progress: Callable[[float], None] = lambda share: None
) -> Predictions:
    """Predictions of the served model in ``folder``; ``progress`` is called with the share done, up to 1."""
    return evaluate_estimator(LiteRTEstimator(folder), samples, progress)


def evaluate_estimator(
    estimator: Estimator, samples: Samples, progress: Callable[[float], None] = lambda share: None
) -> Predictions:
    """As ``evaluate_samples``, for any estimator."""
    outputs = predict_images(estimator, resized(samples.images, estimator.card.input_size), progress)
    return predictions_from_outputs(outputs, samples, estimator.card.age_interval_scale)


def predict_images(
    model: CropModel, crops: NDArray[np.uint8], progress: Callable[[float], None] = lambda share: None
) -> dict[str, NDArray[np.float32]]:
    """(N, size, size, C) uint8, grey or BGR -> output name -> (N, K), computed in batches."""
    parts = []
    for start in range(0, max(len(crops), 1), _BATCH):
        parts.append(model.predict(crops[start : start + _BATCH]))
        progress(min(1.0, (start + _BATCH) / max(len(crops), 1)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def predictions_from_outputs(
    outputs: dict[str, NDArray[np.float32]], samples: Samples, age_interval_scale: float
) -> Predictions:
    """Network outputs and the labels of the same samples -> predictions."""
    if "emotion" in outputs:
        probabilities = normalised(outputs["emotion"]).astype(np.float32)
        return EmotionPredictions(samples.ids, samples.labels["emotion"], probabilities)
    years, low, high = age_answers(outputs["age"], age_interval_scale)
    return AgeGenderPredictions(
        ids=samples.ids,
        age_true=samples.labels["age"],
        age_years=years.astype(np.float32),
        age_low=low.astype(np.float32),
        age_high=high.astype(np.float32),
        gender_true=samples.labels["gender"],
        gender_probabilities=normalised(outputs["gender"]).astype(np.float32),
        race=samples.labels["race"],
    )

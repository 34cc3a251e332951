"""Run a served network over a side of a data set: what the stored predictions were made with, and can be checked by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.answers import AS_THE_NETWORK_SAYS, IntervalScale, calibrated_answers
from core.datasets.samples import Samples, resized
from core.estimator import CropModel, Estimator, LiteRTEstimator
from core.evaluation.predictions import AgeGenderPredictions, EmotionPredictions, Predictions

_BATCH = 64
_NO_TEMPERATURE: Mapping[str, float] = MappingProxyType({})


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
    return predictions_from_outputs(outputs, samples, estimator.card.age_interval_scale, estimator.card.temperature)


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
    outputs: dict[str, NDArray[np.float32]],
    samples: Samples,
    age_interval_scale: IntervalScale = AS_THE_NETWORK_SAYS,
    temperature: Mapping[str, float] = _NO_TEMPERATURE,
) -> Predictions:
    """Network outputs and the labels of the same samples -> predictions, calibrated as the served answers are.

    ``age_interval_scale`` and ``temperature`` as on the model's card; left out, the network's own answers are kept.
    """
    answers = {
        name: values.astype(np.float32)
        for name, values in calibrated_answers(outputs, temperature, age_interval_scale).items()
    }
    if "emotion" in answers:
        return EmotionPredictions(samples.ids, samples.labels["emotion"], answers["emotion"])
    years, low, high = answers["age"].T
    return AgeGenderPredictions(
        ids=samples.ids,
        age_true=samples.labels["age"],
        age_years=years,
        age_low=low,
        age_high=high,
        gender_true=samples.labels["gender"],
        gender_probabilities=answers["gender"],
        race=samples.labels["race"],
    )

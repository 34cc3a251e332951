"""Run a served network over a side of a data set: what the stored predictions were made with, and can be checked by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.attributes.estimator import OUTPUTS, CropModel, Estimator, LiteRTEstimator
from core.attributes.postprocessing import UNCALIBRATED_AGE, AgeCalibration, postprocess_outputs
from core.datasets.samples import Samples, resized
from core.evaluation.predictions import KINDS, Predictions

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
    card = estimator.card
    return predictions_from_outputs(outputs, samples, card.age_calibration, card.temperature, card.task)


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
    age_calibration: AgeCalibration = UNCALIBRATED_AGE,
    temperature: Mapping[str, float] = _NO_TEMPERATURE,
    task: str | None = None,
) -> Predictions:
    """Network outputs and the labels of the same samples -> predictions, calibrated as the served answers are.

    ``age_calibration`` and ``temperature`` as on the model's card; left out, the network's own answers are kept.
    ``task`` as on the card; left out, it follows from the outputs, and emotions are taken to be all seven.
    """
    processed = postprocess_outputs(outputs, temperature, age_calibration)
    task = task or next(task for task, names in OUTPUTS.items() if names == outputs.keys())
    labels = ("emotion",) if "emotion" in outputs else ("age", "gender", "race")
    arrays = {_TRUTH[name]: samples.labels[name] for name in labels}
    for name, values in processed.probabilities.items():
        arrays["probabilities" if name == "emotion" else f"{name}_probabilities"] = values.astype(np.float32)
    if (age := processed.age) is not None:
        arrays |= {f"age_{name}": getattr(age, name).astype(np.float32) for name in ("years", "low", "high")}
    return KINDS[task](ids=samples.ids, **arrays)


_TRUTH = {"emotion": "truth", "age": "age_true", "gender": "gender_true", "race": "race"}

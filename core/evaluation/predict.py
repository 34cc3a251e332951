"""Run a served network over a split: what the stored predictions were made with, and can be checked by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.attributes.estimator import BATCH_SIZE, CropModel, Estimator, LiteRTEstimator
from core.attributes.postprocessing import UNCALIBRATED_AGE, AgeCalibration, postprocess_outputs
from core.datasets.samples import Samples, resize_images
from core.evaluation.predictions import AgeArrays, Predictions, truth_of

_NO_TEMPERATURE: Mapping[str, float] = MappingProxyType({})


def evaluate_samples(
    folder: Path, samples: Samples, progress: Callable[[float], None] = lambda share: None
) -> Predictions:
    """Run the served model in ``folder`` on ``samples``; ``progress`` is called with the share done, up to 1."""
    return evaluate_estimator(LiteRTEstimator(folder), samples, progress)


def evaluate_estimator(
    estimator: Estimator,
    samples: Samples,
    progress: Callable[[float], None] = lambda share: None,
    *,
    tta: bool = False,
) -> Predictions:
    """Run any estimator on ``samples``. ``tta`` as in ``predict_images``."""
    card = estimator.card
    outputs = predict_images(estimator, resize_images(samples.images, card.input_size), progress, tta=tta)
    return predictions_from_outputs(outputs, samples, card.task, card.age_calibration, card.temperature)


def predict_images(
    model: CropModel,
    crops: NDArray[np.uint8],
    progress: Callable[[float], None] = lambda share: None,
    *,
    tta: bool = False,
) -> dict[str, NDArray[np.float32]]:
    """Run ``model`` on (N, size, size, C) uint8 crops, grey or BGR -> output name -> (N, K).

    ``tta``: average the outputs for each crop and its mirror image (test-time augmentation).
    """
    parts = []
    for start in range(0, max(len(crops), 1), BATCH_SIZE):
        batch = crops[start : start + BATCH_SIZE]
        outputs = model.predict(batch)
        if tta:
            mirrored = model.predict(np.ascontiguousarray(batch[:, :, ::-1]))
            outputs = {name: (values + mirrored[name]) * np.float32(0.5) for name, values in outputs.items()}
        parts.append(outputs)
        progress(min(1.0, (start + BATCH_SIZE) / max(len(crops), 1)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def predictions_from_outputs(
    outputs: Mapping[str, NDArray[np.float32]],
    samples: Samples,
    task: str,
    age_calibration: AgeCalibration = UNCALIBRATED_AGE,
    temperature: Mapping[str, float] = _NO_TEMPERATURE,
) -> Predictions:
    """Postprocess raw outputs of a network of ``task`` as for serving, and add the labels of the same samples.

    ``age_calibration`` and ``temperature`` as on the model's card; the defaults leave the outputs uncalibrated.
    """
    processed = postprocess_outputs(outputs, temperature, age_calibration)
    age = processed.age
    return Predictions(
        task,
        samples.ids,
        truth_of(task, samples.labels),
        {name: values.astype(np.float32) for name, values in processed.probabilities.items()},
        None if age is None else AgeArrays(*(values.astype(np.float32) for values in (age.years, age.low, age.high))),
    )

"""Run a served network over a split: what the stored predictions were made with, and can be checked by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import AlignmentSpec
from core.attributes.alignment import align_views, make_views
from core.attributes.estimator import BATCH_SIZE, CropModel, Estimator, LiteRTEstimator
from core.attributes.postprocessing import UNCALIBRATED_AGE, AgeCalibration, average_views, postprocess_outputs
from core.datasets.samples import Samples, resize_images
from core.evaluation.predictions import AgeArrays, Predictions, truth_of
from core.types import Box, Detection

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
    views: int = 1,
) -> Predictions:
    """Run any estimator on ``samples``. ``views`` as in ``predict_images``."""
    card = estimator.card.for_views(views)
    outputs = predict_images(estimator, resize_images(samples.images, card.input_size), progress, views=views)
    return predictions_from_outputs(outputs, samples, card.task, card.age_calibration, card.temperature)


def predict_images(
    model: CropModel,
    crops: NDArray[np.uint8],
    progress: Callable[[float], None] = lambda share: None,
    *,
    views: int = 1,
) -> dict[str, NDArray[np.float32]]:
    """Run ``model`` on (N, size, size, C) uint8 crops, grey or BGR -> output name -> (N, K).

    ``views``: average the outputs over so many views of each crop, which are cut out of it: moved a little, mirrored.
    """
    parts = []
    for start in range(0, max(len(crops), 1), BATCH_SIZE):
        batch = crops[start : start + BATCH_SIZE]
        if views > 1:
            batch = np.concatenate([_cut_views(crop, views) for crop in batch])
        parts.append(average_views(model.predict(batch), views))
        progress(min(1.0, (start + BATCH_SIZE) / max(len(crops), 1)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _cut_views(crop: NDArray[np.uint8], views: int) -> NDArray[np.uint8]:
    """(size, size, C) -> (``views``, size, size, C)."""
    size, channels = crop.shape[1:]
    frame = np.repeat(crop, 3, axis=2) if channels == 1 else crop
    whole = Detection(Box(0, 0, size, size), 1.0)
    return align_views(frame, [whole], AlignmentSpec(), size, channels, make_views(views)).crops


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

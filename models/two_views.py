"""What a second view would gain: ``python -m models.two_views ARTIFACT --data DIR``.

Runs ``model.tflite`` over every image and over its mirror image and takes the mean of the outputs (test-time
augmentation). What is served sees one view; published figures often come from several. Stores ``two_views.npz`` beside
the predictions of one view, and the figures on the card under ``two_views``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import CROP_TASKS, SERVED_FILE, TWO_VIEWS_FILE, TWO_VIEWS_KEY, load_card, verified_file
from core.attributes.estimator import CropModel, LiteRTEstimator
from core.datasets.samples import resized
from core.datasets.splits import SplitDataset
from core.errors import ConfigError
from core.evaluation.metrics import summary_metrics
from core.evaluation.predict import predict_images, predictions_from_outputs
from core.evaluation.predictions import Predictions, save_predictions
from models.cli import add_artifact, add_data, artifact_folder, run
from models.exporting.model_card import read_card, write_card
from models.training.data_sets import REPORTED_SPLITS, load_data


def predict_two_views(model: CropModel, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """(N, size, size, C) uint8 -> output name -> (N, K): the mean for each crop and its mirror image."""
    plain, mirrored = predict_images(model, crops), predict_images(model, np.ascontiguousarray(crops[:, :, ::-1]))
    return {name: (outputs + mirrored[name]) * np.float32(0.5) for name, outputs in plain.items()}


def store_two_views(folder: Path, data: SplitDataset) -> dict[str, dict[str, float | int]]:
    """Measure on the side that training chose on and on the one for reporting; write both files.

    Returns side -> figure -> value, as on the card. The answers are calibrated as those of one view are.
    """
    estimator = LiteRTEstimator(folder)
    card = estimator.card
    predictions: dict[str, Predictions] = {}
    for split in REPORTED_SPLITS[card.task]:
        samples = data.splits[split]
        outputs = predict_two_views(estimator, resized(samples.images, card.input_size))
        predictions[split] = predictions_from_outputs(
            outputs, samples, card.age_calibration, card.temperature, card.task
        )
    save_predictions(folder / TWO_VIEWS_FILE, predictions)
    figures = {split: summary_metrics(one) for split, one in predictions.items()}
    write_card(folder, read_card(folder) | {TWO_VIEWS_KEY: figures})
    return figures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.two_views", description="Measure with a mirrored view.")
    add_artifact(parser)
    add_data(parser)
    return run(parser, _print_figures, arguments)


def _print_figures(options: argparse.Namespace) -> None:
    folder = artifact_folder(options.artifact)
    card = load_card(folder)
    if card.task not in CROP_TASKS:
        raise ConfigError(f"{card.name} does not read crops of faces: there is nothing to mirror")
    # Before the data set is read, which takes half a minute.
    verified_file(folder, SERVED_FILE, card)
    figures = store_two_views(folder, load_data(card.task, options.data, card.input_size))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    sys.exit(main())

"""Evaluate a served artifact: ``python -m models.evaluate ARTIFACT --data DIR``.

Runs ``model.tflite`` in LiteRT over a split of its data set and prints all metrics. ``--tta`` averages the outputs for
each image and its mirror image (test-time augmentation), which is never served. ``--store`` runs the validation and the
test split and writes predictions and metrics: calibrated anew to ``predictions.npz``, with ``--tta`` to
``two_views.npz``. ``detector`` as ARTIFACT compares the face detectors, see ``models.measuring.detector``.
``--folder DIR`` evaluates detector and networks on labelled photographs, see ``models.measuring.own_images``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifacts.model_card import (
    DETECTOR_ARTIFACT,
    PREDICTIONS_FILE,
    SERVED_FILE,
    TWO_VIEWS_FILE,
    TWO_VIEWS_KEY,
    ModelCard,
    load_card,
    verified_file,
)
from core.attributes.estimator import LiteRTEstimator, LiteRTModel
from core.datasets.samples import Samples, fingerprint, resize_images
from core.datasets.splits import SplitDataset, read_split_file
from core.errors import ConfigError, DatasetError
from core.evaluation.calibration import calibration_metrics
from core.evaluation.fairness import fairness_metrics
from core.evaluation.metrics import classes_without_samples, summary_metrics
from core.evaluation.predict import evaluate_estimator, predict_images, predictions_from_outputs
from core.evaluation.predictions import Predictions, load_predictions, save_predictions
from core.tasks import ATTRIBUTE_TASKS, TASKS
from models.cli import add_data, artifact_folder, run
from models.exporting.model_card import read_card, write_card
from models.measuring import detector as evaluate_detector
from models.measuring import own_images
from models.measuring.calibration import fit_calibration
from models.training.tasks import load_data


def evaluate_file(file: Path, samples: Samples, task: str) -> dict[str, float]:
    """Compute the summary metrics of a LiteRT file that is not an artifact yet, without calibration."""
    model = LiteRTModel(file.read_bytes())
    outputs = predict_images(model, resize_images(samples.images, model.crop_shape[0]))
    return summary_metrics(predictions_from_outputs(outputs, samples, task))


def compute_metrics(predictions: Predictions, card: ModelCard) -> dict[str, float | int]:
    """Compute all metrics of one split, as on the card and with ``--json``."""
    return summary_metrics(predictions) | calibration_metrics(predictions, card) | fairness_metrics(predictions)


def store_predictions(folder: Path, data: SplitDataset, *, tta: bool = False) -> dict[str, Predictions]:
    """Run the served model over the validation and the test split; write the predictions and the card.

    The calibration is fitted on the validation split and holds for both; with ``tta`` it stays as it is.
    """
    estimator, raw = LiteRTEstimator(folder), read_card(folder)
    task, size = TASKS[estimator.card.task], estimator.card.input_size
    data.require(task.validation_split.name, task.test_split.name)
    outputs = {
        split: predict_images(estimator, resize_images(data.splits[split].images, size), _progress(split), tta=tta)
        for split in (task.validation_split.name, task.test_split.name)
    }
    if not tta:
        validation, target_sigma = task.validation_split.name, estimator.card.age_calibration.target_sigma
        raw |= fit_calibration(outputs[validation], data.splits[validation], target_sigma)
    card = ModelCard.from_dict(raw)
    predictions = {
        split: predictions_from_outputs(
            raw_outputs, data.splits[split], task.name, card.age_calibration, card.temperature
        )
        for split, raw_outputs in outputs.items()
    }
    save_predictions(folder / (TWO_VIEWS_FILE if tta else PREDICTIONS_FILE), predictions)
    if tta:
        raw[TWO_VIEWS_KEY] = {split: summary_metrics(of_split) for split, of_split in predictions.items()}
    else:
        raw["metrics"] = {split: compute_metrics(of_split, card) for split, of_split in predictions.items()}
    write_card(folder, raw)
    return predictions


def evaluate(
    folder: Path, data: SplitDataset, split: str, predictions: Predictions | None = None, *, tta: bool = False
) -> dict[str, object]:
    """Compute all metrics of the served model on one split, with the fingerprint of the split, the number of files or
    rows of the data set that were left out, the classes without images, which have no metrics, and notes on the copy.

    ``predictions`` on that split, if they exist already: otherwise the model is run.
    """
    if split not in data.splits:
        raise ConfigError(f"{data.name} has no split {split!r}: choose one of {', '.join(data.splits)}")
    data.require(split)
    samples = data.splits[split]
    if predictions is None:
        predictions = evaluate_estimator(LiteRTEstimator(folder), samples, _progress(split), tta=tta)
    metadata: dict[str, object] = {
        "artifact": folder.name,
        "dataset": data.name,
        "split": split,
        "test_time_augmentation": tta,
    }
    missing = classes_without_samples(predictions.task, predictions.truth)
    metadata |= {"fingerprint": fingerprint(samples.ids), "left_out": len(data.rejected)}
    metadata |= {"classes_without_images": [name for names in missing.values() for name in names]}
    metadata |= {"notes": list(data.notes)}
    return metadata | compute_metrics(predictions, load_card(folder))


def held_out_ids(folder: Path, card: ModelCard, data: SplitDataset) -> NDArray[np.str_]:
    """Return the ids of the images that the network did not learn from.

    Of UTKFace, these are the stored ones: in a partial copy, near-duplicates may have lost the image that settles their
    split, and come into another one.
    """
    task, file = TASKS[card.task], folder / PREDICTIONS_FILE
    if task.dataset.startswith("utkface") and file.is_file():
        return np.concatenate([predictions.ids for predictions in load_predictions(file).values()])
    return np.concatenate([data.splits[split.name].ids for split in task.splits])


def _select(data: SplitDataset, names: Sequence[str]) -> Samples:
    """Take the images of a published split, whichever of our splits they are in. Raises ``DatasetError`` for none."""
    parts = [samples.take(np.nonzero(np.isin(samples.ids, names))[0]) for samples in data.splits.values()]
    if not any(map(len, parts)):
        raise DatasetError(f"none of the {len(set(names))} files of the split is in the data folder")
    images = np.concatenate([samples.images for samples in parts])
    labels = {name: np.concatenate([samples.labels[name] for samples in parts]) for name in parts[0].labels}
    return Samples(np.concatenate([samples.ids for samples in parts]), images, labels)


def _progress(split: str) -> Callable[[float], None]:
    bar = tqdm(total=100, desc=split, unit="%", file=sys.stderr, leave=False)

    def advance(share: float) -> None:
        bar.update(round(share * 100) - bar.n)
        if share >= 1.0:
            bar.close()

    return advance


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] in (["detector"], [DETECTOR_ARTIFACT]):
        return evaluate_detector.main(arguments[1:])
    if any(argument.partition("=")[0] == "--folder" for argument in arguments):
        return own_images.main(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate",
        description="Evaluate a served artifact.",
        epilog="With --folder DIR instead: evaluate detector and networks on labelled photographs of your own.",
    )
    parser.add_argument("artifact", help="name of a folder in models/artifacts, or: detector")
    add_data(parser)
    splits = sorted({split.name for task in ATTRIBUTE_TASKS.values() for split in task.splits})
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--split", choices=splits, help="default: the test split")
    which.add_argument("--split-file", type=Path, help="CSV with a column 'file': a published split of UTKFace")
    parser.add_argument("--tta", action="store_true", help="average the outputs for each image and its mirror image")
    parser.add_argument("--store", action="store_true", help="write the predictions and the metrics on the card")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _print_metrics, arguments)


def _print_metrics(options: argparse.Namespace) -> None:
    metrics = _evaluate(options)
    if options.json:
        print(json.dumps(metrics, indent=2))
        return
    for name, value in metrics.items():
        if isinstance(value, list):
            value = ", ".join(value) or "none"
        text = f"{value:.4f}" if isinstance(value, float) else value
        print(f"{name:24} {text}")


def _evaluate(options: argparse.Namespace) -> dict[str, object]:
    folder = artifact_folder(options.artifact)
    card = load_card(folder)
    if not card.attributes:
        raise ConfigError(f"{card.name} is for {card.task!r}: evaluate it with: python -m models.evaluate detector")
    # Before the data set is read, which takes half a minute.
    verified_file(folder, SERVED_FILE, card)
    data = load_data(card.task, options.data, card.input_size)
    held_out = held_out_ids(folder, card, data)
    stored = store_predictions(folder, data, tta=options.tta) if options.store else {}
    split = options.split or TASKS[card.task].test_split.name
    if options.split_file:
        split = "file"
        data = replace(data, splits={split: _select(data, read_split_file(options.split_file))})
    metrics = evaluate(folder, data, split, stored.get(split), tta=options.tta)
    trained_on = int((~np.isin(data.splits[split].ids, held_out)).sum())
    if trained_on:
        print(f"warning: {card.name} was trained on {trained_on:,} of these images", file=sys.stderr)
    return metrics | {"images_learnt_from": trained_on}


if __name__ == "__main__":
    sys.exit(main())

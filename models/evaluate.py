"""Evaluate a served artifact: ``python -m models.evaluate ARTIFACT --data DIR``.

Runs ``model.tflite`` in LiteRT over a split of its data set and prints all metrics; the photographs of a photo split go
through the detector first. ``--views`` averages the outputs over several views of each face, as the app does with
photographs. ``--store`` runs the validation and the test split, and the photo splits that DIR has, and writes
predictions and metrics, calibrated anew: to ``predictions.npz``, with ``--views`` to ``several_views.npz``. With
``--split`` of a photo split it runs that one only, as the model is calibrated already.

``detector`` as ARTIFACT compares the face detectors, see ``models.measuring.detector``. ``--folder DIR`` evaluates
detector and networks on labelled photographs, see ``models.measuring.own_images``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifacts.model_card import (
    DETECTOR_ARTIFACT,
    PREDICTIONS_FILE,
    SERVED_FILE,
    SEVERAL_VIEWS_FILE,
    SEVERAL_VIEWS_KEY,
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
from models.measuring.photographs import predict_held_out, predict_photo_splits, predict_photographs
from models.training.tasks import load_data


def evaluate_file(file: Path, samples: Samples, task: str) -> dict[str, float]:
    """Compute the summary metrics of a LiteRT file that is not an artifact yet, without calibration."""
    model = LiteRTModel(file.read_bytes())
    outputs = predict_images(model, resize_images(samples.images, model.crop_shape[0]))
    return summary_metrics(predictions_from_outputs(outputs, samples, task))


def compute_metrics(predictions: Predictions, card: ModelCard) -> dict[str, float | int]:
    """Compute all metrics of one split, as on the card and with ``--json``."""
    return summary_metrics(predictions) | calibration_metrics(predictions, card) | fairness_metrics(predictions)


def store_predictions(
    folder: Path, data: SplitDataset, photos: Path | None = None, *, views: int = 1
) -> dict[str, Predictions]:
    """Run the served model over the validation and the test split; write the predictions and the card.

    The calibration, another one for several ``views``, holds for all splits. ``photos``: folder that may have the
    photographs of the photo splits.
    """
    estimator, raw = LiteRTEstimator(folder), read_card(folder)
    task, size = TASKS[estimator.card.task], estimator.card.input_size
    data.require(task.validation_split.name, task.test_split.name)
    outputs = {
        split: predict_images(
            estimator, resize_images(data.splits[split].images, size), show_progress(split), views=views
        )
        for split in (task.validation_split.name, task.test_split.name)
    }
    validation = task.validation_split.name
    fitted = _fit(estimator, outputs[validation], data.splits[validation].labels, photos, views)
    # The confidence thresholds stay: they are about calibrated confidences.
    raw |= fitted if views == 1 else {"several_views_calibration": fitted}
    card = ModelCard.from_dict(raw).for_views(views)
    predictions = {
        split: predictions_from_outputs(
            raw_outputs, data.splits[split], task.name, card.age_calibration, card.temperature
        )
        for split, raw_outputs in outputs.items()
    }
    write_card(folder, raw)
    if photos is not None:
        predictions |= predict_photo_splits(folder, card, photos, show_progress, views)
    save_predictions(folder / (PREDICTIONS_FILE if views == 1 else SEVERAL_VIEWS_FILE), predictions)
    write_card(folder, raw | describe_predictions(predictions, card, raw["data"], views))
    return predictions


def describe_predictions(
    predictions: Mapping[str, Predictions], card: ModelCard, data: Mapping[str, Any], views: int = 1
) -> dict[str, Any]:
    """Return what a card with ``data`` says about stored predictions."""
    metrics = {split: compute_metrics(of_split, card) for split, of_split in predictions.items()}
    if views > 1:
        return {SEVERAL_VIEWS_KEY: {split: {"views": views} | values for split, values in metrics.items()}}
    fingerprints = {split: fingerprint(of_split.all_ids) for split, of_split in predictions.items()}
    return {"metrics": metrics, "data": dict(data) | {"fingerprints": data.get("fingerprints", {}) | fingerprints}}


def _fit(
    estimator: LiteRTEstimator,
    outputs: Mapping[str, NDArray[np.float32]],
    labels: Mapping[str, NDArray[np.int64]],
    photos: Path | None,
    views: int,
) -> dict[str, Any]:
    """Fit the calibration to the validation split and, for tasks with photo splits, to as many held-out photographs."""
    card = estimator.card
    if photos is not None and TASKS[card.task].photo_splits:
        try:
            more_outputs, more_labels = predict_held_out(estimator, photos, show_progress("held out"), views)
            outputs = {name: np.concatenate([values, more_outputs[name]]) for name, values in outputs.items()}
            labels = {name: np.concatenate([labels[name], values]) for name, values in more_labels.items()}
        except DatasetError as error:
            print(f"warning: calibrated without FairFace: {error}", file=sys.stderr)
    return fit_calibration(outputs, labels, card.age_calibration.target_sigma)


def evaluate(
    folder: Path, data: SplitDataset, split: str, predictions: Predictions | None = None, *, views: int = 1
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
        predictions = evaluate_estimator(LiteRTEstimator(folder), samples, show_progress(split), views=views)
    metadata: dict[str, object] = {
        "artifact": folder.name,
        "dataset": data.name,
        "split": split,
        "views": views,
    }
    missing = classes_without_samples(predictions.task, predictions.truth)
    metadata |= {"fingerprint": fingerprint(samples.ids), "left_out": len(data.rejected)}
    metadata |= {"classes_without_images": [name for names in missing.values() for name in names]}
    metadata |= {"notes": list(data.notes)}
    return metadata | compute_metrics(predictions, load_card(folder).for_views(views))


def evaluate_photo_split(
    folder: Path, data_dir: Path, split: str, *, views: int = 1, store: bool = False
) -> dict[str, object]:
    """Compute all metrics of detector and served model on one photo split, and the fingerprint of its images.

    ``store``: also write its predictions beside those of the other splits. Raises ``DatasetError``.
    """
    predictions, card = predict_photographs(folder, split, data_dir, show_progress, views=views), load_card(folder)
    if store:
        file, raw = folder / (PREDICTIONS_FILE if views == 1 else SEVERAL_VIEWS_FILE), read_card(folder)
        splits = (load_predictions(file) if file.is_file() else {}) | {split: predictions}
        save_predictions(file, splits)
        write_card(folder, raw | describe_predictions(splits, card.for_views(views), raw["data"], views))
    metadata = {"artifact": folder.name, "split": split, "views": views}
    metrics = compute_metrics(predictions, card.for_views(views))
    return metadata | {"fingerprint": fingerprint(predictions.all_ids)} | metrics


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


def show_progress(split: str) -> Callable[[float], None]:
    """Show a bar; returns what moves it to a share done."""
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
    splits = sorted({split.name for task in ATTRIBUTE_TASKS.values() for split in (*task.splits, *task.photo_splits)})
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--split", choices=splits, help="default: the test split")
    which.add_argument("--split-file", type=Path, help="CSV with a column 'file': a published split of UTKFace")
    parser.add_argument("--views", type=int, choices=range(1, 9), default=1, help="views per face (default: 1)")
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
    split, views = options.split or TASKS[card.task].test_split.name, options.views
    if TASKS[card.task].is_photo_split(split):
        return evaluate_photo_split(folder, options.data, split, views=views, store=options.store)
    data = load_data(card.task, options.data, card.input_size)
    held_out = held_out_ids(folder, card, data)
    stored = store_predictions(folder, data, options.data, views=views) if options.store else {}
    if options.split_file:
        split = "file"
        data = replace(data, splits={split: _select(data, read_split_file(options.split_file))})
    metrics = evaluate(folder, data, split, stored.get(split), views=views)
    trained_on = int((~np.isin(data.splits[split].ids, held_out)).sum())
    if trained_on:
        print(f"warning: {card.name} was trained on {trained_on:,} of these images", file=sys.stderr)
    return metrics | {"images_learnt_from": trained_on}


if __name__ == "__main__":
    sys.exit(main())

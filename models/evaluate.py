"""Evaluate a served artifact: ``python -m models.evaluate ARTIFACT --data DIR``.

Runs ``model.tflite`` in LiteRT over a side of its data set and prints every figure. ``--store`` runs it over the sides
that are reported, calibrates it and writes ``predictions.npz`` and the figures on the card. ``detector`` in place of an
artifact compares the face detectors, see ``models.measuring.detector``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
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
from core.datasets.samples import Samples, concatenated, fingerprint, resized
from core.datasets.splits import SplitDataset, read_split_file
from core.errors import ConfigError, DatasetError
from core.evaluation.calibration import calibration_metrics
from core.evaluation.fairness import fairness_metrics
from core.evaluation.metrics import summary_metrics
from core.evaluation.predict import evaluate_estimator, predict_images, predictions_from_outputs
from core.evaluation.predictions import Predictions, save_predictions
from core.tasks import ATTRIBUTE_TASKS, TASKS
from models.cli import add_data, artifact_folder, run
from models.exporting.model_card import read_card, write_card
from models.measuring import detector as evaluate_detector
from models.measuring.calibration import fitted_calibration
from models.training.tasks import load_data

Outputs = dict[str, NDArray[np.float32]]


def evaluate_file(file: Path, samples: Samples, task: str) -> dict[str, float]:
    """Summary metrics of a LiteRT file that is not an artifact yet."""
    model = LiteRTModel(file.read_bytes())
    outputs = predict_images(model, resized(samples.images, model.crop_shape[0]))
    return summary_metrics(predictions_from_outputs(outputs, samples, task))


def figures_of(predictions: Predictions, card: ModelCard) -> dict[str, float | int]:
    """All metrics of one split, as on the card and with ``--json``."""
    return summary_metrics(predictions) | calibration_metrics(predictions, card) | fairness_metrics(predictions)


def store_predictions(folder: Path, data: SplitDataset) -> dict[str, Predictions]:
    """Run the served model over the validation and the test split; write ``predictions.npz`` and the card.

    The calibration is fitted on the validation split and holds for both.
    """
    estimator = LiteRTEstimator(folder)
    task = TASKS[estimator.card.task]
    outputs = _outputs(estimator, data)
    validation = task.validation_split.name
    target_sigma = estimator.card.age_calibration.target_sigma
    raw = read_card(folder) | fitted_calibration(outputs[validation], data.splits[validation], target_sigma)
    card = ModelCard.from_dict(raw)
    predictions = _postprocess(outputs, data, card)
    save_predictions(folder / PREDICTIONS_FILE, predictions)
    raw["metrics"] = {split: figures_of(of_split, card) for split, of_split in predictions.items()}
    write_card(folder, raw)
    return predictions


def store_tta(folder: Path, data: SplitDataset) -> dict[str, Predictions]:
    """Run the served model over the same splits with flip test-time augmentation; write ``two_views.npz`` and the card.

    The calibration is the stored one, fitted without augmentation.
    """
    estimator = LiteRTEstimator(folder)
    predictions = _postprocess(_outputs(estimator, data, tta=True), data, estimator.card)
    save_predictions(folder / TWO_VIEWS_FILE, predictions)
    figures = {split: summary_metrics(of_split) for split, of_split in predictions.items()}
    write_card(folder, read_card(folder) | {TWO_VIEWS_KEY: figures})
    return predictions


def _outputs(estimator: LiteRTEstimator, data: SplitDataset, *, tta: bool = False) -> dict[str, Outputs]:
    """Raw outputs on the validation and the test split, by name of the split."""
    task, size = TASKS[estimator.card.task], estimator.card.input_size
    return {
        name: predict_images(estimator, resized(data.splits[name].images, size), _bar(name), tta=tta)
        for name in (task.validation_split.name, task.test_split.name)
    }


def _postprocess(outputs: Mapping[str, Outputs], data: SplitDataset, card: ModelCard) -> dict[str, Predictions]:
    return {
        split: predictions_from_outputs(of_split, data.splits[split], card.task, card.age_calibration, card.temperature)
        for split, of_split in outputs.items()
    }


def evaluate(
    folder: Path, data: SplitDataset, split: str, predictions: Predictions | None = None, *, tta: bool = False
) -> dict[str, object]:
    """Compute all metrics of the served model on one split, with the fingerprint of the split.

    ``predictions`` on that split, if they exist already: otherwise the model is run.
    """
    if split not in data.splits:
        raise ConfigError(f"{data.name} has no split {split!r}: choose one of {', '.join(data.splits)}")
    samples = data.splits[split]
    if predictions is None:
        predictions = evaluate_estimator(LiteRTEstimator(folder), samples, _bar(split), tta=tta)
    metadata = {"artifact": folder.name, "dataset": data.name, "split": split, "test_time_augmentation": tta}
    return metadata | {"fingerprint": fingerprint(samples.ids)} | figures_of(predictions, load_card(folder))


def _also_learnt_from(card: ModelCard, data: SplitDataset, split: SplitDataset) -> int:
    """How many images of ``split`` the network has seen in training: figures on those flatter it."""
    reported = [data.splits[one.name].ids for one in TASKS[card.task].splits]
    return int((~np.isin(split.splits["file"].ids, np.concatenate(reported))).sum())


def _only(data: SplitDataset, names: list[str]) -> SplitDataset:
    """The images of a published split, whichever of our sides they are on."""
    wanted = set(names)
    parts = [samples.take(np.nonzero(np.isin(samples.ids, names))[0]) for samples in data.splits.values()]
    together = concatenated(parts)
    if len(together) == 0:
        raise DatasetError(f"none of the {len(wanted)} files of the split is in the data folder")
    return replace(data, splits={"file": together})


def _bar(split: str) -> Callable[[float], None]:
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
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description="Evaluate a served artifact.")
    parser.add_argument("artifact", help="name of a folder in models/artifacts, or: detector")
    add_data(parser)
    splits = sorted({split.name for task in ATTRIBUTE_TASKS.values() for split in task.splits})
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--split", choices=splits, help="default: the test split")
    which.add_argument("--split-file", type=Path, help="CSV with a column 'file': a published split of UTKFace")
    parser.add_argument("--tta", action="store_true", help="average over each image and its mirror image")
    parser.add_argument("--store", action="store_true", help="write the predictions and the metrics on the card")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _print_figures, arguments)


def _print_figures(options: argparse.Namespace) -> None:
    figures = _run(options)
    print(json.dumps(figures, indent=2) if options.json else _table(figures))


def _run(options: argparse.Namespace) -> dict[str, object]:
    folder = artifact_folder(options.artifact)
    card = load_card(folder)
    if not card.attributes:
        raise ConfigError(
            f"{card.name} is for {card.task!r}, which is evaluated by: python -m models.evaluate detector"
        )
    # Before the data set is read, which takes half a minute.
    verified_file(folder, SERVED_FILE, card)
    data = load_data(card.task, options.data, card.input_size)
    store = store_tta if options.tta else store_predictions
    stored = store(folder, data) if options.store else {}
    split = options.split or TASKS[card.task].test_split.name
    if not options.split_file:
        return evaluate(folder, data, split, stored.get(split), tta=options.tta)
    split = _only(data, read_split_file(options.split_file))
    learnt_from = _also_learnt_from(card, data, split)
    if learnt_from:
        print(f"warning: {card.name} was trained on {learnt_from:,} of these images", file=sys.stderr)
    return evaluate(folder, split, "file", tta=options.tta) | {"images_learnt_from": learnt_from}


def _table(figures: dict[str, object]) -> str:
    return "\n".join(
        f"{name:24} {value:.4f}" if isinstance(value, float) else f"{name:24} {value}"
        for name, value in figures.items()
    )


if __name__ == "__main__":
    sys.exit(main())

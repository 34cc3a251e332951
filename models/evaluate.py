"""Evaluate a served artifact: ``python -m models.evaluate ARTIFACT --data DIR``.

Runs ``model.tflite`` in LiteRT over a side of its data set and prints every figure. ``--store`` runs it over the sides
that are reported, calibrates it and writes ``predictions.npz`` and the figures on the card. ``detector`` in place of an
artifact compares the face detectors, see ``models.measuring.detector``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.artifacts.model_card import (
    CROP_TASKS,
    DETECTOR_ARTIFACT,
    PREDICTIONS_FILE,
    SERVED_FILE,
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
from core.evaluation.predict import evaluate_samples, predict_images, predictions_from_outputs
from core.evaluation.predictions import Predictions, save_predictions
from core.tasks import EVALUATION_SPLITS
from models.cli import add_data, artifact_folder, run
from models.exporting.model_card import read_card, write_card
from models.measuring import detector as evaluate_detector
from models.measuring.calibration import fitted_calibration
from models.training.data_sets import REPORTED_SPLITS, load_data


def figures_of_file(file: Path, samples: Samples) -> dict[str, float]:
    """Headline figures of a LiteRT file that is not an artifact yet."""
    model = LiteRTModel(file.read_bytes())
    outputs = predict_images(model, resized(samples.images, model.crop_shape[0]))
    return summary_metrics(predictions_from_outputs(outputs, samples))


def figures_of(predictions: Predictions, card: ModelCard) -> dict[str, float | int]:
    """What the card and ``--json`` say about one side."""
    return summary_metrics(predictions) | calibration_metrics(predictions, card) | fairness_metrics(predictions)


def store_predictions(folder: Path, data: SplitDataset) -> dict[str, Predictions]:
    """Run the served model over the reported sides; write ``predictions.npz``, calibration and figures on the card.

    The calibration is fitted on the side that training chose on and holds for both.
    """
    estimator = LiteRTEstimator(folder)
    splits = REPORTED_SPLITS[estimator.card.task]
    size = estimator.card.input_size
    outputs = {
        split: predict_images(estimator, resized(data.splits[split].images, size), _bar(split)) for split in splits
    }
    target_sigma = estimator.card.age_calibration.target_sigma
    raw = read_card(folder) | fitted_calibration(outputs[splits[0]], data.splits[splits[0]], target_sigma)
    card = ModelCard.from_dict(raw)
    predictions = {
        split: predictions_from_outputs(
            outputs[split], data.splits[split], card.age_calibration, card.temperature, card.task
        )
        for split in splits
    }
    save_predictions(folder / PREDICTIONS_FILE, predictions)
    raw["metrics"] = {split: figures_of(one, card) for split, one in predictions.items()}
    write_card(folder, raw)
    return predictions


def evaluate(folder: Path, data: SplitDataset, split: str, predictions: Predictions | None = None) -> dict[str, object]:
    """Every figure of the served model on one side, with the side's fingerprint.

    ``predictions`` on that side, if there are any yet: otherwise the model is run.
    """
    if split not in data.splits:
        raise ConfigError(f"{data.name} has no side {split!r}: choose one of {', '.join(data.splits)}")
    samples = data.splits[split]
    answered = evaluate_samples(folder, samples, _bar(split)) if predictions is None else predictions
    facts = {"artifact": folder.name, "dataset": data.name, "split": split, "test_time_augmentation": False}
    return facts | {"fingerprint": fingerprint(samples.ids)} | figures_of(answered, load_card(folder))


def _also_learnt_from(card: ModelCard, data: SplitDataset, split: SplitDataset) -> int:
    """How many images of ``split`` the network has seen in training: figures on those flatter it."""
    reported = [data.splits[split].ids for split in REPORTED_SPLITS[card.task]]
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
    splits = sorted({split.split for split in EVALUATION_SPLITS})
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--split", choices=splits, help="default: for reporting")
    which.add_argument("--split-file", type=Path, help="CSV with a column 'file': a published split of UTKFace")
    parser.add_argument("--store", action="store_true", help="write predictions.npz and the figures on the card")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _print_figures, arguments)


def _print_figures(options: argparse.Namespace) -> None:
    figures = _run(options)
    print(json.dumps(figures, indent=2) if options.json else _table(figures))


def _run(options: argparse.Namespace) -> dict[str, object]:
    folder = artifact_folder(options.artifact)
    card = load_card(folder)
    if card.task not in CROP_TASKS:
        raise ConfigError(
            f"{card.name} is for {card.task!r}, which is evaluated by: python -m models.evaluate detector"
        )
    # Before the data set is read, which takes half a minute.
    verified_file(folder, SERVED_FILE, card)
    data = load_data(card.task, options.data, card.input_size)
    stored = store_predictions(folder, data) if options.store else {}
    split = options.split or REPORTED_SPLITS[card.task][1]
    if not options.split_file:
        return evaluate(folder, data, split, stored.get(split))
    split = _only(data, read_split_file(options.split_file))
    learnt_from = _also_learnt_from(card, data, split)
    if learnt_from:
        print(f"warning: {card.name} was trained on {learnt_from:,} of these images", file=sys.stderr)
    return evaluate(folder, split, "file") | {"images_learnt_from": learnt_from}


def _table(figures: dict[str, object]) -> str:
    return "\n".join(
        f"{name:24} {value:.4f}" if isinstance(value, float) else f"{name:24} {value}"
        for name, value in figures.items()
    )


if __name__ == "__main__":
    sys.exit(main())

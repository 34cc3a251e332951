"""Refit the confidence thresholds of installed artifacts: ``python -m models thresholds [ARTIFACT ...]``.

Reads the stored predictions only, so no data set is needed: thresholds are fitted on the validation split, and the card
gets the coverage and selective accuracy of every split.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.artifacts.model_card import PREDICTIONS_FILE, ModelCard, list_artifacts
from core.evaluation.calibration import calibration_metrics
from core.evaluation.predictions import load_predictions
from core.tasks import TASKS
from models.cli import artifact_folder, run
from models.exporting.model_card import read_card, write_card
from models.measuring.calibration import fit_confidence_threshold

_METRICS = ("kept_share", "kept_accuracy")


def refit_thresholds(folder: Path) -> dict[str, float]:
    """Fit and store the thresholds of one artifact; returns output -> threshold.

    Raises ``ArtifactError`` if its predictions cannot be read.
    """
    card, splits = read_card(folder), load_predictions(folder / PREDICTIONS_FILE)
    validation = splits[TASKS[card["task"]].validation_split.name]
    thresholds = {
        output: fit_confidence_threshold(probabilities, validation.truth[output])
        for output, probabilities in validation.probabilities.items()
    }
    card["min_confidence"] = thresholds
    fitted = ModelCard.from_dict(card)
    for split, predictions in splits.items():
        metrics = calibration_metrics(predictions, fitted)
        measured = {name: value for name, value in metrics.items() if name.endswith(_METRICS)}
        card["metrics"][split] = {
            name: value
            for name, value in (card["metrics"][split] | measured).items()
            if name in measured or not name.endswith(_METRICS)
        }
    write_card(folder, card)
    return thresholds


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models thresholds", description="Refit confidence thresholds from stored predictions."
    )
    parser.add_argument("artifacts", nargs="*", metavar="ARTIFACT", help="names of artifacts (default: all)")
    return run(parser, _refit, arguments)


def _refit(options: argparse.Namespace) -> None:
    classifiers = [artifact.name for artifact in list_artifacts() if artifact.card and artifact.card.min_confidence]
    for name in options.artifacts or classifiers:
        thresholds = refit_thresholds(artifact_folder(name))
        print(f"{name:28} " + ", ".join(f"{output} {threshold}" for output, threshold in thresholds.items()))


if __name__ == "__main__":
    sys.exit(main())

"""What more weight for rare ages changed: ``python -m models.reweighting ARTIFACT --before FILE.npz``.

Compares the artifact's stored predictions with those of a network trained without the weights (``models.training.age_weights``),
on the side that training chose on and on the one for reporting, and stores ``reweighting.json`` beside the card.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.artifacts.model_card import PREDICTIONS_FILE, load_card, sha256_of, verified_file
from core.errors import ConfigError, FacetError
from core.evaluation.predictions import AgeGenderPredictions, Predictions, load_predictions
from core.evaluation.reweighting import Change, ReweightingReport, SideChange, compared, save_reweighting
from core.tasks import side_for
from models.cli import sentence
from models.exporting.model_card import read_card, write_card
from models.installed import artifact_folder

WHAT_CHANGED = "People over 60, who are few in the training images, were given more weight in training."


def compare(folder: Path, before: Path, what_changed: str = WHAT_CHANGED) -> ReweightingReport:
    """The predictions stored in ``folder`` against those in the file ``before``.

    Raises ``ArtifactError`` for a file that is missing or altered, ``ConfigError`` for a network that does not answer
    age and gender, and for files that are not about the same people.
    """
    card = load_card(folder)
    if card.task != "age_gender":
        raise ConfigError(f"only networks for age_gender can be compared by age, {card.name} is for {card.task}")
    file = verified_file(folder, PREDICTIONS_FILE, card)
    sides = [side_for(card.task, chosen_on=chosen_on).side for chosen_on in (True, False)]
    old, new = load_predictions(before), load_predictions(file)
    changes = {side: compared(_of_side(old, side, before), _of_side(new, side, file)) for side in sides}
    return ReweightingReport(folder.name, what_changed, sha256_of(before), sha256_of(file), changes)


def store(folder: Path, report: ReweightingReport) -> None:
    """Write the report and list it on the card."""
    save_reweighting(folder, report)
    write_card(folder, read_card(folder))


def report_text(report: ReweightingReport) -> str:
    """One line a side and age bracket, for the command line; a star where the change is more than chance."""
    lines = []
    for name, side in report.sides.items():
        lines += [f"{name:12} people  age error (years)           perceived gender (% right)", *_lines(side)]
    return "\n".join(lines)


def _lines(side: SideChange) -> list[str]:
    return [
        f"{one.label:12} {one.age_mae.n:6}  {_text(one.age_mae, 1.0)}   {_text(one.gender_accuracy, 100.0)}"
        for one in side.groups
    ]


def _text(change: Change, scale: float) -> str:
    before, after, by = (scale * one.value for one in (change.before, change.after, change.change))
    return f"{before:6.2f} -> {after:6.2f} ({by:+.2f}){' ' if change.may_be_chance else '*'}"


def _of_side(sides: dict[str, Predictions], side: str, file: Path) -> AgeGenderPredictions:
    found = sides.get(side)
    if not isinstance(found, AgeGenderPredictions):
        raise ConfigError(f"{file} has no answers about age and gender on {side!r}, only sides {', '.join(sides)}")
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.reweighting", description="Compare before and after.")
    parser.add_argument("artifact", help="name of a folder in models/artifacts: the network trained with weights")
    parser.add_argument("--before", type=Path, required=True, help="predictions.npz of the network without them")
    parser.add_argument(
        "--what", type=sentence, default=WHAT_CHANGED, help="what changed in between, a sentence for the page"
    )
    options = parser.parse_args(arguments)
    try:
        folder = artifact_folder(options.artifact)
        report = compare(folder, options.before, options.what)
        store(folder, report)
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(report_text(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())

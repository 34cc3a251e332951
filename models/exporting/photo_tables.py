"""Results on whole photographs, one view per face and several, as parts of ``docs/results.md``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.artifacts.model_card import PREDICTIONS_FILE, SEVERAL_VIEWS_KEY, ModelCard
from core.errors import ArtifactMissingError
from core.evaluation.fairness import fairness_report, group_table
from core.evaluation.metrics import bracket_report, class_report
from core.evaluation.predictions import Predictions, load_predictions
from core.evaluation.tables import class_table
from core.tasks import ALL_AGE_FACES, FAIRFACE, Split
from models.exporting.markdown import to_markdown

_ARTIFACT = "age_gender"
_PHOTO_METRICS = (
    *("found_share", "gender_end_to_end", "gender_accuracy", "recall_female", "recall_male", "gender_ece"),
    *("bracket_accuracy", "bracket_within_one", "age_mae", "interval_coverage"),
)
_MEASURE_AGAIN = "measure it with: python -m models evaluate age_gender --data DIR --store"


def load_photographs(artifacts: Path, split: Split) -> Predictions:
    """Load predictions of photographs. Raises ``ArtifactMissingError`` where they were not measured."""
    file = artifacts / _ARTIFACT / PREDICTIONS_FILE
    predictions = load_predictions(file)
    if split.name not in predictions:
        raise ArtifactMissingError(f"{file} has nothing on {split.title}: {_MEASURE_AGAIN}")
    return predictions[split.name]


def tabulate_photographs(artifacts: Path, card: ModelCard) -> list[str]:
    """Return the paragraphs and tables about all photo splits; FairFace must have been measured."""
    fairface = load_photographs(artifacts, FAIRFACE)
    several = card.raw[SEVERAL_VIEWS_KEY]
    rows = [
        {"test_set": split.title, "views": metrics.get("views", 1)}
        | {name: metrics.get(name) for name in _PHOTO_METRICS}
        for split in (FAIRFACE, ALL_AGE_FACES)
        for metrics in (card.metrics.get(split.name, {}), several.get(split.name, {}))
        if metrics
    ]
    return [
        "The detector finds the face first; the label is about the largest one. All but the first two figures are of "
        "the faces found. One view per face is what live video gets, several what photographs get.",
        to_markdown(pd.DataFrame(rows)),
        f"{FAIRFACE.title}, one view, by race label:",
        to_markdown(group_table(fairness_report(fairface, ["fairface_race"])).drop(columns="small_group")),
        "By perceived gender and by age bracket:",
        to_markdown(class_table(class_report(fairface, "gender"))),
        to_markdown(class_table(bracket_report(fairface))),
    ]

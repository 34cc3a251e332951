"""How often the answer about one face changes with the picture of it: a frozen report, its file, and its table.

``python -m models consistency`` measures it; ``consistency.json`` holds numbers only, no pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.artifacts.model_card import CONSISTENCY_FILE, ModelCard
from core.artifacts.storage import load_verified_json, save_json
from core.errors import ArtifactCorruptError
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.robustness import served_sha256
from core.evaluation.tables import interval_columns


@dataclass(frozen=True)
class AnswerChanges:
    """Changes of the most probable class against the picture as it is, with ``views`` per face.

    ``answers``: share of all answers about changed pictures; ``faces``: share of the faces with any such answer;
    ``by_change``: change of the picture -> share; ``certain``: as ``answers``, of faces whose answer is not shown as
    uncertain; ``confidence``: mean stated confidence, which should not exceed the share of answers that stay;
    ``age_years``: mean absolute change of the age, ``None`` without one.
    """

    views: int
    answers: MetricValue
    faces: MetricValue
    by_change: Mapping[str, float]
    certain: MetricValue
    confidence: float
    age_years: float | None = None


@dataclass(frozen=True)
class ConsistencyReport:
    """One network behind Facet's detector. ``images``: portraits; ``found``: those whose face was found in the picture
    as it is and after every change, which count; ``fingerprint``: of the ids of the images. The SHA-256 are those of
    the served files."""

    artifact: str
    output: str
    model_sha256: str
    detector_sha256: str
    images: int
    found: int
    fingerprint: str
    elapsed_s: float
    by_views: tuple[AnswerChanges, ...]

    def __post_init__(self) -> None:
        if not 0 < self.found <= self.images:
            raise ValueError(f"found must be in 1..{self.images}, got {self.found}")
        if not self.by_views or any(changes.faces.n != self.found for changes in self.by_views):
            raise ValueError(f"changes must be of {self.found} faces, for at least one number of views")

    def changes(self, views: int) -> AnswerChanges:
        """Return the changes with so many views. Raises ``KeyError`` if they were not measured."""
        return {changes.views: changes for changes in self.by_views}[views]


def count_changes(
    views: int,
    probabilities: Mapping[str, NDArray[np.floating]],
    min_confidence: float,
    ages: Mapping[str, NDArray[np.floating]] | None = None,
) -> AnswerChanges:
    """Count changes. ``probabilities``: change of the picture -> (N, K) of N faces, and ``ages`` their years; the first
    is the picture as it is. Answers of at least ``min_confidence`` are certain."""
    (_, original), *changed = probabilities.items()
    differs = {name: values.argmax(axis=1) != original.argmax(axis=1) for name, values in changed}
    every = np.stack(list(differs.values()))
    certain = every[:, original.max(axis=1) >= min_confidence]
    age_years = None
    if ages is not None:
        (_, years), *others = ages.items()
        age_years = float(np.mean([np.abs(values - years).mean() for _, values in others]))
    return AnswerChanges(
        views,
        wilson_interval(int(every.sum()), every.size),
        wilson_interval(int(every.any(axis=0).sum()), len(original)),
        {name: float(values.mean()) for name, values in differs.items()},
        wilson_interval(int(certain.sum()), certain.size),
        float(np.mean([values.max(axis=1).mean() for values in probabilities.values()])),
        age_years,
    )


def consistency_table(report: ConsistencyReport) -> pd.DataFrame:
    """Tabulate one row per number of views: shares of changed answers and faces, the change of the age in years."""
    table = pd.DataFrame(
        {
            "views": [changes.views for changes in report.by_views],
            **interval_columns("changed_answers_share", [changes.answers for changes in report.by_views]),
            **interval_columns("changed_faces_share", [changes.faces for changes in report.by_views]),
            **interval_columns("changed_certain_answers_share", [changes.certain for changes in report.by_views]),
            "mean_confidence": [changes.confidence for changes in report.by_views],
        }
    )
    for name in report.by_views[0].by_change:
        table[f"{name}_share"] = [changes.by_change[name] for changes in report.by_views]
    if report.by_views[0].age_years is not None:
        table["age_change_years"] = [changes.age_years for changes in report.by_views]
    return table


def consistency_command(artifact: str) -> str:
    """The command line that measures an artifact."""
    return f"python -m models consistency {artifact} --data DIR"


def save_consistency(folder: Path, report: ConsistencyReport) -> None:
    """Write ``consistency.json``."""
    save_json(Path(folder) / CONSISTENCY_FILE, report)


def load_consistency(folder: Path, card: ModelCard) -> ConsistencyReport:
    """Read the report that the card lists. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``.

    A report about another network than the one on the card is corrupt as well.
    """
    file = Path(folder) / CONSISTENCY_FILE
    advice = f"Measure it again with: {consistency_command(Path(folder).name)}"
    report = load_verified_json(file, card.files, ConsistencyReport, advice)
    if report.model_sha256 != served_sha256(card):
        raise ArtifactCorruptError(f"{file} was measured on another network than the one installed now. {advice}")
    return report

"""What the leaderboard measures, and what the authors of networks claim about it.

Figures can be compared only where the same thing was measured on the same images. Claims seldom were, so they are
repeated word for word, with a note on what sets them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.artifacts.model_card import ModelCard
from core.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured: ``figure`` is the key on the cards of ``tasks``, ``output`` that of the reported results,
    ``unit`` is ``%`` (a share in [0, 1], more is better) or ``years`` (less is better)."""

    key: str
    title: str
    dataset: str
    figure: str
    output: str
    unit: str

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks whose models have the metric on the data set."""
        return tuple(
            name for name, task in TASKS.items() if task.dataset == self.dataset and self.figure in task.metrics
        )

    @property
    def data_set(self) -> str:
        """The name of the data set as reported results spell it."""
        return "FER2013" if self.dataset.startswith("fer2013") else "UTKFace"

    @property
    def lower_is_better(self) -> bool:
        return self.unit == "years"

    @property
    def claimed_as(self) -> str:
        """The ``measure`` of claims that are in the same unit."""
        return "mae" if self.lower_is_better else "accuracy"


MEASURES: tuple[Measure, ...] = (
    Measure("emotion", "Emotion, seven classes", "fer2013", "accuracy", "emotion", "%"),
    Measure("emotion_five", "Emotion, five classes", "fer2013_five", "accuracy", "emotion", "%"),
    Measure("gender", "Gender as perceived", "utkface", "gender_accuracy", "gender", "%"),
    Measure("gender_published", "Perceived gender, 21 to 60", "utkface_published", "gender_accuracy", "gender", "%"),
    Measure("age", "Age in years", "utkface", "age_mae", "age", "years"),
    Measure("age_published", "Age, 21 to 60", "utkface_published", "age_mae", "age", "years"),
    Measure("age_group", "Age group", "utkface", "age_group_accuracy", "age_group", "%"),
)


@dataclass(frozen=True, slots=True)
class ReportedResult:
    """A figure as its authors, or a report, state it. ``note`` says how far it can be set against the measured one."""

    text: str
    source: str
    note: str


def reported_results_for(measure: Measure, card: ModelCard) -> tuple[ReportedResult, ...]:
    """The card's claims about ``measure``, as they were made. Raises ``KeyError`` where one is malformed."""
    return tuple(
        ReportedResult(str(one["text"]), str(one["source"]), comparability_note(measure, one))
        for one in card.claims
        if one["output"] == measure.output
    )


def comparability_note(measure: Measure, claim: Mapping[str, Any]) -> str:
    """How a claim and the measured figure differ, in plain words."""
    if claim["measure"] != measure.claimed_as:
        return (
            "a share of right answers: what counts as right, and on which images, is not said; measured here in years"
        )
    if measure.data_set in str(claim["text"]):
        return f"on {measure.data_set}, not necessarily on the images that count here"
    return "on other images than measured here, or not said on which"

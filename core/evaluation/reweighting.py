"""What more weight for rare ages in training changed: errors of two networks on the same people, by true age.

The comparison is made by ``python -m models.reweighting``; ``reweighting.json`` holds numbers only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts.listed_reports import load_listed, measured_from, save_json, text_from
from core.artifacts.model_card import PREDICTIONS_FILE, ModelCard
from core.errors import ArtifactCorruptError, ConfigError
from core.evaluation.age_brackets import AGE_BRACKETS, bracket_indices
from core.evaluation.intervals import Measured, mean_absolute, mean_change, proportion
from core.evaluation.json_values import without_nan
from core.evaluation.predictions import AgeGenderPredictions

REWEIGHTING_FILE = "reweighting.json"
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after, and its change (after minus before) for each person on average.

    The interval of ``change`` is the one to judge by: both networks answered about the same people, so it is narrower
    than those of ``before`` and ``after`` suggest.
    """

    before: Measured
    after: Measured
    change: Measured

    def __post_init__(self) -> None:
        if not self.before.n == self.after.n == self.change.n:
            raise ValueError(f"all three must be of the same people, got {self}")

    @property
    def n(self) -> int:
        return self.change.n

    @property
    def may_be_chance(self) -> bool:
        """Whether no change at all would be within the interval, or that is not known."""
        return not (self.change.low > 0 or self.change.high < 0)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """People of one true age bracket, or everybody: mean age error in years and perceived gender accuracy (0-1)."""

    label: str
    age_mae: Change
    gender_accuracy: Change

    def __post_init__(self) -> None:
        if self.age_mae.n != self.gender_accuracy.n:
            raise ValueError(f"both figures must be of the same people, got {self}")


@dataclass(frozen=True, slots=True)
class SideChange:
    """On one side of the data set; ``brackets`` in the order of ``AGE_BRACKETS``, also those without people."""

    everybody: GroupChange
    brackets: tuple[GroupChange, ...]

    def __post_init__(self) -> None:
        labels = tuple(one.label for one in self.brackets)
        if labels != AGE_BRACKETS or self.everybody.label != EVERYBODY:
            raise ValueError(f"groups must be {EVERYBODY} and the brackets {', '.join(AGE_BRACKETS)}, got {labels}")
        if sum(one.age_mae.n for one in self.brackets) != self.everybody.age_mae.n:
            raise ValueError("the brackets must hold everybody")

    @property
    def groups(self) -> tuple[GroupChange, ...]:
        return (self.everybody, *self.brackets)


@dataclass(frozen=True)
class ReweightingReport:
    """``what_changed``: between the two networks, a sentence for people; ``after_sha256``: of the artifact's stored
    predictions, ``before_sha256`` of the other file; ``sides``: side -> changes on it."""

    artifact: str
    what_changed: str
    before_sha256: str
    after_sha256: str
    sides: Mapping[str, SideChange]

    def __post_init__(self) -> None:
        if not self.sides or not self.what_changed.strip():
            raise ValueError("a comparison needs at least one side and a sentence on what changed")


def compared(before: AgeGenderPredictions, after: AgeGenderPredictions) -> SideChange:
    """Both on the same people, in whatever order. Raises ``ConfigError`` if they are others, differ in their labels,
    or are none."""
    row_of = {name: row for row, name in enumerate(before.ids.tolist())}
    if not len(after) or row_of.keys() != set(after.ids.tolist()):
        raise ConfigError(
            f"both networks must have answered about the same people, at least one: {len(before)} and {len(after)} "
            f"answers have {len(row_of.keys() & set(after.ids.tolist()))} in common"
        )
    rows = np.array([row_of[name] for name in after.ids.tolist()])
    truth = (after.age_true, after.gender_true)
    if not all(np.array_equal(a[rows], b) for a, b in zip((before.age_true, before.gender_true), truth, strict=True)):
        raise ConfigError("the two files disagree on the true age or the gender label of some people")
    errors = tuple(
        np.abs(years.astype(np.float64) - after.age_true) for years in (before.age_years[rows], after.age_years)
    )
    right = tuple(
        probabilities.argmax(axis=1) == after.gender_true
        for probabilities in (before.gender_probabilities[rows], after.gender_probabilities)
    )
    bracket = bracket_indices(after.age_true)
    return SideChange(
        _group(EVERYBODY, errors, right, np.ones(len(after), bool)),
        tuple(_group(label, errors, right, bracket == row) for row, label in enumerate(AGE_BRACKETS)),
    )


def compare_command(artifact: str) -> str:
    """The command line that makes the file."""
    return f"python -m models.reweighting {artifact} --before FILE.npz"


def save_reweighting(folder: Path, report: ReweightingReport) -> Path:
    """Write ``reweighting.json``; it appears complete or not at all."""
    return save_json(Path(folder) / REWEIGHTING_FILE, without_nan(asdict(report)))


def load_reweighting(folder: Path, card: ModelCard) -> ReweightingReport:
    """Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file; the latter also for a comparison
    with other predictions than those that the card lists."""
    file = Path(folder) / REWEIGHTING_FILE
    advice = f"Compare again with: {compare_command(Path(folder).name)}"
    report = load_listed(file, card, _report, advice)
    if report.after_sha256 != card.files.get(PREDICTIONS_FILE, {}).get("sha256"):
        raise ArtifactCorruptError(f"{file} was made from other predictions than those installed now. {advice}")
    return report


def _group(
    label: str, errors: tuple[NDArray[np.float64], ...], right: tuple[NDArray[np.bool_], ...], chosen: NDArray[np.bool_]
) -> GroupChange:
    """``errors`` and ``right``: before and after, (N,) each; ``chosen``: (N,) who is in the group."""
    error_before, error_after = (one[chosen] for one in errors)
    right_before, right_after = (one[chosen] for one in right)
    return GroupChange(
        label,
        Change(mean_absolute(error_before), mean_absolute(error_after), mean_change(error_after - error_before)),
        Change(
            proportion(int(right_before.sum()), len(right_before)),
            proportion(int(right_after.sum()), len(right_after)),
            mean_change(right_after.astype(np.float64) - right_before),
        ),
    )


def _report(raw: Mapping[str, Any]) -> ReweightingReport:
    return ReweightingReport(
        artifact=text_from(raw["artifact"]),
        what_changed=text_from(raw["what_changed"]),
        before_sha256=text_from(raw["before_sha256"]),
        after_sha256=text_from(raw["after_sha256"]),
        sides={
            text_from(name): SideChange(_group_from(side["everybody"]), tuple(map(_group_from, side["brackets"])))
            for name, side in raw["sides"].items()
        },
    )


def _group_from(raw: Mapping[str, Any]) -> GroupChange:
    return GroupChange(text_from(raw["label"]), _change_from(raw["age_mae"]), _change_from(raw["gender_accuracy"]))


def _change_from(raw: Mapping[str, Any]) -> Change:
    return Change(*(measured_from(raw[name]) for name in ("before", "after", "change")))

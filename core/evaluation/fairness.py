"""How wrong a network that reads age or gender is for whom: errors by UTKFace's labels and by their crossings.

The labels describe how annotators saw a face; they are read here to measure errors, no network answers them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.datasets.utkface import RACES
from core.errors import ConfigError
from core.evaluation.intervals import MetricValue, mean_absolute_error, wilson_interval
from core.evaluation.metrics import AGE_BRACKETS, bracket_indices
from core.evaluation.predictions import Predictions
from core.types import GENDERS

Figure = Literal["age_mae", "gender_accuracy"]
FIGURES: tuple[Figure, ...] = ("age_mae", "gender_accuracy")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "race": RACES,
    "age": AGE_BRACKETS,
    "gender": tuple(str(gender) for gender in GENDERS),
}
"""What people can be grouped by, and the labels in their order."""
MIN_GROUP_SIZE = 30
"""A group with fewer people is marked: its figures are mostly chance, and so are gaps that it takes part in."""
YOUNGEST = (0, 9)
OLDEST = (70, 150)
"""First and last true age, in years, of those that users complain about most."""
_SHUFFLES = 200


@dataclass(frozen=True, slots=True)
class GroupError:
    """Errors on the people who share ``labels`` (none: everybody): age error in years, gender accuracy in [0, 1]; NaN
    for what the network does not answer."""

    labels: tuple[str, ...]
    age_mae: MetricValue
    gender_accuracy: MetricValue

    def __post_init__(self) -> None:
        if self.age_mae.n != self.gender_accuracy.n:
            raise ValueError(f"both figures must be of the same people, got {self.age_mae} and {self.gender_accuracy}")

    @property
    def label(self) -> str:
        return ", ".join(self.labels) or "everybody"

    @property
    def n(self) -> int:
        return self.age_mae.n

    @property
    def small(self) -> bool:
        return self.n < MIN_GROUP_SIZE

    def measured(self, figure: Figure) -> MetricValue:
        return self.age_mae if figure == "age_mae" else self.gender_accuracy


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the best and the worst group are apart in one figure, years or a share.

    ``by_chance``: if the labels had nothing to do with the errors, groups of these sizes would be at most this far
    apart in 19 of 20 cases (95th percentile over shuffled labels). Best and worst are picked from all groups after the
    fact, so some gap is always there, the more so the more and the smaller they are.
    """

    figure: Figure
    with_small: bool
    best: GroupError
    worst: GroupError
    by_chance: float

    @property
    def size(self) -> float:
        return abs(self.best.measured(self.figure).value - self.worst.measured(self.figure).value)


@dataclass(frozen=True)
class FairnessReport:
    """``groups``: every combination of the labels of ``by``, the last attribute fastest, also those without people;
    ``figures``: those that the network's answers give."""

    by: tuple[str, ...]
    figures: tuple[Figure, ...]
    everybody: GroupError
    groups: tuple[GroupError, ...]
    gaps: tuple[Gap, ...]

    def gap(self, figure: Figure, with_small: bool = False) -> Gap | None:
        """The gap among all groups, or among those of at least ``MIN_GROUP_SIZE``; ``None`` if these are fewer than
        two."""
        return next((one for one in self.gaps if (one.figure, one.with_small) == (figure, with_small)), None)


def fairness_report(predictions: Predictions, by: Sequence[str] = ("race",), seed: int = 0) -> FairnessReport:
    """Errors by one or more of ``ATTRIBUTES``. ``seed`` is for the gaps by chance.

    Raises ``ConfigError`` for another attribute, one named twice, none, or no predictions.
    """
    by = tuple(by)
    if not by or len(set(by)) < len(by) or not set(by) <= set(ATTRIBUTES):
        allowed = ", ".join(ATTRIBUTES)
        raise ConfigError(f"groups must be by one or more different ones of {allowed}, got {', '.join(by) or 'none'}")
    if len(predictions) == 0:
        raise ConfigError("there are no predictions to report on: at least one sample is needed")
    values = _values(predictions)
    group = _group_of(predictions, by)
    groups = tuple(
        _group_error(labels, values, group == row)
        for row, labels in enumerate(product(*(ATTRIBUTES[name] for name in by)))
    )
    gaps = tuple(
        gap
        for figure, of_each in values.items()
        for with_small in (False, True)
        if (gap := _gap(groups, figure, with_small, of_each, group, seed)) is not None
    )
    everybody = _group_error((), values, np.ones(len(predictions), bool))
    return FairnessReport(by, tuple(values), everybody, groups, gaps)


def mae_in_age_range(predictions: Predictions, youngest: int, oldest: int) -> MetricValue:
    """Mean absolute age error, in years, of the people whose true age is in ``youngest..oldest``."""
    age = predictions.truth["age"]
    return mean_absolute_error(predictions.age_errors[(age >= youngest) & (age <= oldest)])


def fairness_metrics(predictions: Predictions) -> dict[str, float]:
    """Flat figures for the model card; what these people or answers cannot give is left out, all of it for emotions.

    ``age_mae_gap_race`` (years) and ``gender_accuracy_gap_race`` (share): gaps between the best and the worst race
    label of at least ``MIN_GROUP_SIZE`` people; ``age_mae_0_9``: age error of the youngest, in years.
    """
    if "race" not in predictions.truth:
        return {}
    report = fairness_report(predictions)
    gaps = {f"{figure}_gap_race": report.gap(figure) for figure in report.figures}
    figures = {name: gap.size for name, gap in gaps.items() if gap is not None}
    if predictions.age is not None:
        figures["age_mae_0_9"] = mae_in_age_range(predictions, *YOUNGEST).value
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _values(predictions: Predictions) -> dict[Figure, NDArray[np.float64]]:
    """Figure -> of each person, what the figure is the mean of, (N,)."""
    values: dict[Figure, NDArray[np.float64]] = {}
    if predictions.age is not None:
        values["age_mae"] = np.abs(predictions.age_errors)
    if "gender" in predictions.probabilities:
        right = predictions.predicted("gender") == predictions.truth["gender"]
        values["gender_accuracy"] = right.astype(np.float64)
    return values


def _group_of(predictions: Predictions, by: tuple[str, ...]) -> NDArray[np.int64]:
    """(N,) rows of the table of all combinations, the last attribute fastest."""
    indices = {**predictions.truth, "age": bracket_indices(predictions.truth["age"])}
    sizes = [len(ATTRIBUTES[name]) for name in by]
    return np.ravel_multi_index([indices[name] for name in by], sizes).astype(np.int64)


def _group_error(
    labels: tuple[str, ...], values: Mapping[Figure, NDArray[np.float64]], chosen: NDArray[np.bool_]
) -> GroupError:
    unknown = MetricValue(math.nan, math.nan, math.nan, int(chosen.sum()))
    age, gender = (values[figure][chosen] if figure in values else None for figure in FIGURES)
    return GroupError(
        labels,
        unknown if age is None else mean_absolute_error(age),
        unknown if gender is None else wilson_interval(int(gender.sum()), len(gender)),
    )


def _gap(
    groups: tuple[GroupError, ...],
    figure: Figure,
    with_small: bool,
    values: NDArray[np.float64],
    group: NDArray[np.int64],
    seed: int,
) -> Gap | None:
    """``values`` (N,): of each person, what the figure is the mean of; ``group`` (N,): rows of ``groups``."""
    pluralize = np.array([one.n > 0 and (with_small or not one.small) for one in groups])
    if pluralize.sum() < 2:
        return None
    ordered = sorted(np.nonzero(pluralize)[0], key=lambda row: groups[row].measured(figure).value)
    lowest, highest = groups[ordered[0]], groups[ordered[-1]]
    best, worst = (lowest, highest) if figure == "age_mae" else (highest, lowest)
    rng = np.random.default_rng(seed)
    sizes = np.bincount(group, minlength=len(groups))[pluralize]
    shuffled = (np.bincount(group, rng.permutation(values), len(groups))[pluralize] / sizes for _ in range(_SHUFFLES))
    by_chance = float(np.percentile([np.ptp(means) for means in shuffled], 95))
    return Gap(figure, with_small, best, worst, by_chance)

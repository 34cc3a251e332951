"""Measure for whom a model of age or gender is wrong: errors by a data set's labels and by their intersections.

The labels describe how annotators saw a face. They are read here to measure errors; no network predicts race.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.datasets.fairface import FAIRFACE_RACES
from core.datasets.utkface import RACES
from core.errors import ConfigError
from core.evaluation.intervals import MetricValue, mean_absolute_error, wilson_interval
from core.evaluation.metrics import AGE_BRACKETS, sample_scores, true_brackets
from core.evaluation.predictions import Predictions
from core.evaluation.tables import interval_columns
from core.types import GENDERS

GroupMetric = Literal["age_mae", "bracket_accuracy", "gender_accuracy"]
GROUP_METRICS: Mapping[GroupMetric, str] = {
    "age_mae": "age",
    "bracket_accuracy": "age_bracket",
    "gender_accuracy": "gender",
}
"""Metric -> the label that it is about."""
GROUPINGS: Mapping[str, tuple[str, ...]] = {
    "race": RACES,
    "fairface_race": FAIRFACE_RACES,
    "age": AGE_BRACKETS,
    "gender": tuple(map(str, GENDERS)),
}
"""What people can be grouped by, and the labels in their order. Each data set has one of the first two."""
RACE_GROUPINGS = ("race", "fairface_race")
MIN_GROUP_SIZE = 30
"""A group with fewer people is marked: its metrics are mostly chance, and so are gaps that include it."""
YOUNGEST = (0, 9)
OLDEST = (70, 150)
"""First and last true age, in years, of the people whose ages are hardest to predict."""
_PERMUTATIONS = 200


@dataclass(frozen=True, slots=True)
class GroupError:
    """Errors on the ``n`` people who share ``labels`` (none: all people): age error in years, accuracies in [0, 1], for
    what the model predicts and the labels tell."""

    labels: tuple[str, ...]
    n: int
    metrics: Mapping[GroupMetric, MetricValue]

    def __post_init__(self) -> None:
        if any(metric.n != self.n for metric in self.metrics.values()):
            raise ValueError(f"all metrics must be of the same {self.n} people, got {dict(self.metrics)}")

    @property
    def label(self) -> str:
        return ", ".join(self.labels) or "All people"

    @property
    def is_small(self) -> bool:
        return self.n < MIN_GROUP_SIZE

    def metric(self, name: GroupMetric) -> MetricValue:
        return self.metrics[name]


@dataclass(frozen=True, slots=True)
class Gap:
    """Difference between the best and the worst group in one metric, years or a share.

    ``chance_gap``: 95th percentile of the gap over permuted labels, that is, if the labels had nothing to do with the
    errors. Best and worst are picked after the fact, so some gap is always there, the more so the more and the smaller
    the groups are.
    """

    metric: GroupMetric
    with_small: bool
    best: GroupError
    worst: GroupError
    chance_gap: float

    @property
    def size(self) -> float:
        return abs(self.best.metric(self.metric).value - self.worst.metric(self.metric).value)


@dataclass(frozen=True)
class FairnessReport:
    """``groups``: every combination of the labels of ``by``, the last attribute fastest, also those without people;
    ``metrics``: those that the model's outputs give."""

    by: tuple[str, ...]
    metrics: tuple[GroupMetric, ...]
    overall: GroupError
    groups: tuple[GroupError, ...]
    gaps: tuple[Gap, ...]

    def gap(self, metric: GroupMetric, with_small: bool = False) -> Gap | None:
        """Return the gap among all groups, or among those of at least ``MIN_GROUP_SIZE``; ``None`` if these are fewer
        than two."""
        return next((gap for gap in self.gaps if (gap.metric, gap.with_small) == (metric, with_small)), None)


def race_grouping(predictions: Predictions) -> str | None:
    """Return which of ``RACE_GROUPINGS`` the data set has, or ``None``."""
    return next((name for name in RACE_GROUPINGS if name in predictions.truth), None)


def fairness_report(predictions: Predictions, by: Sequence[str] = ("race",), seed: int = 0) -> FairnessReport:
    """Measure errors by one or more of ``GROUPINGS`` that the data set has.

    ``seed`` is for the permutations of the gaps by chance.

    Raises ``ConfigError`` for another attribute, one named twice, none, or no predictions.
    """
    by = tuple(by)
    if not by or len(set(by)) < len(by) or not set(by) <= set(GROUPINGS):
        allowed = ", ".join(GROUPINGS)
        raise ConfigError(f"groups must be by one or more different ones of {allowed}, got {', '.join(by) or 'none'}")
    if len(predictions) == 0:
        raise ConfigError("there are no predictions to report on: at least one sample is needed")
    scores = {
        metric: values
        for metric, output in GROUP_METRICS.items()
        if (values := sample_scores(predictions, output)) is not None
    }
    group_of = _group_indices(predictions, by)
    groups = tuple(
        _group_error(labels, scores, group_of == row)
        for row, labels in enumerate(product(*(GROUPINGS[name] for name in by)))
    )
    gaps = tuple(
        gap
        for metric, values in scores.items()
        for with_small in (False, True)
        if (gap := _gap(groups, metric, with_small, values, group_of, seed)) is not None
    )
    overall = _group_error((), scores, np.ones(len(predictions), bool))
    return FairnessReport(by, tuple(scores), overall, groups, gaps)


def mae_in_age_range(predictions: Predictions, youngest: int, oldest: int) -> MetricValue:
    """Return the age MAE, in years, of the people whose true age is in ``youngest..oldest``."""
    age = predictions.truth["age"]
    return mean_absolute_error(predictions.age_errors[(age >= youngest) & (age <= oldest)])


def fairness_metrics(predictions: Predictions) -> dict[str, float]:
    """Return flat metrics for the model card; those that the data or the outputs cannot give are left out.

    ``age_mae_gap_race`` (years) and ``gender_accuracy_gap_race`` (share): gaps between the best and the worst race
    label of at least ``MIN_GROUP_SIZE`` people, and ``bracket_accuracy_gap_race`` where only brackets are known;
    ``age_mae_0_9``: age error of the youngest, in years.
    """
    race = race_grouping(predictions)
    if race is None:
        return {}
    report = fairness_report(predictions, [race])
    gaps = {f"{metric}_gap_race": report.gap(metric) for metric in report.metrics}
    metrics = {name: gap.size for name, gap in gaps.items() if gap is not None}
    if "age" in predictions.truth and predictions.age is not None:
        metrics["age_mae_0_9"] = mae_in_age_range(predictions, *YOUNGEST).value
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def group_table(report: FairnessReport) -> pd.DataFrame:
    """Tabulate one group per row: its labels, and each metric with its 95 % interval; small groups are marked."""
    groups = report.groups
    labels = {f"{name}_label": [group.labels[index] for group in groups] for index, name in enumerate(report.by)}
    table = pd.DataFrame(
        labels | {"people": [group.n for group in groups], "small_group": [group.is_small for group in groups]}
    )
    for metric in report.metrics:
        table = table.assign(**interval_columns(metric, [group.metric(metric) for group in groups]))
    return table


def _group_indices(predictions: Predictions, by: tuple[str, ...]) -> NDArray[np.int64]:
    """(N,) rows of the table of all combinations, the last attribute fastest."""
    indices = {**predictions.truth, "age": true_brackets(predictions.truth)}
    sizes = [len(GROUPINGS[name]) for name in by]
    return np.ravel_multi_index([indices[name] for name in by], sizes).astype(np.int64)


def _group_error(
    labels: tuple[str, ...], scores: Mapping[GroupMetric, NDArray[np.float64]], chosen: NDArray[np.bool_]
) -> GroupError:
    metrics = {
        metric: mean_absolute_error(values[chosen])
        if metric == "age_mae"
        else wilson_interval(int(values[chosen].sum()), int(chosen.sum()))
        for metric, values in scores.items()
    }
    return GroupError(labels, int(chosen.sum()), metrics)


def _gap(
    groups: tuple[GroupError, ...],
    metric: GroupMetric,
    with_small: bool,
    scores: NDArray[np.float64],
    group_of: NDArray[np.int64],
    seed: int,
) -> Gap | None:
    """``scores`` (N,): what the metric is the mean of, per person; ``group_of`` (N,): rows of ``groups``."""
    compared = np.array([group.n > 0 and (with_small or not group.is_small) for group in groups])
    if compared.sum() < 2:
        return None
    ordered = sorted(np.nonzero(compared)[0], key=lambda row: groups[row].metric(metric).value)
    lowest, highest = groups[ordered[0]], groups[ordered[-1]]
    best, worst = (lowest, highest) if metric == "age_mae" else (highest, lowest)
    rng = np.random.default_rng(seed)
    sizes = np.bincount(group_of, minlength=len(groups))[compared]
    permuted = (
        np.bincount(group_of, rng.permutation(scores), len(groups))[compared] / sizes for _ in range(_PERMUTATIONS)
    )
    chance_gap = float(np.percentile([np.ptp(means) for means in permuted], 95))
    return Gap(metric, with_small, best, worst, chance_gap)

"""Tab about errors by group of people: for whom a network is wrong, and by how much."""

from __future__ import annotations

import math
from collections.abc import Mapping

import streamlit as st

from core.evaluation.fairness import (
    MIN_GROUP_SIZE,
    OLDEST,
    YOUNGEST,
    FairnessReport,
    Gap,
    GroupMetric,
    fairness_report,
    group_table,
    mae_in_age_range,
    race_grouping,
)
from core.evaluation.plots.fairness import group_figure
from core.evaluation.predictions import Predictions
from core.labels import pluralize
from pages.shared.evaluation.cache import cache_report, draw_figure
from pages.shared.evaluation.components import metric_with_interval, show_figure, show_table

_RACE = "Race label"
_DOTS = f"Lines: 95 % confidence intervals. Hollow: fewer than {MIN_GROUP_SIZE} people. Dashed: all people."
_SQUARES = f"Darker is worse. Grey with a star: fewer than {MIN_GROUP_SIZE} people, mostly chance. Empty: nobody."
_LOOK_AT_DOTS = "Look at how far the dots are apart, and whether their lines overlap."
_LOOK_AT_SQUARES = "Look at the darkest squares: the groups for whom the model is wrong most."
_TITLES: Mapping[GroupMetric, tuple[str, str]] = {
    "age_mae": ("Age MAE by group", "Lower is better."),
    "bracket_accuracy": ("Age bracket accuracy by group", "Higher is better."),
    "gender_accuracy": (
        "Perceived gender accuracy by group",
        "Higher is better. Small children are hard for models and people alike.",
    ),
}


_ORIGINS = {
    "race": "Groups follow UTKFace's own labels, which were estimated by an algorithm and checked by annotators.",
    "fairface_race": "Groups follow FairFace's own labels by annotators, for the faces found.",
}


@cache_report
def _cached_report(predictions: Predictions, by: tuple[str, ...]) -> FairnessReport:
    return fairness_report(predictions, by)


def show_fairness(predictions: Predictions, stem: str) -> None:
    """Show errors by group of people; ``stem`` begins the names of downloads."""
    race = race_grouping(predictions)
    st.markdown(
        f"{_ORIGINS.get(race or '', '')} The race label is used to measure errors only; Facet does not predict it. Age "
        "distributions differ between labels: add 'True age' to compare people of the same age."
    )
    groupings = ({_RACE: race} if race else {}) | {"True age": "age", "Gender label": "gender"}
    if "age" in predictions.truth and predictions.age is not None:
        _show_age_extremes(predictions)
    chosen = st.segmented_control(
        "Group by (choose several for intersections)",
        list(groupings),
        selection_mode="multi",
        default=[next(iter(groupings))],
        key="evaluation_grouping",
    )
    if not chosen:
        st.info("Choose at least one label.")
        return
    # In a fixed order, so that the same groups have the same names whatever was pressed first.
    by = [name for title, name in groupings.items() if title in chosen]
    report = _cached_report(predictions, tuple(by))
    for metric in report.metrics:
        title, direction = _TITLES[metric]
        caption = f"{direction} {_DOTS if len(by) == 1 else _SQUARES}"
        look_at = _LOOK_AT_DOTS if len(by) == 1 else _LOOK_AT_SQUARES
        show_figure(draw_figure(group_figure, report, metric, title), f"groups_{metric}", look_at, caption)
        st.markdown(_describe_gap(report, metric))
    show_table(group_table(report), f"{stem}_groups_{'_'.join(by)}.csv", "table_groups")


def _show_age_extremes(predictions: Predictions) -> None:
    """Show the MAE of children and old people, as far as the test split has any."""
    ranges = (
        (f"Age MAE, {YOUNGEST[0]} to {YOUNGEST[1]} years", YOUNGEST, "children"),
        (f"Age MAE, {OLDEST[0]} years and older", OLDEST, "old people"),
    )
    for column, (label, ages, whom) in zip(st.columns(len(ranges)), ranges, strict=True):
        error = mae_in_age_range(predictions, *ages)
        if error.n:
            with column:
                metric_with_interval(label, error, "years", f"Mean absolute error for {whom}.")


def _describe_gap(report: FairnessReport, metric: GroupMetric) -> str:
    """Describe the gap among groups that are large enough, and among all where that differs."""
    gap, gap_of_all = report.gap(metric), report.gap(metric, with_small=True)
    if gap is None:
        return f"**Gap:** not stated, because fewer than two groups have {MIN_GROUP_SIZE} people."
    small = sum(group.is_small and group.n > 0 for group in report.groups)
    excluded = f" ({pluralize(small, 'smaller group')} excluded)" if small else ""
    text = f"**Gap between the best and the worst group{excluded}: {_describe(gap)}"
    if small and gap_of_all is not None and not math.isclose(gap_of_all.size, gap.size):
        text += f" With small groups: {_describe(gap_of_all).replace('**', '')}"
    return text


def _describe(gap: Gap) -> str:
    return (
        f"{_amount(gap.size, gap.metric)}** (best: {gap.best.label}; worst: {gap.worst.label}). "
        f"Expected from chance alone (95th percentile): {_amount(gap.chance_gap, gap.metric)}."
    )


def _amount(size: float, metric: GroupMetric) -> str:
    return f"{size:.2f} years" if metric == "age_mae" else f"{size * 100:.1f} points"

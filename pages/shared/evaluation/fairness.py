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
    fairness_report,
    mae_in_age_range,
)
from core.evaluation.fairness import Figure as GroupFigure
from core.evaluation.plots.fairness import group_figure
from core.evaluation.predictions import Predictions
from core.evaluation.tables import group_table
from pages.shared.evaluation.cache import cache_report
from pages.shared.evaluation.components import metric_with_interval, show_figure, show_table

_ATTRIBUTES = {"Race label": "race", "True age": "age", "Gender label": "gender"}
_DOTS = (
    "The thin line is the 95 % interval; where these overlap widely, the difference may be chance. A hollow dot has "
    f"fewer than {MIN_GROUP_SIZE} people. Dashed: everybody together."
)
_SQUARES = (
    f"The darker, the worse. Grey with a star: fewer than {MIN_GROUP_SIZE} people, so the figure is mostly chance. "
    "Empty: nobody. Point at a square for its 95 % interval and the number of people."
)
_FIGURE_TEXTS: Mapping[GroupFigure, tuple[str, str]] = {
    "age_mae": ("Mean age error by group", "Lower is better."),
    "gender_accuracy": (
        "Perceived gender accuracy by group",
        "Higher is better. Small children are hard for every model and for people.",
    ),
}


@cache_report
def _cached_report(predictions: Predictions, by: tuple[str, ...]) -> FairnessReport:
    return fairness_report(predictions, by)


def show_fairness(predictions: Predictions, stem: str) -> None:
    """Errors by group of one model on one side; ``stem`` begins the names of downloads."""
    st.markdown(
        "A model that is good on average can be bad for some people. Groups follow UTKFace's own labels, which were "
        "estimated by an algorithm and checked by annotators: they are coarse, and nobody was asked. The network "
        "answers no race; the label is used here to measure errors only. People of different labels also differ in "
        "age in this data set, and age decides most about the errors: choose both to compare people of the same age."
    )
    if predictions.age is not None:
        _show_extremes(predictions)
    titles = st.segmented_control(
        "Group by (choose several for their crossings)",
        list(_ATTRIBUTES),
        selection_mode="multi",
        default=["Race label"],
        key="evaluation_grouping",
    )
    if not titles:
        st.info("Choose at least one of the three.")
        return
    # In a fixed order, so that the same groups have the same names whatever was pressed first.
    by = [name for title, name in _ATTRIBUTES.items() if title in titles]
    report = _cached_report(predictions, tuple(by))
    how = _DOTS if len(by) == 1 else _SQUARES
    for figure in report.figures:
        title, how_to_read = _FIGURE_TEXTS[figure]
        _show_one(report, figure, title, f"{how_to_read} {how}")
    show_table(group_table(report), f"{stem}_groups_{'_'.join(by)}.csv", "table_groups")


def _show_extremes(predictions: Predictions) -> None:
    """Nothing about an end of life at which the test set has nobody."""
    ends = (
        (f"Age error, {YOUNGEST[0]} to {YOUNGEST[1]} years old", YOUNGEST, "children"),
        (f"Age error, {OLDEST[0]} and older", OLDEST, "old people"),
    )
    for column, (label, ages, whom) in zip(st.columns(len(ends)), ends, strict=True):
        error = mae_in_age_range(predictions, *ages)
        if error.n:
            with column:
                metric_with_interval(label, error, "years", f"How many years the answer is off on average for {whom}.")


def _show_one(report: FairnessReport, figure: GroupFigure, title: str, how_to_read: str) -> None:
    show_figure(group_figure(report, figure, title), f"groups_{figure}", how_to_read)
    st.markdown(_gap_text(report, figure))


def _gap_text(report: FairnessReport, figure: GroupFigure) -> str:
    """The gap among groups that are large enough, and among all where that differs."""
    gap, of_all = report.gap(figure), report.gap(figure, with_small=True)
    small = sum(one.small and one.n > 0 for one in report.groups)
    if gap is None:
        return f"**Gap:** fewer than two groups have {MIN_GROUP_SIZE} people, so no gap is stated."
    without = f", without the {small} smaller {'group' if small == 1 else 'groups'}" if small else ""
    text = (
        f"**Gap between the best and the worst group of at least {MIN_GROUP_SIZE} people{without}: "
        f"{_amount(gap.size, figure)}** (best: {gap.best.label}; worst: {gap.worst.label}). If these labels had "
        "nothing to do with the errors, chance alone would still make a gap, in 19 of 20 cases of up to "
        f"{_amount(gap.by_chance, figure)}."
    )
    if small and of_all is not None and not math.isclose(of_all.size, gap.size):
        text += (
            f" With the small groups the gap would be {_amount(of_all.size, figure)} (best: {of_all.best.label}, "
            f"n = {of_all.best.n:,}; worst: {of_all.worst.label}, n = {of_all.worst.n:,}), and chance alone would make "
            f"up to {_amount(of_all.by_chance, figure)} of it."
        )
    return text


def _amount(size: float, figure: GroupFigure) -> str:
    return f"{size:.2f} years" if figure == "age_mae" else f"{size * 100:.1f} points"

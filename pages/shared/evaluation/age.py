"""Tab about age."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.evaluation.metrics import AgeReport
from core.evaluation.plots.classification import age_error_bars, age_heatmap
from core.evaluation.predictions import Predictions
from core.evaluation.tables import bracket_table
from pages.shared.evaluation.components import metric_row, metric_with_interval, show_figure, show_table


def show_age_summary(reports: Mapping[str, AgeReport]) -> None:
    for name, report in reports.items():
        st.markdown(f"**{name}**")
        error, close, bracket, coverage = metric_row(4)
        with error:
            metric_with_interval(
                "Mean age error", report.mae, "years", "Mean distance of the answer from the true age."
            )
        with close:
            metric_with_interval(
                "At most 5 years off", report.within_5_years, "%", "Also called cumulative score, CS@5."
            )
        with bracket:
            metric_with_interval("Right age bracket", report.brackets.accuracy, "%", "Answer and truth in one bracket.")
        with coverage:
            metric_with_interval(
                "Interval holds the age",
                report.coverage,
                "%",
                f"The stated age interval is {report.interval_width:.1f} years wide on average.",
            )


def show_age(reports: Mapping[str, AgeReport], predictions: Predictions, name: str, stem: str) -> None:
    """``reports`` of all models are compared; ``predictions`` of model ``name`` are drawn one by one."""
    show_figure(
        age_error_bars(reports, "Age error by true age"),
        "age_bars",
        "Bar: how many years the answer is off on average for people of that true age, with its 95 % "
        "interval. Diamond, when one model is shown: mean of answer minus truth; below zero, people are "
        "taken for younger.",
    )
    show_table(bracket_table(reports[name]), f"{stem}_age_brackets.csv", "table_age")
    show_figure(
        age_heatmap(predictions.truth["age"], predictions.ages.years, f"Predicted against true age: {name}"),
        "age_heatmap",
        "The stronger a square's colour, the more people of that true age (across) got that answer (up). A "
        "perfect model would fill only the dashed line; people above it were taken for older.",
    )

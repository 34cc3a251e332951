"""Tab about age."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.evaluation.answers import hardest_ages
from core.evaluation.metrics import AgeReport
from core.evaluation.plots.classification import age_error_bars, age_heatmap
from core.evaluation.predictions import Predictions
from core.evaluation.tables import bracket_table
from pages.shared.evaluation.cache import draw_figure
from pages.shared.evaluation.components import metric_row, metric_with_interval, show_figure, show_table


def show_age_summary(reports: Mapping[str, AgeReport]) -> None:
    """Show one row of metrics per model."""
    for name, report in reports.items():
        st.markdown(f"**{name}**")
        width = f"The mean interval width is {report.interval_width:.1f} years."
        metrics = (
            ("Age MAE", report.mae, "years", "Mean absolute error of the predicted age."),
            ("Within 5 years", report.within_5_years, "%", "Cumulative score, CS@5."),
            ("Bracket accuracy", report.brackets.accuracy, "%", "Predicted and true age are in the same bracket."),
            ("Interval coverage", report.coverage, "%", f"Share of true ages inside the age interval. {width}"),
        )
        for column, metric in zip(metric_row(len(metrics)), metrics, strict=True):
            with column:
                metric_with_interval(*metric)


def show_age(reports: Mapping[str, AgeReport], predictions: Predictions, name: str, stem: str) -> None:
    """Compare ``reports`` of all models; draw the ``predictions`` of model ``name`` one by one."""
    show_figure(
        draw_figure(age_error_bars, reports, "Age error by true age"),
        "age_bars",
        f"Look at the longest bar: {hardest_ages(reports[name])}.",
        "Bars: mean absolute error with 95 % confidence interval. Diamonds: bias, below zero if predicted too young.",
    )
    show_table(bracket_table(reports[name]), f"{stem}_age_brackets.csv", "table_age")
    show_figure(
        draw_figure(
            age_heatmap, predictions.truth["age"], predictions.ages.years, f"Predicted against true age: {name}"
        ),
        "age_heatmap",
        "Look at where the colour leaves the dashed line.",
        "Stronger colour: more people. On the dashed line the prediction is exact; above it, too old.",
    )

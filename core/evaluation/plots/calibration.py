"""Figures about calibration. They only draw tables."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.express as px
import plotly.graph_objects as go

from core.attributes.postprocessing import INTERVAL_COVERAGE
from core.evaluation.calibration import (
    CalibrationReport,
    IntervalReport,
    coverage_table,
    interval_table,
    reliability_table,
)
from core.evaluation.plots.style import (
    NEUTRAL_HEX,
    SERIES_HEX,
    apply_style,
    interval_bars,
    interval_errors,
    series_color,
    use_percent,
)
from core.evaluation.tables import column_names, compare_models

COVERAGE_BAND = (0.7, 0.9)
"""Where the coverage of every age bracket should lie."""


def reliability_diagram(report: CalibrationReport, title: str) -> go.Figure:
    """Draw accuracy against confidence, before and after temperature scaling; on the diagonal they agree."""
    table = reliability_table(report)
    figure = px.line(
        table,
        x="mean_confidence",
        y="accuracy",
        color="temperature_scaling",
        line_dash="temperature_scaling",
        markers=True,
        color_discrete_sequence=SERIES_HEX[1::-1],
        line_dash_sequence=["dot", "solid"],
        hover_data=["samples"],
        labels=column_names(table),
        **interval_errors(table, "accuracy", "y"),
    )
    # Intervals twice at nearly the same place would hide the lines.
    figure.update_traces(error_y=None, selector={"name": "before"})
    figure.for_each_trace(lambda line: line.update(name=f"{line.name} temperature scaling".capitalize()))
    dashed = {"color": NEUTRAL_HEX, "dash": "dash"}
    figure.add_scatter(x=[0, 1], y=[0, 1], name="Perfect calibration", mode="lines", line=dashed)
    apply_style(figure, title, "Mean confidence", "Accuracy", 440)
    return use_percent(use_percent(figure, "x"), "y")


def accuracy_coverage(reports: Mapping[str, CalibrationReport], title: str) -> go.Figure:
    """Draw selective accuracy against coverage; the star is the default confidence threshold."""
    table = coverage_table(reports)
    labels = column_names(table)
    hover = ["confidence_threshold"]
    figure = px.line(
        table,
        x="coverage",
        y="selective_accuracy",
        color="model",
        color_discrete_sequence=SERIES_HEX,
        hover_data=hover,
        labels=labels,
    )
    for index, (name, report) in enumerate(reports.items()):
        marker = {"symbol": "star", "size": 15, "color": series_color(index)}
        default = report.default
        point = {"x": [default.coverage.value], "y": [default.accuracy.value]}
        figure.add_scatter(name=f"{name}: default threshold", mode="markers", marker=marker, **point)
    apply_style(figure, title, "Coverage", "Selective accuracy")
    lowest = max(0.0, table["selective_accuracy"].min() - 0.05)
    return use_percent(use_percent(figure, "x"), "y", lowest)


def interval_coverage_bars(reports: Mapping[str, IntervalReport], title: str) -> go.Figure:
    """Draw the coverage of the age interval by true age bracket; the line is the stated coverage, the band the aim."""
    table = compare_models({name: interval_table(report) for name, report in reports.items()})
    hover = ["interval_width", "people"]
    figure = interval_bars(table[table["people"] > 0], "age_bracket", "interval_coverage", title, hover)
    low, high = COVERAGE_BAND
    figure.add_hrect(y0=low, y1=high, fillcolor=series_color(2), opacity=0.15, line_width=0)
    figure.add_hline(y=INTERVAL_COVERAGE, line={"color": series_color(2), "dash": "dash"})
    return use_percent(figure, "y")

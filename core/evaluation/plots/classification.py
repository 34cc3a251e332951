"""Figures about classes, ages and training. They only draw tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.evaluation.metrics import AgeReport, ClassificationReport
from core.evaluation.plots.style import (
    DIFFERENCE_SCALE,
    HEAT_SCALE,
    SERIES_HEX,
    apply_style,
    empty_figure,
    interval_bars,
    label_color,
    series_color,
    use_percent,
)
from core.evaluation.tables import bracket_table, class_table, compare_models, confusion_table

_AGE_BIN_YEARS = 4
_MAX_AGE_YEARS = 116
_FADING_SCALE = ((0.0, "rgba(47, 127, 214, 0.05)"), (1.0, "rgba(47, 127, 214, 1)"))
"""From nearly transparent to a blue that stands out on light and dark pages."""


def class_accuracy_bars(reports: Mapping[str, ClassificationReport], title: str) -> go.Figure:
    """Draw per-class accuracy with 95 % intervals; ``reports``: artifact name -> its report, one bar each."""
    table = compare_models({name: class_table(report) for name, report in reports.items()})
    figure = interval_bars(table, "class", "recall", title, hover=["samples"])
    if len(reports) == 1:
        figure.update_traces(marker_color=[label_color(label) for label in table["class"]])
    apply_style(figure, title, "True class", "Accuracy")
    return use_percent(figure, "y")


def confusion_heatmap(report: ClassificationReport, title: str, normalised: bool) -> go.Figure:
    """Draw the confusion matrix: rows are true classes, columns predictions; counts, or rows that sum to 1."""
    figure = px.imshow(
        confusion_table(report, normalised).set_index("true_class"),
        text_auto=".2f" if normalised else "d",
        color_continuous_scale=HEAT_SCALE,
        zmin=0,
        zmax=1 if normalised else None,
        aspect="auto",
        labels={"x": "Predicted", "y": "True", "color": "Share" if normalised else "Samples"},
    )
    figure.update_traces(xgap=1, ygap=1)
    what = "rows sum to 1" if normalised else "counts"
    apply_style(figure, f"{title} ({what})", "Predicted class", "True class", 140 + 46 * max(len(report.labels), 4))
    return _fill_with_cells(figure, len(report.labels))


def add_cells(figure: go.Figure, report: ClassificationReport) -> go.Figure:
    """Add an invisible marker per cell to a confusion matrix: cells of a heat map cannot be selected. Returns the same
    figure."""
    names = [str(label) for label in report.labels]
    cells = [(predicted, true) for true in names for predicted in names]
    figure.update_traces(hoverinfo="skip", hovertemplate=None)
    return figure.add_scatter(
        x=[predicted for predicted, _ in cells],
        y=[true for _, true in cells],
        mode="markers",
        marker={"size": 34, "symbol": "square", "opacity": 0},
        unselected={"marker": {"opacity": 0}},
        customdata=report.confusion.ravel(),
        hovertemplate="true %{y}, predicted %{x}: %{customdata} images<extra></extra>",
        showlegend=False,
    )


def confusion_difference(first: ClassificationReport, second: ClassificationReport, title: str) -> go.Figure:
    """Draw the shares of ``first`` minus those of ``second``, cell by cell, in percentage points; same classes."""
    names = [str(label) for label in first.labels]
    points = np.round(100 * (first.normalised - second.normalised)) + 0.0  # No "-0".
    figure = px.imshow(
        pd.DataFrame(points, index=names, columns=names),
        text_auto="+.0f",
        color_continuous_scale=DIFFERENCE_SCALE,
        color_continuous_midpoint=0,
        aspect="auto",
        labels={"x": "Predicted", "y": "True", "color": "Points"},
    )
    figure.update_traces(xgap=1, ygap=1)
    apply_style(figure, title, "Predicted class", "True class", 140 + 46 * max(len(names), 4))
    return _fill_with_cells(figure, len(names))


def _fill_with_cells(figure: go.Figure, count: int) -> go.Figure:
    """Leave the room to ``count`` rows and columns of cells with their numbers, which phones need for them to be
    legible. Returns the same figure."""
    figure.update_layout(coloraxis_showscale=False)
    # As categories, or age brackets such as 3-9 would be read as dates.
    figure.update_xaxes(type="category", showgrid=False, range=[-0.5, count - 0.5])
    return figure.update_yaxes(type="category", showgrid=False, range=[count - 0.5, -0.5])


def age_error_bars(reports: Mapping[str, AgeReport], title: str) -> go.Figure:
    """Draw the age MAE by true age bracket with 95 % intervals, and, of a single model, the bias as a diamond."""
    table = compare_models({name: bracket_table(report) for name, report in reports.items()})
    figure = interval_bars(table, "age_bracket", "age_mae", title)
    apply_style(figure, title, "True age (years)", "Age error (years)")
    if len(reports) == 1:
        marker = {"symbol": "diamond", "size": 11, "color": series_color(1)}
        figure.add_scatter(x=table["age_bracket"], y=table["age_bias"], name="Bias", mode="markers", marker=marker)
        figure.update_traces(name="MAE", selector={"type": "bar"})
    return figure.update_layout(showlegend=True)


def age_heatmap(age_true: NDArray[np.int64], age_years: NDArray[np.float32], title: str) -> go.Figure:
    """Draw how often each pair of true and predicted age occurs, (N,) years each, in squares of 4 x 4 years."""
    if len(age_true) == 0:
        return empty_figure(title, "No ages to show")
    edges = np.arange(0, _MAX_AGE_YEARS + _AGE_BIN_YEARS + 1, _AGE_BIN_YEARS)
    counts, _, _ = np.histogram2d(np.clip(age_years, 0, edges[-1]), np.clip(age_true, 0, edges[-1]), bins=edges)
    centres = edges[:-1] + _AGE_BIN_YEARS / 2
    # A few crowded squares (babies, 26-year-olds) would leave the rest white on a linear scale.
    shade = np.where(counts > 0, np.log10(np.maximum(counts, 1)) + 0.15, np.nan)
    ticks = [n for n in (1, 10, 100, 1000, 10_000) if n <= counts.max()]
    scale = {"tickvals": [float(np.log10(n)) + 0.15 for n in ticks], "ticktext": [str(n) for n in ticks]}
    heat = go.Heatmap(
        z=shade,
        x=centres,
        y=centres,
        colorscale=_FADING_SCALE,
        zmin=0,
        customdata=counts,
        hovertemplate="true %{x:.0f}±2, predicted %{y:.0f}±2 years: %{customdata:.0f} people<extra></extra>",
        colorbar={"title": {"text": "People"}, **scale},
    )
    ends = [0, _MAX_AGE_YEARS]
    dashed = {"color": series_color(1), "dash": "dash"}
    identity = go.Scatter(x=ends, y=ends, mode="lines", name="Predicted = true", line=dashed)
    figure = apply_style(go.Figure([heat, identity]), title, "True age (years)", "Predicted age (years)", height_px=520)
    figure.update_xaxes(range=ends, dtick=10)
    figure.update_yaxes(range=ends, dtick=10)
    return figure.update_layout(showlegend=True, legend={"y": -0.15})


def curve_names(history: pd.DataFrame) -> list[str]:
    """Return the logs of a training history that can be drawn: losses by step, else those with a validation twin."""
    if "step" in history.columns:
        return [name for name in history.columns if name not in ("step", "minutes", "rate")]
    return [name for name in history.columns if f"val_{name}" in history.columns]


def training_curves(history: pd.DataFrame, name: str, title: str) -> go.Figure:
    """Draw one log over the epochs or steps, on the training split and, where there is one, the validation split."""
    if history.empty or name not in history.columns:
        return empty_figure(title, f"No curve of {name} was recorded")
    columns = {name: "Training", f"val_{name}": "Validation"}
    unit_of_time = "step" if "step" in history.columns else "epoch"
    curves = history.set_index(unit_of_time).filter(list(columns)).rename(columns=columns)
    figure = px.line(curves, color_discrete_sequence=SERIES_HEX)
    figure.update_traces(hovertemplate=None)
    accuracy = name.endswith("accuracy")
    unit = "Accuracy" if accuracy else "Age error (years)" if name.endswith("mae") else "Loss"
    apply_style(figure, title, unit_of_time.capitalize(), unit, height_px=340)
    figure.update_layout(hovermode="x unified", showlegend=True)
    if len(history) < 10:
        figure.update_xaxes(dtick=1)
    return figure.update_yaxes(tickformat=".0%") if accuracy else figure

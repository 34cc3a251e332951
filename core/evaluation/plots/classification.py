"""Figures of the evaluation page. They only draw: every number comes from a report or a table of history."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.evaluation.metrics import AgeReport, ClassificationReport
from core.evaluation.plots.style import (
    FADING_SCALE,
    HEAT_SCALE,
    empty_figure,
    error_bars,
    label_color,
    series_color,
    styled,
)

_AGE_BIN_YEARS = 4
_OLDEST_SHOWN = 116


def class_accuracy_bars(reports: Mapping[str, ClassificationReport], title: str) -> go.Figure:
    """Per-class accuracy with 95 % intervals; ``reports``: artifact name -> its report, one bar each."""
    figure = go.Figure()
    for index, (name, report) in enumerate(reports.items()):
        labels = [str(label) for label in report.labels]
        alone = [label_color(label) for label in labels] if len(reports) == 1 else series_color(index)
        hover = "%{x}: %{y:.1%} of %{customdata} samples<extra>" + name + "</extra>"
        figure.add_trace(
            go.Bar(
                x=labels,
                y=report.recall,
                name=name,
                marker_color=alone,
                error_y=error_bars(report.recall_intervals),
                customdata=report.support,
                hovertemplate=hover,
            )
        )
    styled(figure, title, "True class", "Accuracy (%)")
    figure.update_layout(barmode="group", showlegend=len(reports) > 1)
    return _percent_axis(figure)


def confusion_heatmap(report: ClassificationReport, title: str, normalised: bool) -> go.Figure:
    """Rows are the truth, columns the answer; counts, or shares that sum to 1 in each row."""
    values: NDArray[np.float64] = report.normalised if normalised else report.confusion.astype(np.float64)
    labels = [str(label) for label in report.labels]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=labels,
            y=labels,
            colorscale=HEAT_SCALE,
            zmin=0,
            zmax=1 if normalised else None,
            texttemplate="%{z:.2f}" if normalised else "%{z:.0f}",
            customdata=report.confusion,
            hovertemplate="truth %{y}, answer %{x}<br>%{customdata} samples<br>%{z:.3g}<extra></extra>",
            colorbar={"title": {"text": "share" if normalised else "count"}},
            xgap=1,
            ygap=1,
        )
    )
    what = "rows sum to 1" if normalised else "counts"
    styled(figure, f"{title} ({what})", "Answer", "Truth", height_px=140 + 46 * max(len(labels), 4))
    # As categories, or bracket names such as 3-9 would be read as dates.
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def age_error_bars(reports: Mapping[str, AgeReport], title: str) -> go.Figure:
    """Mean absolute age error by bracket of the true age with 95 % intervals, and the bias as a diamond. Brackets
    without anybody are left out."""
    figure = go.Figure()
    for index, (name, report) in enumerate(reports.items()):
        brackets = [one for one in report.by_bracket if one.mae.n]
        labels = [one.label for one in brackets]
        errors = [one.mae for one in brackets]
        hover = "%{x}: %{y:.1f} years, %{customdata} people<extra>" + name + "</extra>"
        figure.add_trace(
            go.Bar(
                x=labels,
                y=[one.value for one in errors],
                name=f"{name}: mean absolute error",
                marker_color=series_color(index),
                error_y=error_bars(errors),
                customdata=[one.n for one in errors],
                hovertemplate=hover,
                offsetgroup=name,
            )
        )
        if len(reports) == 1:
            marker = {"symbol": "diamond", "size": 11, "color": series_color(1)}
            bias = [one.bias for one in brackets]
            name_of_bias = "bias (below 0: taken for younger)"
            figure.add_trace(go.Scatter(x=labels, y=bias, name=name_of_bias, mode="markers", marker=marker))
    styled(figure, title, "True age (years)", "Age error (years)")
    figure.update_xaxes(type="category")
    figure.update_layout(barmode="group", showlegend=True)
    return figure


def age_heatmap(age_true: NDArray[np.int64], age_years: NDArray[np.float32], title: str) -> go.Figure:
    """How often each pair of true and predicted age occurs, (N,) years each, in squares of 4 x 4 years."""
    if len(age_true) == 0:
        return empty_figure(title, "No ages to show")
    edges = np.arange(0, _OLDEST_SHOWN + _AGE_BIN_YEARS + 1, _AGE_BIN_YEARS)
    counts, _, _ = np.histogram2d(np.clip(age_years, 0, edges[-1]), np.clip(age_true, 0, edges[-1]), bins=edges)
    middles = edges[:-1] + _AGE_BIN_YEARS / 2
    # A few crowded squares (babies, 26-year-olds) would leave the rest white on a linear scale.
    shade = np.where(counts > 0, np.log10(np.maximum(counts, 1)) + 0.15, np.nan)
    ticks = [n for n in (1, 10, 100, 1000, 10_000) if n <= counts.max()]
    scale = {"tickvals": [float(np.log10(n)) + 0.15 for n in ticks], "ticktext": [str(n) for n in ticks]}
    heat = go.Heatmap(
        z=shade,
        x=middles,
        y=middles,
        colorscale=FADING_SCALE,
        zmin=0,
        customdata=counts,
        hovertemplate="true age %{x:.0f}±2, answer %{y:.0f}±2 years: %{customdata:.0f} people<extra></extra>",
        colorbar={"title": {"text": "people"}, **scale},
    )
    ends = [0, _OLDEST_SHOWN]
    perfect = go.Scatter(
        x=ends, y=ends, mode="lines", name="exactly right", line={"color": series_color(1), "dash": "dash"}
    )
    figure = styled(go.Figure([heat, perfect]), title, "True age (years)", "Predicted age (years)", height_px=520)
    figure.update_xaxes(range=ends, dtick=10)
    figure.update_yaxes(range=ends, dtick=10)
    figure.update_layout(showlegend=True, legend={"y": -0.15})
    return figure


def curve_names(history: pd.DataFrame) -> list[str]:
    """The logs of a training history that can be drawn: those that have a validation twin."""
    return [name for name in history.columns if f"val_{name}" in history.columns]


def training_curves(history: pd.DataFrame, name: str, title: str) -> go.Figure:
    """One log over the epochs, on the training images and on those that the epoch was chosen on."""
    if history.empty or name not in history.columns:
        return empty_figure(title, f"No curve of {name} was recorded")
    figure = go.Figure()
    lines = (
        (name, "training images", series_color(0)),
        (f"val_{name}", "images for choosing", series_color(1)),
    )
    for column, legend, color in lines:
        if column in history.columns:
            trace = go.Scatter(x=history["epoch"], y=history[column], name=legend, mode="lines", line={"color": color})
            figure.add_trace(trace)
    styled(figure, title, "Epoch (passes over the training images)", _curve_unit(name), height_px=340)
    figure.update_layout(hovermode="x unified", showlegend=True)
    if len(history) < 10:
        figure.update_xaxes(dtick=1)
    return _percent_axis(figure, whole=False) if name.endswith("accuracy") else figure


def _curve_unit(name: str) -> str:
    if name.endswith("accuracy"):
        return "Accuracy (%)"
    return "Age error (years)" if name.endswith("mae") else "Loss"


def _percent_axis(figure: go.Figure, whole: bool = True) -> go.Figure:
    """Shares drawn as percent; ``whole`` fixes the axis to 0-100 % so that figures can be compared."""
    ticks = np.arange(0, 101, 10 if whole else 5)
    figure.update_yaxes(tickvals=ticks / 100, ticktext=[str(tick) for tick in ticks])
    if whole:
        figure.update_yaxes(range=[0, 1.02])
    return figure

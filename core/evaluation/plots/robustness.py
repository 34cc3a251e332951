"""Figures about robustness. They only draw; a small chart a damage, since twelve lines in one cannot be read."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.evaluation.plots.style import MOOD_HEX, error_bars, series_color, styled
from core.evaluation.robustness import SEVERITIES, CorruptionFigures, RobustnessReport
from core.evaluation.robustness_tables import before_table, cost, measured

_COLUMNS = 3
_ROW_PX = 195
_NAMES = {"accuracy": "accuracy", "age": "mean age error"}


def severity_charts(report: RobustnessReport, measure: str, title: str) -> go.Figure:
    """``measure`` (``accuracy`` or ``age``) against severity with 95 % intervals, a small chart a corruption on common
    axes; dashed: on the pictures as they are; with the accuracy, dotted: the mean calibrated confidence."""
    rows = math.ceil(len(report.corruptions) / _COLUMNS)
    titles = [one.title for one in report.corruptions]
    figure = make_subplots(
        rows=rows,
        cols=_COLUMNS,
        shared_yaxes=True,
        subplot_titles=titles,
        vertical_spacing=0.36 / rows,
        horizontal_spacing=0.03,
    )
    for index, one in enumerate(report.corruptions):
        row, column = index // _COLUMNS + 1, index % _COLUMNS + 1
        for trace in _traces(report, one, measure):
            trace.showlegend = index == 0
            figure.add_trace(trace, row=row, col=column)
    styled(figure, title, "", "", height_px=110 + _ROW_PX * rows)
    figure.update_annotations(font_size=13)
    figure.update_layout(margin={"t": 75}, legend={"y": -0.09})
    figure.update_xaxes(tickvals=list(SEVERITIES), range=[0.7, len(SEVERITIES) + 0.3])
    for index in range(max(0, len(titles) - _COLUMNS), len(titles)):
        figure.update_xaxes(title_text="Severity", row=index // _COLUMNS + 1, col=index % _COLUMNS + 1)
    return _scaled(figure, report, measure)


def cost_bars(report: RobustnessReport, measure: str, title: str) -> go.Figure:
    """Mean cost of each corruption over its severities in percent of the clean figure, costliest on top; the dashed
    line is the mean of all."""
    costs = sorted(((cost(report, one, measure), one.title) for one in report.corruptions), reverse=True)
    values = [100 * value for value, _ in costs]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=[name for _, name in costs],
            orientation="h",
            marker_color=series_color(0),
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )
    )
    x_title = "Accuracy lost (% of what it is without damage)" if measure == "accuracy" else "Age error added (%)"
    styled(figure, title, x_title, "", height_px=110 + 28 * len(costs))
    figure.add_vline(x=float(np.mean(values)), line={"color": series_color(1), "dash": "dash", "width": 2})
    figure.update_yaxes(autorange="reversed")
    return figure


def before_bars(before: RobustnessReport, after: RobustnessReport, title: str) -> go.Figure:
    """Mean accuracy by kind of damage, two bars each, in the order of what was gained."""
    table = before_table(before, after)
    table["gain"] = table["accuracy_after"] - table["accuracy_before"]
    table = table.sort_values("gain", ascending=False)
    figure = go.Figure()
    for index, name in enumerate(("before", "after")):
        figure.add_trace(
            go.Bar(
                x=table[f"accuracy_{name}"],
                y=table["damage"],
                name=name,
                orientation="h",
                marker_color=series_color(1 - index),
                hovertemplate=f"%{{y}}, {name}: %{{x:.1%}}<extra></extra>",
            )
        )
    styled(figure, title, "Accuracy, mean over the severities", "", height_px=130 + 36 * len(table))
    figure.update_layout(barmode="group", showlegend=True)
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(autorange="reversed")
    return figure


def _traces(report: RobustnessReport, one: CorruptionFigures, measure: str) -> list[go.Scatter]:
    values = [measured(figures, measure) for figures in one.figures]
    clean = measured(report.clean, measure).value
    unit = ":.1%" if measure == "accuracy" else ":.2f"
    hover = f"severity %{{x}} (%{{customdata:g}}, {one.unit}): %{{y{unit}}}<extra>{one.title}</extra>"
    traces = [
        go.Scatter(
            x=list(SEVERITIES),
            y=[clean] * len(SEVERITIES),
            name="pictures as they are",
            mode="lines",
            line={"color": MOOD_HEX, "dash": "dash", "width": 1.5},
            legendgroup="clean",
            hoverinfo="skip",
        ),
        go.Scatter(
            x=list(SEVERITIES),
            y=[value.value for value in values],
            name=_NAMES[measure],
            mode="lines+markers",
            line={"color": series_color(0)},
            error_y=error_bars(values),
            customdata=one.levels,
            legendgroup=measure,
            hovertemplate=hover,
        ),
    ]
    if measure == "accuracy":
        confidence = go.Scatter(
            x=list(SEVERITIES),
            y=[figures.confidence for figures in one.figures],
            name="mean confidence",
            mode="lines",
            line={"color": series_color(1), "dash": "dot"},
            legendgroup="confidence",
            hovertemplate=f"severity %{{x}}: %{{y:.1%}} sure on average<extra>{one.title}</extra>",
        )
        traces.append(confidence)
    return traces


def _scaled(figure: go.Figure, report: RobustnessReport, measure: str) -> go.Figure:
    """The same range of y in all charts, with its title on the left of every row."""
    if measure == "accuracy":
        ticks = _ticks(min(min(figures.accuracy.value, figures.confidence) for figures in report.all_figures))
        margin = 0.02 * (1 - ticks[0])
        texts = [f"{100 * tick:.0f}" for tick in ticks]
        figure.update_yaxes(range=[ticks[0] - margin, 1 + margin], tickvals=ticks, ticktext=texts)
    else:
        highest = max(measured(figures, measure).value for figures in report.all_figures)
        figure.update_yaxes(range=[0, 1.1 * highest])
    for row in range(1, math.ceil(len(report.corruptions) / _COLUMNS) + 1):
        figure.update_yaxes(title_text="Accuracy (%)" if measure == "accuracy" else "Years", row=row, col=1)
    return figure


def _ticks(lowest: float) -> list[float]:
    """Of a scale from the quarter at or below ``lowest`` to 1: a few points lost from 94 % must not look like none."""
    bottom = min(0.75, math.floor(lowest * 4) / 4)
    steps = 5 if bottom >= 0.5 else round((1 - bottom) * 4)
    return [float(tick) for tick in np.linspace(bottom, 1, steps + 1)]

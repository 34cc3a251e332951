"""Figures about detectors, drawn from the tables of ``core.evaluation.detection.tables``."""

from __future__ import annotations

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from core.evaluation.plots.style import SERIES_HEX, apply_style, empty_figure, interval_bars, use_percent
from core.evaluation.tables import column_names, display_name

_TICKS_MS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_BY_DETECTOR = {"color": "detector", "color_discrete_sequence": SERIES_HEX}


def recall_curves(curves: pd.DataFrame, defaults: pd.DataFrame, title: str) -> go.Figure:
    """Draw recall against FPPI (``curve_table``), and the default thresholds (``condition_table``) as diamonds."""
    if curves.empty:
        return empty_figure(title, "No recall curve was stored for this condition.")
    axes = {"x": "fppi", "y": "recall", **_BY_DETECTOR}
    figure = px.line(curves, hover_data=["score_threshold"], labels=column_names(curves), **axes)
    points = px.scatter(defaults, labels=column_names(defaults), **axes)
    points.update_traces(marker={"symbol": "diamond", "size": 11}, showlegend=False)
    figure.add_traces(points.data)
    apply_style(figure, title, display_name("fppi"), display_name("recall"))
    # The useful range; a double click shows the rest.
    figure.update_xaxes(range=[-0.01, 0.6])
    return use_percent(figure, "y", lowest=0.5)


def recall_bars(recall: pd.DataFrame, column: str, title: str) -> go.Figure:
    """Draw recall by group of faces with 95 % confidence intervals (``recall_table``)."""
    if recall.empty:
        return empty_figure(title, "No recall was stored for these groups.")
    return use_percent(interval_bars(recall, column, "recall", title, hover=["faces"], color="detector"), "y")


def nme_bars(nme: pd.DataFrame, title: str) -> go.Figure:
    """Draw the NME of all landmarks, by landmark and by size (``nme_table``)."""
    if nme.empty:
        return empty_figure(title, "None of these detectors has landmarks.")
    x = "landmark_or_size"
    figure = px.bar(nme, x=x, y="nme", barmode="group", hover_data=["faces"], labels=column_names(nme), **_BY_DETECTOR)
    apply_style(figure, title, display_name(x), display_name("nme"))
    figure.update_yaxes(tickformat=".0%")
    return figure


def latency_lines(latencies: pd.DataFrame, title: str) -> go.Figure:
    """Draw milliseconds by frame size (``latency_table``) on a logarithmic scale, since detectors differ tenfold."""
    if latencies.empty:
        return empty_figure(title, "No latencies were stored.")
    figure = px.line(
        latencies,
        x="frame",
        y="median_ms",
        line_dash="settings",
        markers=True,
        log_y=True,
        labels=column_names(latencies),
        **_BY_DETECTOR,
    )
    apply_style(figure, title, "Frame (pixels)", "Time per frame (ms)")
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickvals=_TICKS_MS, ticktext=[f"{tick:g}" for tick in _TICKS_MS])
    return figure

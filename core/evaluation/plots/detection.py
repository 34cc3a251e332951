"""Figures about detectors, drawn from the tables of ``core.evaluation.detection.tables``."""

from __future__ import annotations

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from core.evaluation.plots.style import SERIES_HEX, apply_style, empty_figure

RECALL, FPPI = "Recall", "False positives per image"
_NAMES = {
    "detector": "Detector",
    "recall": RECALL,
    "fppi": FPPI,
    "score_threshold": "Score threshold",
    "faces": "Faces",
    "nme": "NME",
    "median_ms": "Time per frame (ms)",
    "settings": "Settings",
    "frame": "Frame (pixels)",
}
_TICKS_MS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def recall_curves(curves: pd.DataFrame, defaults: pd.DataFrame, title: str) -> go.Figure:
    """Draw recall against FPPI (``curve_table``), and the default thresholds (``condition_table``) as diamonds."""
    if curves.empty:
        return empty_figure(title, "No recall curve was stored for this condition.")
    figure = px.line(
        curves,
        x="fppi",
        y="recall",
        color="detector",
        hover_data=["score_threshold"],
        labels=_NAMES,
        color_discrete_sequence=SERIES_HEX,
    )
    points = px.scatter(
        defaults, x="fppi", y="recall", color="detector", labels=_NAMES, color_discrete_sequence=SERIES_HEX
    )
    points.update_traces(marker={"symbol": "diamond", "size": 11}, showlegend=False)
    figure.add_traces(points.data)
    apply_style(figure, title, FPPI, RECALL)
    # The useful range; a double click shows the rest.
    figure.update_xaxes(range=[-0.01, 0.6])
    figure.update_yaxes(range=[0.5, 1.02], tickformat=".0%")
    return figure


def recall_bars(recall: pd.DataFrame, x_title: str, title: str) -> go.Figure:
    """Draw recall by group of faces with 95 % confidence intervals (``recall_table``)."""
    if recall.empty:
        return empty_figure(title, "No recall was stored for these groups.")
    figure = px.bar(
        recall.assign(up=recall["recall_high"] - recall["recall"], down=recall["recall"] - recall["recall_low"]),
        x="group",
        y="recall",
        color="detector",
        error_y="up",
        error_y_minus="down",
        barmode="group",
        hover_data=["faces"],
        labels=_NAMES | {"group": x_title},
        color_discrete_sequence=SERIES_HEX,
    )
    apply_style(figure, title, x_title, RECALL)
    figure.update_xaxes(type="category")
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return figure


def nme_bars(nme: pd.DataFrame, title: str) -> go.Figure:
    """Draw the NME of all landmarks, by landmark and by size (``nme_table``)."""
    if nme.empty:
        return empty_figure(title, "None of these detectors has landmarks.")
    figure = px.bar(
        nme,
        x="group",
        y="nme",
        color="detector",
        barmode="group",
        hover_data=["faces"],
        labels=_NAMES | {"group": "Landmark or face size"},
        color_discrete_sequence=SERIES_HEX,
    )
    apply_style(figure, title, "Landmark or inter-ocular distance", "NME")
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
        color="detector",
        line_dash="settings",
        markers=True,
        log_y=True,
        labels=_NAMES,
        color_discrete_sequence=SERIES_HEX,
    )
    apply_style(figure, title, _NAMES["frame"], _NAMES["median_ms"])
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickvals=_TICKS_MS, ticktext=[f"{tick:g}" for tick in _TICKS_MS])
    return figure

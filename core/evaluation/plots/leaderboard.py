"""Metric against latency, one point per network. Only draws the table."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from core.evaluation.leaderboard import Group
from core.evaluation.leaderboard_tables import leaderboard_table
from core.evaluation.plots.style import SERIES_HEX, apply_style, empty_figure, interval_errors
from core.evaluation.tables import column_names, display_name

_NAMED = 3
"""How many of the best networks have their name beside the point; the others show it on hover."""


def comparable_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Select the networks with a metric and a time, all of the processor that most of them were timed on."""
    timed = table.dropna(subset=["value", "ms_per_face"])
    return timed[timed["timed_on"].isin(timed["timed_on"].mode()[:1])]


def speed_scatter(group: Group, title: str) -> go.Figure:
    """Draw the metric on the test split against milliseconds per face (logarithmic); better is up."""
    table = comparable_rows(leaderboard_table(group))
    if table.empty:
        return empty_figure(title, "No latency was measured yet")
    table = table.assign(
        label=np.where(np.arange(len(table)) < _NAMED, table["model"], ""),
    )
    figure = px.scatter(
        table,
        x="ms_per_face",
        y="value",
        color="kind",
        symbol="kind",
        text="label",
        hover_name="model",
        hover_data={"kind": False, "label": False, "title": True, "parameters": ":,"},
        color_discrete_map={"Facet": SERIES_HEX[1], "Baseline": SERIES_HEX[0], "Package": SERIES_HEX[2]},
        symbol_map={"Facet": "diamond", "Baseline": "circle", "Package": "square"},
        log_x=True,
        labels=column_names(table) | {"value": group.measure.metric_title},
        **interval_errors(table, "value", "y"),
    )
    outline = {"width": 1, "color": "white"}
    error_bar = {"thickness": 2, "color": "#999999"}
    figure.update_traces(marker={"size": 12, "line": outline}, error_y=error_bar, cliponaxis=False)
    # Names stand on the side where there is room.
    middle = math.sqrt(table["ms_per_face"].min() * table["ms_per_face"].max())
    figure.for_each_trace(
        lambda trace: trace.update(textposition=["middle right" if x < middle else "middle left" for x in trace.x])
    )
    apply_style(figure, title, display_name("ms_per_face"), group.measure.metric_title, 460)
    if group.measure.lower_is_better:
        return figure.update_yaxes(autorange="reversed")
    return figure.update_yaxes(tickformat=".0%")

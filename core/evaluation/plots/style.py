"""The look that all figures share: no background of their own, so they fit a light and a dark page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from core.drawing.palette import EMOTION_HEX
from core.evaluation.tables import column_names, display_name

SERIES_HEX: tuple[str, ...] = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#AA3377", "#66CCEE")
"""Colours of models or curves that are compared (Paul Tol, "bright": safe for colour-blind readers)."""
NEUTRAL_HEX = "#888888"
HEAT_SCALE = "Blues"
DIFFERENCE_SCALE = "RdBu"
"""Red below zero, blue above: told apart by colour-blind readers too (ColorBrewer)."""
_ERROR_BAR = {"thickness": 2, "color": "#999999"}
_GRID = "rgba(128, 128, 128, 0.25)"
_CLEAR = "rgba(0, 0, 0, 0)"


def series_color(index: int) -> str:
    return SERIES_HEX[index % len(SERIES_HEX)]


def label_color(label: str) -> str:
    """Return the colour of an emotion, or the first series colour for any other label."""
    return {str(emotion): color for emotion, color in EMOTION_HEX.items()}.get(label, SERIES_HEX[0])


def apply_style(figure: go.Figure, title: str, x_title: str, y_title: str, height_px: int = 400) -> go.Figure:
    """Give a new figure its title, axis titles, height and the common style; returns the same figure."""
    figure.update_layout(
        title={"text": title},
        height=height_px,
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        margin={"l": 10, "r": 10, "t": 45 if title else 10, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.25, "xanchor": "left", "x": 0, "title": {"text": ""}},
        hoverlabel={"namelength": -1},
        modebar={"bgcolor": _CLEAR},
    )
    # Automatic margins keep long labels from being cut off whatever the width of the page.
    figure.update_xaxes(title_text=x_title, automargin=True, gridcolor=_GRID, zerolinecolor=_GRID)
    figure.update_yaxes(title_text=y_title, automargin=True, gridcolor=_GRID, zerolinecolor=_GRID)
    return figure


def empty_figure(title: str, message: str) -> go.Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = apply_style(go.Figure(), title, "", "", height_px=200)
    figure.add_annotation(text=message, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def interval_bars(
    table: pd.DataFrame, x: str, y: str, title: str, hover: Sequence[str] = ("people",), color: str = "model"
) -> go.Figure:
    """Draw column ``y`` with its 95 % confidence interval as grouped bars, one colour per value of ``color``.

    ``table``: as from ``core.evaluation.tables.compare_models``, one row per bar; ``hover``: further columns to show.
    """
    figure = px.bar(
        table,
        x=x,
        y=y,
        color=color,
        color_discrete_sequence=SERIES_HEX,
        barmode="group",
        hover_data=list(hover),
        labels=column_names(table),
        **interval_errors(table, y, "y"),
    )
    figure.update_traces(error_y=_ERROR_BAR)
    apply_style(figure, title, display_name(x), display_name(y))
    # As categories, or age brackets such as 3-9 would be read as dates.
    figure.update_xaxes(type="category")
    figure.update_layout(showlegend=table[color].nunique() > 1)
    return figure


def interval_errors(table: pd.DataFrame, column: str, axis: str) -> dict[str, pd.Series]:
    """Return the arguments that make plotly express draw the interval of ``column`` along ``axis``, "x" or "y"."""
    value = table[column]
    return {f"error_{axis}": table[f"{column}_high"] - value, f"error_{axis}_minus": value - table[f"{column}_low"]}


def use_percent(figure: go.Figure, axis: str, lowest: float = 0.0) -> go.Figure:
    """Label ``axis``, "x" or "y", in percent; it ends a little above 100 % and begins at ``lowest``."""
    update = figure.update_xaxes if axis == "x" else figure.update_yaxes
    update(tickformat=".0%", range=[lowest, 1.02])
    return figure

"""The look that all figures share: no background of their own, so they fit a light and a dark page."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.drawing.palette import EMOTION_HEX
from core.evaluation.intervals import MetricValue

SERIES_HEX: tuple[str, ...] = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#AA3377", "#66CCEE")
"""Colours of models or curves that are compared (Paul Tol, "bright": safe for colour-blind readers)."""
MOOD_HEX = "#888888"
HEAT_SCALE = "Blues"
FADING_SCALE: tuple[tuple[float, str], ...] = (
    (0.0, "rgba(47, 127, 214, 0.05)"),
    (1.0, "rgba(47, 127, 214, 1)"),
)
"""From nearly nothing to a blue that stands out on light and dark pages; for heat maps without text."""
_GRID = "rgba(128, 128, 128, 0.25)"
_CLEAR = "rgba(0, 0, 0, 0)"


def series_color(index: int) -> str:
    return SERIES_HEX[index % len(SERIES_HEX)]


def label_color(label: str) -> str:
    """The colour of an emotion, or the first series colour for any other label."""
    return {str(emotion): color for emotion, color in EMOTION_HEX.items()}.get(label, SERIES_HEX[0])


def styled(figure: go.Figure, title: str, x_title: str, y_title: str, height_px: int = 400) -> go.Figure:
    """Give a new figure its title, axis titles, height and the common style; returns the same figure."""
    figure.update_layout(
        title={"text": title},
        height=height_px,
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        margin={"l": 10, "r": 10, "t": 45 if title else 10, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.25, "xanchor": "left", "x": 0},
        hoverlabel={"namelength": -1},
        modebar={"bgcolor": _CLEAR},
    )
    # Automatic margins keep long labels from being cut off whatever the width of the page.
    figure.update_xaxes(title_text=x_title, automargin=True, gridcolor=_GRID, zerolinecolor=_GRID)
    figure.update_yaxes(title_text=y_title, automargin=True, gridcolor=_GRID, zerolinecolor=_GRID)
    return figure


def empty_figure(title: str, message: str) -> go.Figure:
    """A figure that says why there is nothing to draw."""
    figure = styled(go.Figure(), title, "", "", height_px=200)
    figure.add_annotation(text=message, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def error_bars(measured: Sequence[MetricValue]) -> dict[str, object]:
    """Plotly's asymmetric error bars; a bound that is NaN draws none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [one.high - one.value for one in measured],
        "arrayminus": [one.value - one.low for one in measured],
        "thickness": 2,
        "color": "#999999",
    }

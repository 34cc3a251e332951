"""Figures of one face, one live session or one video."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.drawing.palette import FACE_HEX
from core.evaluation.plots.style import NEUTRAL_HEX, apply_style, empty_figure, label_color
from core.labels import UNCERTAIN
from core.types import EMOTIONS


def emotion_timeline(samples: pd.DataFrame, title: str = "Emotions and valence over time") -> go.Figure:
    """Plot emotion probabilities above valence on one time axis.

    ``samples``: ``time_s`` (seconds, increasing), one column per emotion in [0, 1], ``valence`` in [-1, 1]; emotions
    without a column are left out.
    """
    if samples.empty:
        return empty_figure(title, "Nothing recorded yet")
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.65, 0.35], vertical_spacing=0.08)
    time_s = samples["time_s"]
    for name in (str(emotion) for emotion in EMOTIONS if str(emotion) in samples.columns):
        line = {"color": label_color(name), "width": 2}
        figure.add_trace(go.Scatter(x=time_s, y=samples[name], name=name, mode="lines", line=line), row=1, col=1)
    valence = go.Scatter(
        x=time_s,
        y=samples["valence"],
        name="valence",
        mode="lines",
        line={"color": NEUTRAL_HEX, "width": 2, "dash": "dot"},
    )
    figure.add_trace(valence, row=2, col=1)
    apply_style(figure, title, "", "", height_px=460)
    figure.update_layout(hovermode="x unified", legend={"y": -0.25})
    figure.update_xaxes(title_text="Time (s)", row=2, col=1)
    figure.update_yaxes(title_text="Probability (0-1)", range=[0, 1], row=1, col=1)
    figure.update_yaxes(title_text="Valence (-1 to 1)", range=[-1.05, 1.05], row=2, col=1)
    return figure


def expressions_over_time(
    shares: Mapping[float, Mapping[str, float]], bin_s: float, title: str = "Expressions over time"
) -> go.Figure:
    """Plot stacked bars of time in view by expression, one per time bin.

    ``shares``: start of the bin in seconds -> label -> share in [0, 1], which sum to 1 within a bin; ``bin_s``: width
    of a bin.
    """
    unit, scale = ("s", 1.0) if bin_s < 60 else ("min", 60.0)
    bars = [
        go.Bar(
            x=[(start_s + bin_s / 2) / scale for start_s in shares],
            y=[mix.get(label, 0.0) for mix in shares.values()],
            width=0.95 * bin_s / scale,
            name=label,
            marker_color=FACE_HEX if label == UNCERTAIN else label_color(label),
            hovertemplate="%{y:.0%}",
        )
        for label in (*map(str, EMOTIONS), UNCERTAIN)
    ]
    figure = go.Figure(bars)
    # The title makes room for the button that saves the chart.
    apply_style(figure, title, f"Time ({unit})", "Share of time in view (%)", height_px=380)
    figure.update_layout(barmode="stack", hovermode="x unified", legend={"traceorder": "normal"})
    figure.update_yaxes(range=[0, 1], tickformat=".0%")
    return figure

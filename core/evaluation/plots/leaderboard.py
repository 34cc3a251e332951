"""How good against how fast, one point a network. Only draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.evaluation.leaderboard import Group, Row
from core.evaluation.plots.latency import milliseconds
from core.evaluation.plots.style import empty_figure, error_bars, series_color, styled

_TICKS_MS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_HEIGHT_PX = 460
_PLACES = {
    "middle right": (1.0, 0.0),
    "middle left": (-1.0, 0.0),
    "top center": (0.0, 1.0),
    "bottom center": (0.0, -1.0),
}
"""Plotly's text positions -> in which direction the label's centre lies from its point."""
_CHARACTER, _LINE = 0.013, 0.06
"""Room of a label in a window of middling size, in shares of the figure's width and height."""


def comparable_rows(group: Group) -> list[Row]:
    """Networks with a figure and a time, all of the same machine: the one that most of them were timed on."""
    by_machine: dict[str, list[Row]] = {}
    for row in group.rows:
        if row.network.speed and not math.isnan(row.reported.value):
            by_machine.setdefault(row.network.speed.machine, []).append(row)
    return max(by_machine.values(), key=len, default=[])


def speed_scatter(group: Group, title: str) -> go.Figure:
    """The measured figure against milliseconds a face (logarithmic) of ``comparable_rows``, ours in a colour of their
    own; better is up."""
    shown = comparable_rows(group)
    if not shown:
        return empty_figure(title, "No network was timed yet")
    share = group.measure.unit == "%"
    labels = _labels(shown, share)
    figure = go.Figure()
    for own, name, color, symbol in ((True, "Ours", 1, "diamond"), (False, "Rebuilt from others", 0, "circle")):
        rows = [row for row in shown if row.network.own == own]
        if rows:
            figure.add_trace(_points(rows, labels, share, name, series_color(color), symbol))
    styled(figure, title, "Time for one face (ms)", "Right answers" if share else "Mean age error (years)", _HEIGHT_PX)
    figure.update_layout(showlegend=True)
    times = [row.network.ms_per_face for row in shown]
    low, high = math.log10(min(times)), math.log10(max(times))
    # At least a factor of ten across, so that there are numbers on the axis.
    room = max(0.15 * (high - low), (1 - (high - low)) / 2)
    figure.update_xaxes(
        type="log",
        tickvals=_TICKS_MS,
        ticktext=[f"{tick:g}" for tick in _TICKS_MS],
        range=[low - room, high + room],
    )
    figure.update_yaxes(tickformat=".3~p" if share else None, autorange=True if share else "reversed")
    return figure


def label_places(points_xy: np.ndarray, texts: Sequence[str]) -> list[str]:
    """Where each point's text can stand without covering a point or another text and without leaving the figure:
    one of Plotly's text positions, or nothing where there is no room. ``points_xy``: (N, 2) in shares of the figure;
    the first comes first served, the others give way to those that have less choice."""
    order = list(range(len(texts)))
    places = _placed(points_xy, texts, order)
    for row in [row for row in order[1:] if not places[row]]:
        earlier = [order[0], row, *(other for other in order[1:] if other != row)]
        again = _placed(points_xy, texts, earlier)
        if again.count("") < places.count(""):
            order, places = earlier, again
    return places


def _placed(points_xy: np.ndarray, texts: Sequence[str], order: Sequence[int]) -> list[str]:
    """As ``label_places``, in the given order."""
    taken: list[tuple[float, float, float, float]] = []
    places = [""] * len(texts)
    for row in order:
        x, y = points_xy[row]
        width = _CHARACTER * len(texts[row])
        # Beside the point first, because its interval is above and below, and towards the middle of the figure: on a
        # narrow screen the text is wider than reckoned.
        for place, (right, up) in sorted(_PLACES.items(), key=lambda one: (one[1][1] != 0, one[1][0] * (x - 0.5))):
            centre_x, centre_y = x + right * (width / 2 + 0.015), y + up * _LINE * 0.8
            box = (centre_x - width / 2, centre_y - _LINE / 2, centre_x + width / 2, centre_y + _LINE / 2)
            inside = box[0] >= 0 and box[2] <= 1
            if inside and not _covers_point(box, points_xy) and not any(_overlap(box, other) for other in taken):
                places[row] = place
                taken.append(box)
                break
    return places


def _labels(rows: Sequence[Row], share: bool) -> dict[str, str]:
    """Network -> place of its name, for those that have room; ours come first, then the best."""
    times = np.log10([row.network.ms_per_face for row in rows])
    values = np.array([row.reported.value for row in rows]) * (1 if share else -1)
    points = np.stack([_spread(times), _spread(values)], axis=1)
    order = sorted(range(len(rows)), key=lambda row: not rows[row].network.own)
    names = [rows[row].network.name for row in order]
    return dict(zip(names, label_places(points[order], names), strict=True))


def _spread(values: np.ndarray) -> np.ndarray:
    """To 0.15-0.85 of the figure, as the margins of its axes leave them."""
    low, high = float(values.min()), float(values.max())
    return np.full(len(values), 0.5) if high == low else 0.15 + 0.7 * (values - low) / (high - low)


def _covers_point(box: tuple[float, float, float, float], points_xy: np.ndarray) -> bool:
    left, bottom, right, top = box
    x, y = points_xy.T
    return bool(((x > left) & (x < right) & (y > bottom) & (y < top)).any())


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _points(rows: Sequence[Row], labels: dict[str, str], share: bool, name: str, color: str, symbol: str) -> go.Scatter:
    networks = [row.network for row in rows]
    places = [labels[one.name] for one in networks]
    value = "%{y:.1%}" if share else "%{y:.2f} years"
    return go.Scatter(
        x=[one.ms_per_face for one in networks],
        y=[row.reported.value for row in rows],
        error_y=error_bars([row.reported for row in rows]),
        mode="markers+text",
        name=name,
        text=[one.name if place else "" for one, place in zip(networks, places, strict=True)],
        textposition=[place or "top center" for place in places],
        cliponaxis=False,
        marker={"size": 12, "color": color, "symbol": symbol, "line": {"width": 1, "color": "white"}},
        customdata=[(one.name, one.title, milliseconds(one.ms_per_face), f"{one.parameters:,}") for one in networks],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>"
        + value
        + ", %{customdata[2]} a face<br>%{customdata[3]} parameters<extra></extra>",
    )

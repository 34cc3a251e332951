"""Figures about detectors. They only draw; a colour is a place in one figure, since figures may leave
detectors out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from core.evaluation.detection.report import DetectorReport, PointReport, Share
from core.evaluation.plots.style import empty_figure, error_bars, series_color, styled

_TICKS_MS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

Detectors = Mapping[str, DetectorReport]


def recall_curves(detectors: Detectors, setup: str, title: str) -> go.Figure:
    """Faces found against false boxes an image while the score threshold falls; a diamond at the default."""
    figure = go.Figure()
    for index, one in enumerate(detectors.values()):
        report = one.setups.get(setup)
        if report is None or report.curve is None:
            continue
        hover = "%{y:.1%} found, %{x:.3f} false boxes an image<br>score from %{customdata:.3f}"
        figure.add_trace(
            go.Scatter(
                x=report.curve.false_boxes,
                y=report.curve.recall,
                name=one.title,
                mode="lines",
                legendgroup=one.title,
                line={"color": series_color(index)},
                customdata=report.curve.thresholds,
                hovertemplate=f"{hover}<extra>{one.title}</extra>",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[report.false_boxes_all],
                y=[report.recall.value],
                name=f"{one.title}, default",
                mode="markers",
                legendgroup=one.title,
                showlegend=False,
                marker={"symbol": "diamond", "size": 11, "color": series_color(index)},
                hovertemplate="%{y:.1%} found, %{x:.3f} false boxes an image<extra>default sensitivity</extra>",
            )
        )
    if not figure.data:
        return empty_figure(title, "No curve was stored for these photographs")
    styled(figure, title, "False boxes an image", "Faces found (%)")
    figure.update_layout(showlegend=True)
    # Where a detector is of use; the rest of a curve is a double click away.
    figure.update_xaxes(range=[-0.01, 0.6])
    return _percent(figure, least=0.5)


def share_bars(shares: Mapping[str, Sequence[Share]], x_title: str, title: str) -> go.Figure:
    """Faces found by kind of face with 95 % intervals; ``shares``: title of the detector -> its shares."""
    if not any(shares.values()):
        return empty_figure(title, "Nothing of this kind was stored")
    figure = go.Figure()
    for index, (name, parts) in enumerate(shares.items()):
        figure.add_trace(
            go.Bar(
                x=[part.label for part in parts],
                y=[part.found.value for part in parts],
                name=name,
                marker_color=series_color(index),
                error_y=error_bars([part.found for part in parts]),
                customdata=[part.found.n for part in parts],
                hovertemplate="%{x}: %{y:.1%} of %{customdata} faces<extra>" + name + "</extra>",
            )
        )
    styled(figure, title, x_title, "Faces found (%)")
    figure.update_xaxes(type="category")
    figure.update_layout(barmode="group", showlegend=True)
    return _percent(figure)


def point_bars(reports: Mapping[str, PointReport], title: str) -> go.Figure:
    """Error of each point, in percent of the eye distance; ``reports``: who marked the points -> report."""
    if not reports:
        return empty_figure(title, "None of these detectors marks points")
    figure = go.Figure()
    for index, (name, report) in enumerate(reports.items()):
        figure.add_trace(
            go.Bar(
                x=[part.label for part in report.by_point],
                y=[100 * part.mean for part in report.by_point],
                name=name,
                marker_color=series_color(index),
                customdata=[part.n for part in report.by_point],
                hovertemplate="%{x}: %{y:.1f} % of the eye distance, %{customdata} faces<extra>" + name + "</extra>",
            )
        )
    styled(figure, title, "Point", "Off by (% of the eye distance)")
    figure.update_layout(barmode="group", showlegend=True)
    return figure


def scatter_bars(detectors: Detectors, setup: str, title: str) -> go.Figure:
    """Each rater's own scatter in percent of the eye distance, for the first of ``detectors`` that marks points."""
    measured = [(one.title, one.setups[setup].scatter) for one in detectors.values() if setup in one.setups]
    known = [(name, scatter) for name, scatter in measured if scatter is not None]
    if not known:
        return empty_figure(title, "None of these detectors marks points")
    name, scatter = known[0]
    bars = {"People": scatter.people, "Machine": scatter.machine, name: scatter.detector}
    figure = go.Figure(
        go.Bar(
            x=[100 * value for value in bars.values()],
            y=list(bars),
            orientation="h",
            marker_color=[series_color(row) for row in range(len(bars))],
            hovertemplate="%{y}: %{x:.1f} % of the eye distance<extra></extra>",
        )
    )
    styled(figure, title, "Own scatter (% of the eye distance)", "", height_px=230)
    figure.update_yaxes(autorange="reversed")
    return figure


def timing_lines(detectors: Detectors, live: bool, title: str) -> go.Figure:
    """Median milliseconds against frame size; a logarithmic scale, since detectors differ tenfold."""
    figure = go.Figure()
    for index, one in enumerate(detectors.values()):
        timings = [timing for timing in one.timings if timing.live == live]
        if timings:
            figure.add_trace(
                go.Scatter(
                    x=[f"{timing.width}x{timing.height}" for timing in timings],
                    y=[timing.median_ms for timing in timings],
                    name=one.title,
                    mode="lines+markers",
                    line={"color": series_color(index)},
                    hovertemplate="%{x}: %{y:.1f} ms<extra>" + one.title + "</extra>",
                )
            )
    if not figure.data:
        return empty_figure(title, "No times were stored")
    styled(figure, title, "Frame (pixels)", "Time a frame (ms)")
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="log", tickvals=_TICKS_MS, ticktext=[f"{tick:g}" for tick in _TICKS_MS])
    figure.update_layout(showlegend=True)
    return figure


def steadiness_bars(detectors: Detectors, title: str) -> go.Figure:
    """How far the box of a still face strays, in percent of the face's size: as detected, and after tracking."""
    measured = [(one.title, one.steadiness) for one in detectors.values() if one.steadiness is not None]
    if not measured:
        return empty_figure(title, "No steadiness was stored")
    names = [name for name, _ in measured]
    figure = go.Figure()
    parts = (
        ("as detected", [(one.raw_share, one.raw_px) for _, one in measured]),
        ("after tracking", [(one.tracked_share, one.tracked_px) for _, one in measured]),
    )
    for index, (name, values) in enumerate(parts):
        figure.add_trace(
            go.Bar(
                x=names,
                y=[100 * share for share, _ in values],
                name=name,
                marker_color=series_color(index),
                customdata=[px for _, px in values],
                hovertemplate="%{x}: %{y:.2f} % of the face, %{customdata:.2f} px<extra>" + name + "</extra>",
            )
        )
    styled(figure, title, "Detector", "Standard deviation (% of the face)", height_px=360)
    figure.update_xaxes(type="category")
    figure.update_layout(barmode="group", showlegend=True)
    return figure


def _percent(figure: go.Figure, least: float = 0.0) -> go.Figure:
    """Shares from ``least`` to 1, drawn as percent."""
    ticks = np.arange(0, 101, 10)
    figure.update_yaxes(tickvals=ticks / 100, ticktext=[str(tick) for tick in ticks], range=[least, 1.02])
    return figure

"""Figures about calibration. They only draw: every number comes from a report."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from core.attributes.postprocessing import INTERVAL_COVERAGE
from core.evaluation.calibration import CalibrationReport, CoveragePoint, IntervalReport, Reliability
from core.evaluation.plots.style import MOOD_HEX, error_bars, series_color, styled

COVERAGE_BAND = (0.7, 0.9)
"""Where the coverage of every age bracket should lie."""


def reliability_diagram(report: CalibrationReport, title: str) -> go.Figure:
    """Accuracy against stated confidence, before and after the temperature; on the diagonal they agree."""
    diagonal = go.Scatter(
        x=[0, 1], y=[0, 1], name="perfectly calibrated", mode="lines", line={"color": MOOD_HEX, "dash": "dash"}
    )
    before = _reliability_line(report.before, "before the correction", series_color(1), "dot")
    after = _reliability_line(report.after, "after, as answered", series_color(0), "solid")
    after.update(error_y=error_bars([one.accuracy for one in report.after.bins if one.n]))
    figure = styled(go.Figure([diagonal, before, after]), title, "Stated confidence", "Share of right answers", 440)
    figure.update_layout(showlegend=True)
    return _percent_axes(figure, [0, 1.02], [0, 1.02])


def accuracy_coverage(reports: Mapping[str, CalibrationReport], title: str) -> go.Figure:
    """Accuracy of what is kept when the least confident answers are called uncertain; the star is the default."""
    figure = go.Figure()
    for index, (name, report) in enumerate(reports.items()):
        color = series_color(index)
        line = _kept_trace(report.curve, name)
        figure.add_trace(line.update(mode="lines", line={"color": color}))
        star = _kept_trace((report.default,), f"{name}: default")
        figure.add_trace(star.update(mode="markers", marker={"symbol": "star", "size": 15, "color": color}))
    styled(figure, title, "Share of answers kept", "Accuracy of the kept answers")
    figure.update_layout(showlegend=True)
    lowest = min((one.accuracy.value for report in reports.values() for one in report.curve), default=0.0)
    return _percent_axes(figure, [0, 1.02], [max(0.0, lowest - 0.05), 1.01])


def interval_coverage_bars(reports: Mapping[str, IntervalReport], title: str) -> go.Figure:
    """Coverage of the age interval by bracket of the true age; the line is what is stated, the band the aim."""
    figure = go.Figure()
    for index, (name, report) in enumerate(reports.items()):
        rows = [one for one in (report.everybody, *report.brackets) if one.coverage.n]
        figure.add_trace(
            go.Bar(
                x=[one.label for one in rows],
                y=[one.coverage.value for one in rows],
                name=name,
                marker_color=series_color(index),
                error_y=error_bars([one.coverage for one in rows]),
                customdata=[[one.coverage.n, one.width] for one in rows],
                hovertemplate="%{x}: %{y:.1%} of %{customdata[0]} people<br>"
                "intervals %{customdata[1]:.1f} years wide<extra>" + name + "</extra>",
            )
        )
    low, high = COVERAGE_BAND
    figure.add_hrect(y0=low, y1=high, fillcolor=series_color(2), opacity=0.15, line_width=0)
    figure.add_hline(y=INTERVAL_COVERAGE, line={"color": series_color(2), "dash": "dash"})
    styled(figure, title, "True age (years)", "Share whose age is in the interval")
    # As categories, or bracket names such as 3-9 would be read as dates.
    figure.update_xaxes(type="category")
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_layout(barmode="group", showlegend=len(reports) > 1)
    return figure


def _reliability_line(reliability: Reliability, name: str, color: str, dash: str) -> go.Scatter:
    bins = [one for one in reliability.bins if one.n]
    return go.Scatter(
        x=[one.confidence for one in bins],
        y=[one.accuracy.value for one in bins],
        name=name,
        mode="lines+markers",
        line={"color": color, "dash": dash},
        customdata=[one.n for one in bins],
        hovertemplate="stated %{x:.1%}, right %{y:.1%}<br>%{customdata:,} answers<extra>" + name + "</extra>",
    )


def _kept_trace(points: tuple[CoveragePoint, ...], name: str) -> go.Scatter:
    return go.Scatter(
        x=[one.share.value for one in points],
        y=[one.accuracy.value for one in points],
        name=name,
        customdata=[one.min_confidence for one in points],
        hovertemplate="%{x:.0%} of the answers kept: %{y:.1%} right<br>those with at least %{customdata:.0%} "
        "confidence<extra>" + name + "</extra>",
    )


def _percent_axes(figure: go.Figure, x_range: list[float], y_range: list[float]) -> go.Figure:
    figure.update_xaxes(tickformat=".0%", range=x_range)
    figure.update_yaxes(tickformat=".0%", range=y_range)
    return figure

"""Metrics on corrupted images as one small chart per corruption: twelve lines in one chart cannot be read."""

from __future__ import annotations

import math

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from core.evaluation.plots.style import NEUTRAL_HEX, SERIES_HEX, apply_style
from core.evaluation.robustness import ConditionMetrics, Metric, RobustnessReport

_COLUMNS = 3
_ROW_PX = 195
_TITLES: dict[Metric, str] = {"accuracy": "accuracy", "age_mae": "mean age error"}
_CONFIDENCE = "mean confidence"


def severity_charts(report: RobustnessReport, name: Metric, title: str) -> go.Figure:
    """Draw a metric by severity with 95 % intervals, one small chart per corruption on common axes.

    Dashed: the metric on clean images. With the accuracy, dotted: the mean calibrated confidence.
    """
    rows = math.ceil(len(report.corruptions) / _COLUMNS)
    figure = px.line(
        _long_table(report, name),
        x="severity",
        y="value",
        error_y="above",
        error_y_minus="below",
        color="series",
        line_dash="series",
        line_dash_map={_TITLES[name]: "solid", _CONFIDENCE: "dot"},
        color_discrete_sequence=SERIES_HEX,
        facet_col="corruption",
        facet_col_wrap=_COLUMNS,
        facet_row_spacing=0.24 / max(rows, 2),
        markers=True,
        hover_data={"level": True, "corruption": False},
        labels={"severity": "Severity", "value": "Accuracy" if name == "accuracy" else "Years", "series": ""},
    )
    figure.for_each_annotation(
        lambda note: note.update(text=note.text.removeprefix("corruption=").replace(" (", "<br>("), font_size=12)
    )
    figure.add_hline(report.clean.metric(name).value, line={"color": NEUTRAL_HEX, "dash": "dash", "width": 1.5})
    figure.update_yaxes(tickformat=".0%" if name == "accuracy" else "")
    labels = {axis.plotly_name: axis.title.text or "" for axis in [*figure.select_xaxes(), *figure.select_yaxes()]}
    apply_style(figure, title, "", "", height_px=110 + _ROW_PX * rows)
    figure.update_layout(
        **{axis: {"title": {"text": text}} for axis, text in labels.items()}, margin={"t": 75}, legend={"y": -0.09}
    )
    return figure


def _long_table(report: RobustnessReport, name: Metric) -> pd.DataFrame:
    """One row per corruption, severity and series; bounds are distances from the value, NaN for the confidence."""
    rows = []
    for corruption in report.corruptions:
        for severity, (level, metrics) in enumerate(zip(corruption.levels, corruption.by_severity, strict=True), 1):
            place = {"corruption": corruption.title, "severity": severity, "level": f"{level:g} ({corruption.unit})"}
            rows += [place | series for series in _series(metrics, name)]
    return pd.DataFrame(rows)


def _series(metrics: ConditionMetrics, name: Metric) -> list[dict[str, object]]:
    value = metrics.metric(name)
    bounds = {"above": value.high - value.value, "below": value.value - value.low}
    series: list[dict[str, object]] = [{"series": _TITLES[name], "value": value.value, **bounds}]
    if name == "accuracy":
        series.append({"series": _CONFIDENCE, "value": metrics.confidence, "above": math.nan, "below": math.nan})
    return series

"""Figures of errors by group. They only draw tables; groups without people are left out, small ones are marked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from core.evaluation.fairness import GROUPINGS, MIN_GROUP_SIZE, FairnessReport, GroupMetric, group_table
from core.evaluation.plots.style import HEAT_SCALE, apply_style, empty_figure, interval_errors, series_color
from core.evaluation.tables import column_names, display_name

LARGE_NAME = f"At least {MIN_GROUP_SIZE} people"
SMALL_NAME = f"Fewer than {MIN_GROUP_SIZE} people"
_FORMATS: dict[GroupMetric, str] = {"age_mae": ".1f", "bracket_accuracy": ".0%", "gender_accuracy": ".0%"}
_GREY = "#C9C9C9"


def group_figure(report: FairnessReport, metric: GroupMetric, title: str) -> go.Figure:
    """Draw dots for groups by one attribute, a heat map for intersections."""
    return group_dots(report, metric, title) if len(report.by) == 1 else group_heatmap(report, metric, title)


def group_dots(report: FairnessReport, metric: GroupMetric, title: str) -> go.Figure:
    """Draw one row per group: its value as a dot with the 95 % interval, hollow if the group is small; the dashed line
    is the value of all people together."""
    table = _drawn(report)
    table["row"] = [f"{group} (n = {people:,})" for group, people in zip(table["group"], table["people"], strict=True)]
    figure = px.scatter(
        table,
        x=metric,
        y="row",
        symbol="size",
        symbol_map={LARGE_NAME: "circle", SMALL_NAME: "circle-open"},
        color_discrete_sequence=[series_color(0)],
        labels=column_names(table),
        **interval_errors(table, metric, "x"),
    )
    figure.update_traces(marker={"size": 12}, error_x={"thickness": 2, "color": "#999999"})
    figure.add_vline(
        x=report.overall.metric(metric).value,
        line={"dash": "dash", "color": series_color(1)},
        annotation={"text": report.overall.label, "yanchor": "bottom", "y": 1},
    )
    apply_style(figure, title, display_name(metric), "", height_px=150 + 34 * len(table))
    # In the order of the labels, or the small groups would come last.
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=table["row"][::-1])
    # Errors from zero; accuracies wherever they lie, since they differ by points.
    figure.update_xaxes(**({"rangemode": "tozero"} if metric == "age_mae" else {"tickformat": ".0%"}))
    return figure


def group_heatmap(report: FairnessReport, metric: GroupMetric, title: str) -> go.Figure:
    """Draw one square per intersection, the darker the worse; small groups are grey, so that chance does not catch the
    eye. The attribute with the most labels runs across."""
    if len(report.by) < 2:
        return empty_figure(title, "An intersection needs two or more labels")
    table = _drawn(report)
    across = max(report.by, key=lambda name: len(GROUPINGS[name]))
    down = [f"{name}_label" for name in report.by if name != across]
    table["row"] = table[down].agg(", ".join, axis=1)
    rows = list(dict.fromkeys(table["row"]))
    columns = [label for label in GROUPINGS[across] if label in set(table[f"{across}_label"])]
    scale = HEAT_SCALE if metric == "age_mae" else f"{HEAT_SCALE}_r"
    figure = go.Figure()
    for size, star, colors in ((SMALL_NAME, "*", [[0, _GREY], [1, _GREY]]), (LARGE_NAME, "", scale)):
        groups = table[table["size"] == size]
        values, low, high, people = (
            groups.pivot(index="row", columns=f"{across}_label", values=name).reindex(index=rows, columns=columns)
            for name in (metric, f"{metric}_low", f"{metric}_high", "people")
        )
        figure.add_heatmap(
            x=columns,
            y=rows,
            z=values,
            name=size,
            colorscale=colors,
            showscale=size == LARGE_NAME,
            colorbar={"title": {"text": display_name(metric), "side": "right"}, "tickformat": _FORMATS[metric]},
            text=values.map(lambda v, star=star: "" if np.isnan(v) else f"{v:{_FORMATS[metric]}}{star}"),
            texttemplate="%{text}",
            customdata=np.dstack([low, high, people]),
            hovertemplate=_hover(metric),
            hoverongaps=False,
            xgap=2,
            ygap=2,
        )
    y_title = " and ".join(display_name(name) for name in down)
    apply_style(figure, title, display_name(f"{across}_label"), y_title, height_px=170 + 38 * len(rows))
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def _drawn(report: FairnessReport) -> pd.DataFrame:
    """Groups with people; ``size`` tells small from large ones."""
    table = group_table(report)
    table["group"] = [group.label for group in report.groups]
    table["size"] = table["small_group"].map({True: SMALL_NAME, False: LARGE_NAME})
    return table[table["people"] > 0].copy()


def _hover(metric: GroupMetric) -> str:
    number = ".2f" if metric == "age_mae" else ".1%"
    interval = f"%{{customdata[0]:{number}}} to %{{customdata[1]:{number}}}"
    return f"%{{y}}, %{{x}}: %{{z:{number}}}<br>95 % CI {interval}<br>%{{customdata[2]}} people<extra></extra>"

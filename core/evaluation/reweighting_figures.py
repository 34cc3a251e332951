"""Figures of errors before and after. They only draw."""

from __future__ import annotations

import plotly.graph_objects as go

from core.evaluation.plots.style import error_bars, series_color, styled
from core.evaluation.reweighting import SideChange


def error_before_after(side: SideChange, title: str) -> go.Figure:
    """Two bars a bracket with people, and everybody on the left: mean age error before and after, with 95 %
    intervals."""
    groups = [one for one in side.groups if one.age_mae.n]
    figure = go.Figure()
    for index, when in enumerate(("before", "after")):
        measured = [one.age_mae.before if when == "before" else one.age_mae.after for one in groups]
        figure.add_trace(
            go.Bar(
                x=[one.label for one in groups],
                y=[one.value for one in measured],
                name=when,
                marker_color=series_color(1 - index),
                error_y=error_bars(measured),
                customdata=[one.n for one in measured],
                hovertemplate="%{x}: %{y:.2f} years, %{customdata} people<extra>" + when + "</extra>",
            )
        )
    styled(figure, title, "True age (years)", "Mean age error (years)", height_px=340)
    figure.update_layout(barmode="group")
    # Labels such as 3-9 would otherwise be read as dates.
    figure.update_xaxes(type="category")
    return figure

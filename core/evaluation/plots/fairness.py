"""Figures of errors by group. They only draw; groups without people are left out, small ones are marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.evaluation.fairness import ATTRIBUTES, MIN_GROUP_SIZE, FairnessReport, Figure, GroupError
from core.evaluation.plots.style import HEAT_SCALE, empty_figure, error_bars, series_color, styled

LARGE_NAME = f"at least {MIN_GROUP_SIZE} people"
SMALL_NAME = f"fewer than {MIN_GROUP_SIZE} people"
ATTRIBUTE_TITLES = {"race": "Race label", "age": "True age (years)", "gender": "Gender label"}
_AXIS_TITLES: dict[Figure, str] = {"age_mae": "Mean age error (years)", "gender_accuracy": "Accuracy"}
_GREY: dict[str, Any] = {"colorscale": [[0, "#C9C9C9"], [1, "#C9C9C9"]], "showscale": False}


def group_figure(report: FairnessReport, figure: Figure, title: str) -> go.Figure:
    """Dots for groups by one attribute, a heat map for crossings."""
    return group_dots(report, figure, title) if len(report.by) == 1 else group_heatmap(report, figure, title)


def group_dots(report: FairnessReport, figure: Figure, title: str) -> go.Figure:
    """A row for each group: its value as a dot with the 95 % interval, hollow if the group is small; the dashed line
    is the value of everybody together."""
    rows = [one for one in report.groups if one.n > 0]
    drawn = go.Figure()
    for name, small in ((LARGE_NAME, False), (SMALL_NAME, True)):
        groups = [one for one in rows if one.small == small]
        if not groups:
            continue
        measured = [one.measured(figure) for one in groups]
        drawn.add_trace(
            go.Scatter(
                x=[one.value for one in measured],
                y=[_row_name(one) for one in groups],
                name=name,
                mode="markers",
                marker={"size": 12, "color": series_color(0), "symbol": "circle-open" if small else "circle"},
                error_x=error_bars(measured),
                customdata=[_hover(one, figure) for one in groups],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    drawn.add_vline(
        x=report.everybody.measured(figure).value,
        line={"dash": "dash", "color": series_color(1)},
        annotation={"text": report.everybody.label, "yanchor": "bottom", "y": 1},
    )
    styled(drawn, title, _AXIS_TITLES[figure], "", height_px=150 + 34 * len(rows))
    # Named in full and in order, or the small groups would come last.
    drawn.update_yaxes(type="category", categoryorder="array", categoryarray=[_row_name(one) for one in rows][::-1])
    # Errors from zero; accuracies wherever they lie, since they differ by points.
    drawn.update_xaxes(**({"rangemode": "tozero"} if figure == "age_mae" else {"tickformat": ".0%"}))
    drawn.update_layout(showlegend=True)
    return drawn


def group_heatmap(report: FairnessReport, figure: Figure, title: str) -> go.Figure:
    """A square for each crossing, the darker the worse; small groups are grey with a star, so that chance does not
    catch the eye. The attribute with the most labels runs across."""
    if len(report.by) < 2:
        return empty_figure(title, "A crossing needs two or more labels")
    across = max(range(len(report.by)), key=lambda index: len(ATTRIBUTES[report.by[index]]))
    grid = _grid(report, across)
    large = [one.measured(figure).value for one in report.groups if not one.small]
    # Small groups take no part in the range of colours.
    limits = (min(large), max(large)) if large else (0.0, 1.0)
    traces: list[Any] = [_heat(grid, figure, SMALL_NAME, small=True) | _GREY]
    if large:
        traces.append(_heat(grid, figure, LARGE_NAME, small=False) | _colors(figure, limits))
    drawn = go.Figure([*(go.Heatmap(**trace) for trace in traces), _numbers(grid, figure, limits)])
    down = " and ".join(ATTRIBUTE_TITLES[name].lower() for name in _without(report.by, across)).capitalize()
    styled(drawn, title, ATTRIBUTE_TITLES[report.by[across]], down, height_px=170 + 38 * len(grid.rows))
    drawn.update_xaxes(type="category", categoryorder="array", categoryarray=grid.columns, showgrid=False)
    drawn.update_yaxes(type="category", categoryorder="array", categoryarray=grid.rows[::-1], showgrid=False)
    return drawn


@dataclass(frozen=True)
class _Grid:
    """``cells``: the groups that have people, with the names of their row and column."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[str, str], GroupError]


def _grid(report: FairnessReport, across: int) -> _Grid:
    names = {one: (", ".join(_without(one.labels, across)), one.labels[across]) for one in report.groups}
    rows = tuple(dict.fromkeys(row for row, _ in names.values()))
    return _Grid(rows, ATTRIBUTES[report.by[across]], {names[one]: one for one in report.groups if one.n > 0})


def _heat(grid: _Grid, figure: Figure, name: str, small: bool) -> dict[str, Any]:
    """Arguments for the squares of the groups that are ``small``, or of those that are not, without their colours."""
    table = [[grid.cells.get((row, column)) for column in grid.columns] for row in grid.rows]
    chosen = [[one if one is not None and one.small == small else None for one in line] for line in table]
    return {
        "z": [[np.nan if one is None else one.measured(figure).value for one in line] for line in chosen],
        "x": grid.columns,
        "y": grid.rows,
        "name": name,
        "customdata": [["" if one is None else _hover(one, figure) for one in line] for line in chosen],
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
    }


def _colors(figure: Figure, limits: tuple[float, float]) -> dict[str, Any]:
    if figure == "age_mae":
        bar: dict[str, Any] = {"title": {"text": "years"}}
    else:
        bar = {"title": {"text": "right"}, "tickformat": ".0%"}
    scale = HEAT_SCALE if figure == "age_mae" else f"{HEAT_SCALE}_r"
    return {"colorscale": scale, "zmin": limits[0], "zmax": limits[1], "colorbar": bar}


def _numbers(grid: _Grid, figure: Figure, limits: tuple[float, float]) -> go.Scatter:
    """The value on each square, white where this is dark; a heat map's own texts are not always."""

    def color(one: GroupError) -> str:
        share = (one.measured(figure).value - limits[0]) / max(limits[1] - limits[0], 1e-9)
        darkness = share if figure == "age_mae" else 1 - share
        return "white" if darkness > 0.5 and not one.small else "black"

    return go.Scatter(
        x=[column for _, column in grid.cells],
        y=[row for row, _ in grid.cells],
        text=[_cell_text(one, figure) for one in grid.cells.values()],
        textfont={"color": [color(one) for one in grid.cells.values()]},
        name="value",
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )


def _without(names: Sequence[str], index: int) -> tuple[str, ...]:
    return tuple(name for position, name in enumerate(names) if position != index)


def _row_name(group: GroupError) -> str:
    return f"{group.label} (n = {group.n:,})"


def _cell_text(group: GroupError, figure: Figure) -> str:
    value = group.measured(figure).value
    return (f"{value:.1f}" if figure == "age_mae" else f"{value:.0%}") + ("*" if group.small else "")


def _hover(group: GroupError, figure: Figure) -> str:
    one = group.measured(figure)
    if figure == "age_mae":
        value, interval = f"{one.value:.2f} years off", f"{one.low:.2f} to {one.high:.2f}"
    else:
        value, interval = f"{one.value:.1%} right", f"{one.low:.1%} to {one.high:.1%}"
    known = interval if np.isfinite(one.low) else "unknown"
    return f"{group.label}: {value}<br>95 % interval {known}<br>{one.n:,} {'person' if one.n == 1 else 'people'}" + (
        f", {SMALL_NAME}" if group.small else ""
    )

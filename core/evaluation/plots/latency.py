"""Figures and tables of a measurement of speed. They only show; milliseconds, bytes and counts stay as measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation.plots.style import empty_figure, series_color, styled
from core.evaluation.speed import REFERENCE_SUFFIX, NetworkSize, SpeedReport, StageTime

_STAGES = {
    "decode": "Decode a picture (PNG)",
    "detect": "Find faces, live video",
    "detect, settings for photos": "Find faces, photo",
}
_NETWORKS = {"emotion": "emotion", "age_gender": "age and gender"}


def stage_title(name: str) -> str:
    """A stage of ``core.benchmark`` in plain words; one that is not known keeps its name."""
    stage = name.removesuffix(REFERENCE_SUFFIX)
    kind, _, rest = stage.partition(", ")
    if stage in _STAGES:
        title = _STAGES[stage]
    elif stage.startswith("crop for "):
        title = f"Cut out a face for {_network(stage.removeprefix('crop for '))}"
    elif kind == "whole":
        title = f"Whole frame, {rest}"
    elif kind == "all but detection":
        title = f"Whole frame but finding faces, {rest}"
    elif rest == "one face":
        title = f"Read {_network(kind)} of one face"
    else:
        title = stage
    return f"{title} (Haar, to compare)" if name.endswith(REFERENCE_SUFFIX) else title


def stage_bars(report: SpeedReport, title: str) -> go.Figure:
    """Median milliseconds of each stage of our own way, one bar each."""
    stages = [one for one in report.stages if not one.name.endswith(REFERENCE_SUFFIX)]
    figure = go.Figure(_bars([stage_title(one.name) for one in stages], stages, "median", 0))
    return _with_room(styled(figure, title, "Milliseconds", "", height_px=110 + 34 * len(stages)), stages)


def network_bars(report: SpeedReport, sizes: Sequence[NetworkSize], title: str) -> go.Figure:
    """One face through each network: as it is served, and by Keras' ``predict``."""
    known = [(one.title, report.served(one.name), report.predicted(one.name)) for one in sizes]
    measured = [(name, ours, keras) for name, ours, keras in known if ours is not None and keras is not None]
    if not measured:
        return empty_figure(title, "Keras was not timed")
    names = [name for name, _, _ in measured]
    ours, keras = [one for _, one, _ in measured], [one for _, _, one in measured]
    figure = go.Figure([_bars(names, ours, "as served here", 0), _bars(names, keras, "Keras predict", 1)])
    styled(figure, title, "Milliseconds for one face", "", height_px=170 + 80 * len(measured))
    figure.update_layout(barmode="group", showlegend=True)
    return _with_room(figure, [*ours, *keras])


def stage_table(report: SpeedReport) -> pd.DataFrame:
    """One row a stage, also those timed for comparison: median and 95th percentile."""
    return pd.DataFrame(
        {
            "stage": [stage_title(one.name) for one in report.stages],
            "median_ms": [one.median_ms for one in report.stages],
            "p95_ms": [one.p95_ms for one in report.stages],
        }
    )


def size_table(sizes: Sequence[NetworkSize]) -> pd.DataFrame:
    """One row a network: parameters, and megabytes of the file that is served and of Keras' file."""
    return pd.DataFrame(
        {
            "network": [one.title for one in sizes],
            "parameters": [one.parameters for one in sizes],
            "served_file_mb": [_megabytes(one.served_bytes) for one in sizes],
            "keras_file_mb": [_megabytes(one.keras_bytes) for one in sizes],
        }
    )


def network_table(report: SpeedReport, sizes: Sequence[NetworkSize]) -> pd.DataFrame:
    """``size_table`` with the milliseconds of one face by both ways, and how many times as fast ours is."""
    table = size_table(sizes)
    table["served_ms"] = [_median(report.served(one.name)) for one in sizes]
    table["keras_predict_ms"] = [_median(report.predicted(one.name)) for one in sizes]
    table["times_as_fast"] = table["keras_predict_ms"] / table["served_ms"]
    return table


def milliseconds(value: float) -> str:
    return f"{value:.2f} ms" if value < 1 else f"{value:.1f} ms"


def _network(artifact: str) -> str:
    return _NETWORKS.get(artifact, artifact)


def _bars(names: Sequence[str], times: Sequence[StageTime], name: str, color: int) -> go.Bar:
    return go.Bar(
        x=[one.median_ms for one in times],
        y=list(names),
        name=name,
        orientation="h",
        marker_color=series_color(color),
        text=[milliseconds(one.median_ms) for one in times],
        textposition="outside",
        cliponaxis=False,
        customdata=[milliseconds(one.p95_ms) for one in times],
        hovertemplate="%{y}: %{text}, 19 of 20 calls within %{customdata}<extra>" + name + "</extra>",
    )


def _with_room(figure: go.Figure, times: Sequence[StageTime]) -> go.Figure:
    """Rows from the top down, and room for the numbers beside the bars."""
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(range=[0, 1.2 * max(one.median_ms for one in times)])
    return figure


def _megabytes(size: int | None) -> float:
    return np.nan if size is None else size / 1e6


def _median(time: StageTime | None) -> float:
    return np.nan if time is None else time.median_ms

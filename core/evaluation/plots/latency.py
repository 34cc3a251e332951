"""Table and bar chart of a benchmark; milliseconds stay as measured."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from core.evaluation.plots.style import SERIES_HEX, apply_style

_STAGES = {
    "decode": "Decode image (PNG)",
    "detect": "Detect faces, live video",
    "detect, settings for photos": "Detect faces, photo",
}
_NETWORKS = {"emotion": "emotion", "age_gender": "age and gender"}
_REFERENCE_SUFFIX = ", haar"


def stage_title(name: str) -> str:
    """Name a stage of ``core.benchmark`` for people; an unknown one keeps its name."""
    stage = name.removesuffix(_REFERENCE_SUFFIX)
    kind, _, rest = stage.partition(", ")
    if stage in _STAGES:
        title = _STAGES[stage]
    elif stage.startswith("crop for "):
        title = f"Align face for {_network(stage.removeprefix('crop for '))}"
    elif kind == "whole":
        title = f"Whole frame, {rest}"
    elif kind == "all but detection":
        title = f"Whole frame without detection, {rest}"
    elif rest == "one face":
        title = f"Predict {_network(kind)} for one face"
    else:
        title = stage
    return f"{title} (Haar cascade)" if name.endswith(_REFERENCE_SUFFIX) else title


def stage_table(stages: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """One row per stage of ``core.benchmark``: median and 95th percentile in milliseconds."""
    return pd.DataFrame(
        {
            "stage": [stage_title(name) for name in stages],
            "median_ms": [times["median_ms"] for times in stages.values()],
            "p95_ms": [times["p95_ms"] for times in stages.values()],
        }
    )


def stage_bars(table: pd.DataFrame, title: str) -> go.Figure:
    """Draw the medians of ``stage_table``, one bar per stage, from top to bottom."""
    labels = {"stage": "Stage", "median_ms": "Milliseconds", "p95_ms": "95th percentile (ms)"}
    figure = px.bar(table, x="median_ms", y="stage", hover_data=["p95_ms"], labels=labels, text_auto=".2f")
    figure.update_traces(marker_color=SERIES_HEX[0], textposition="outside", cliponaxis=False)
    apply_style(figure, title, "Milliseconds", "", height_px=110 + 34 * len(table))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(range=[0, 1.2 * table["median_ms"].max()])
    return figure


def _network(artifact: str) -> str:
    return _NETWORKS.get(artifact, artifact)

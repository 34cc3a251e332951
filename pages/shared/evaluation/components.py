"""Elements that the tabs of the evaluation page share: lazy tabs, figures with a caption, tables with a download."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.intervals import MetricValue
from core.evaluation.tables import display_name

METRIC_WIDTH_PX = 160
# Only the camera: the other buttons cover a chart's title on phones. Charts can be zoomed by dragging all the same.
_CHART_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"],
}
_SHARES = ("accuracy", "recall", "precision", "f1", "coverage", "share", "confidence", "relative", "nme")
_FORMATS = {"%": "percent", "years": "%.2f", "ms": "%.1f"}


def show_open_tab(tabs: Mapping[str, Callable[[], None]], key: str) -> None:
    """Draw one tab per title and compute the open one only; the session holds its title under ``key``."""
    # Streamlit forgets the open tab when the list of tabs changes, unless it was set anew.
    if st.session_state.get(key) in tabs:
        st.session_state[key] = st.session_state[key]
    else:
        st.session_state.pop(key, None)
    for tab, show in zip(st.tabs(list(tabs), key=key, on_change="rerun"), tabs.values(), strict=True):
        if tab.open:
            with tab:
                show()


def show_figure(
    figure: go.Figure, key: str, look_at: str, how_to_read: str, on_select: Callable[[], None] | None = None
) -> None:
    """Show a figure between a line that says what to look at and one that says how to read it."""
    st.markdown(f":material/visibility: {look_at}")
    selection: dict[str, Any] = {} if on_select is None else {"on_select": on_select, "selection_mode": "points"}
    st.plotly_chart(figure, key=key, width="stretch", config=_CHART_CONFIG, alt=look_at, **selection)
    st.caption(how_to_read)


def show_table(table: pd.DataFrame, file_name: str, key: str, unit: Literal["%", "years", ""] = "") -> None:
    """Show a table and a button that downloads it unrounded; ``unit``: of the columns whose names do not tell it."""
    st.dataframe(table, hide_index=True, width="stretch", column_config=_column_config(table, unit))
    download_table(table, file_name, key)


def download_table(table: pd.DataFrame, file_name: str, key: str) -> None:
    st.download_button(
        f"Download {file_name}",
        table.to_csv(index=False),
        file_name,
        "text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
    )


def metric_row(count: int) -> list[DeltaGenerator]:
    """Return containers for ``count`` metrics side by side. They wrap, as narrow columns would cut metrics off."""
    row = st.container(horizontal=True)
    return [row.container(width=METRIC_WIDTH_PX) for _ in range(count)]


def metric_with_interval(label: str, metric: MetricValue, unit: str, explanation: str) -> None:
    """Show a metric with its interval; ``unit`` is ``%`` for a share in [0, 1], or ``years``."""
    scale, digits = (100, 1) if unit == "%" else (1, 2)

    def text(value: float) -> str:
        return "–" if math.isnan(value) else f"{value * scale:.{digits}f}"

    st.metric(label, f"{text(metric.value)} {unit}", help=explanation)
    st.caption(f"95 % CI {text(metric.low)} to {text(metric.high)} {unit}, n\u00a0=\u00a0{metric.n:,}")


def _column_config(table: pd.DataFrame, unit: str) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for column in table.columns:
        title = display_name(str(column))
        kind, words = table[column].dtype, title.lower()
        if pd.api.types.is_integer_dtype(kind):
            config[column] = st.column_config.NumberColumn(title, format="localized")
        elif not pd.api.types.is_float_dtype(kind):
            config[column] = st.column_config.Column(title)
        elif any(word in words for word in _SHARES):
            config[column] = st.column_config.NumberColumn(title, format=_FORMATS["%"])
        elif title.endswith(("(MB)", "(ms)")):
            config[column] = st.column_config.NumberColumn(title, format=_FORMATS["ms"])
        elif any(word in words for word in ("mae", "error", "years", "bias")):
            config[column] = st.column_config.NumberColumn(title, format=_FORMATS["years"])
        else:
            config[column] = st.column_config.NumberColumn(title, format=_FORMATS.get(unit))
    return config

"""Pieces that every tab of the evaluation page uses: figures with a caption, tables with a download."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.intervals import MetricValue

INTERVAL_HELP = (
    "95 % interval: the figure's range of chance with this many images; a range made this way holds the true "
    "value 19 times in 20. Two models whose ranges overlap may differ all the same: both answered the same images."
)
TILE_PX = 190
_SHARES = ("accuracy", "recall", "precision", "f1", "coverage", "share", "confidence")


def show_open_tab(tabs: Mapping[str, Callable[[], None]], key: str) -> None:
    """Draw a tab for each title and compute the open one only; ``key`` holds its title in the session."""
    if key in st.session_state:
        # Streamlit forgets the open tab when the list of tabs changes, unless it was set anew.
        st.session_state[key] = st.session_state[key]
    for tab, show in zip(st.tabs(list(tabs), key=key, on_change="rerun"), tabs.values(), strict=True):
        if tab.open:
            with tab:
                show()


def show_figure(figure: go.Figure, key: str, how_to_read: str) -> None:
    """A figure and, under it, one plain line on how to read it."""
    st.plotly_chart(figure, key=key, width="stretch", config={"displaylogo": False})
    st.caption(how_to_read)


def show_table(table: pd.DataFrame, file_name: str, key: str, *, whole: bool = False) -> None:
    """A table with its unrounded CSV. Shares are shown as percent, years with two digits. A long one scrolls, unless
    it is to be seen as a ``whole``."""
    height: Literal["content", "auto"] = "content" if whole else "auto"
    st.dataframe(table, hide_index=True, width="stretch", height=height, column_config=_column_config(table))
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
    """Places for big figures, side by side as far as the window is wide enough; narrow columns would cut them off."""
    row = st.container(horizontal=True)
    return [row.container(width=TILE_PX) for _ in range(count)]


def metric_with_interval(label: str, measured: MetricValue, unit: str, explanation: str) -> None:
    """A big figure with its interval; ``unit`` is ``%`` for a share in [0, 1] or ``years``."""
    scale, digits = (100, 1) if unit == "%" else (1, 2)

    def text(value: float) -> str:
        return "–" if math.isnan(value) else f"{value * scale:.{digits}f}"

    st.metric(label, f"{text(measured.value)} {unit}", help=f"{explanation} {INTERVAL_HELP}")
    st.caption(f"95 % interval {text(measured.low)} to {text(measured.high)} {unit}, n\u00a0=\u00a0{measured.n:,}")


def in_words(column: str) -> str:
    """``age_mae_low`` -> ``age error low``: words instead of the names that code uses."""
    words = column.replace("_", " ")
    words = re.sub(r"\b(age )?mae( years)?\b", "age error", words)
    return re.sub(r"\bmb\b", "MB", words)


def _column_config(table: pd.DataFrame) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name in table.columns:
        title = in_words(str(name))
        if pd.api.types.is_integer_dtype(table[name]):
            config[name] = st.column_config.NumberColumn(title, format="localized")
        elif not pd.api.types.is_float_dtype(table[name]):
            config[name] = st.column_config.Column(title)
        elif any(word in title for word in _SHARES):
            config[name] = st.column_config.NumberColumn(title, format="percent")
        elif title.endswith("MB"):
            config[name] = st.column_config.NumberColumn(title, format="%.1f")
        elif "error" in title or "years" in title:
            config[name] = st.column_config.NumberColumn(title, format="%.2f")
        else:
            config[name] = st.column_config.NumberColumn(title)
    return config

"""The "Predict and suggest" action and the table behind it, which visitors edit for their session only."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import ConfigError
from core.suggestions import ANY, Suggestion, from_rows, load_table, rows_csv, to_rows
from core.types import EMOTIONS
from pages.shared.errors import show_error

_WANTED, _BASE, _EDITED, _EDITOR = "suggest_wanted", "suggest_base", "suggest_edited", "suggest_editor"


def suggestion_table() -> tuple[Suggestion, ...]:
    """The action's buttons and the table's editor. Empty until suggestions are asked for, and while the table
    has an error, which is shown."""
    with st.container(horizontal=True):
        st.button(
            "Predict and suggest",
            type="primary",
            icon=":material/lightbulb:",
            help="Adds suggestions to every face, by its emotion and age.",
            on_click=_want,
            args=(True,),
            key="suggest_button",
        )
        if st.session_state.get(_WANTED):
            st.button("Hide suggestions", on_click=_want, args=(False,), key="suggest_hide")
    with st.expander("Edit the suggestions", icon=":material/edit_note:"):
        try:
            table = from_rows(_edit_rows())
        except ConfigError as error:
            show_error(error)
            return ()
    return table if st.session_state.get(_WANTED) else ()


def _want(wanted: bool) -> None:
    st.session_state[_WANTED] = wanted


def _edit_rows() -> list[dict[str, Any]]:
    """The editor's rows. Raises ``ConfigError`` if the shipped table cannot be read."""
    if _EDITOR not in st.session_state:
        # First time, or back from another page, where the editor's own memory of its changes is gone.
        edited = st.session_state.get(_EDITED)
        st.session_state[_BASE] = to_rows(load_table()) if edited is None else edited
    st.caption(
        f"A row applies to its emotion and to ages from min_age to max_age, both included; “{ANY}” matches "
        "everything. Changes last for this session. For good, download the table and replace "
        "`core/suggestions.csv` with it."
    )
    rows: list[dict[str, Any]] = st.data_editor(
        st.session_state[_BASE],
        num_rows="dynamic",
        hide_index=True,
        key=_EDITOR,
        column_config={
            "emotion": st.column_config.SelectboxColumn(options=[ANY, *map(str, EMOTIONS)]),
            "suggestion": st.column_config.TextColumn(width="large"),
        },
    )
    st.session_state[_EDITED] = rows
    with st.container(horizontal=True):
        st.download_button(
            "Download the table (CSV)",
            # With a byte order mark: without one Excel takes it for something else than UTF-8.
            rows_csv(rows).encode("utf-8-sig"),
            "suggestions.csv",
            "text/csv",
            key="suggest_csv",
            on_click="ignore",
        )
        st.button("Back to the original table", on_click=_reset, key="suggest_reset")
    return rows


def _reset() -> None:
    for key in (_BASE, _EDITED, _EDITOR):
        st.session_state.pop(key, None)

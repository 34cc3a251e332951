"""The action "Predict and suggest" and its table, which visitors can edit for their session."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import ConfigError
from core.suggestions import ANY, Suggestion, from_rows, load_table, rows_csv, to_rows
from core.types import EMOTIONS
from pages.shared.errors import show_error

_WANTED, _BASE, _EDITED, _EDITOR = "suggest_wanted", "suggest_base", "suggest_edited", "suggest_editor"


def suggestion_table(actions: DeltaGenerator) -> tuple[Suggestion, ...]:
    """Draw the buttons into ``actions``, and the editor, and return the table: empty until suggestions are wanted, and
    while it has an error."""
    with actions:
        st.button(
            "Predict and suggest",
            type="primary",
            icon=":material/lightbulb:",
            help="Adds suggestions to every face, based on its emotion and age.",
            on_click=_set_wanted,
            args=(True,),
            key="suggest_button",
        )
        if st.session_state.get(_WANTED):
            st.button("Hide suggestions", on_click=_set_wanted, args=(False,), key="suggest_hide")
    with st.expander("Edit suggestions", icon=":material/edit_note:"):
        try:
            table = from_rows(_edit_rows())
        except ConfigError as error:
            show_error(error)
            return ()
    return table if st.session_state.get(_WANTED) else ()


def _set_wanted(wanted: bool) -> None:
    st.session_state[_WANTED] = wanted


def _edit_rows() -> list[dict[str, Any]]:
    """Draw the editor and return its rows. Raises ``ConfigError`` if the default table cannot be read."""
    if _EDITOR not in st.session_state:
        # First run, or back from another page, which discards the editor's own changes.
        edited = st.session_state.get(_EDITED)
        st.session_state[_BASE] = to_rows(load_table()) if edited is None else edited
    st.caption(
        f"A row applies to its emotion and to ages from the minimum to the maximum; “{ANY}” matches everything. "
        "Changes last for this session. To keep them, download the table and replace `core/suggestions.csv`."
    )
    rows: list[dict[str, Any]] = st.data_editor(
        st.session_state[_BASE],
        num_rows="dynamic",
        hide_index=True,
        key=_EDITOR,
        column_config={
            "emotion": st.column_config.SelectboxColumn("Emotion", options=[ANY, *map(str, EMOTIONS)]),
            "min_age": "Minimum age",
            "max_age": "Maximum age",
            "kind": "Kind",
            "suggestion": st.column_config.TextColumn("Suggestion", width="large"),
        },
    )
    st.session_state[_EDITED] = rows
    with st.container(horizontal=True):
        st.download_button(
            "Table (CSV)",
            # With a byte order mark, without which Excel does not read UTF-8.
            rows_csv(rows).encode("utf-8-sig"),
            "suggestions.csv",
            "text/csv",
            key="suggest_csv",
            on_click="ignore",
        )
        st.button("Restore default table", on_click=_reset, key="suggest_reset")
    return rows


def _reset() -> None:
    for key in (_BASE, _EDITED, _EDITOR):
        st.session_state.pop(key, None)

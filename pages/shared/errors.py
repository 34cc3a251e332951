"""Core errors on screen. Their messages already say what is wrong, what is allowed and what to do."""

from __future__ import annotations

import streamlit as st

from core.errors import ArtifactError, DatasetError, FacetError
from pages.shared.markdown import plain

DATA_ADVICE = "`README.md`, under *Train and evaluate*, says which files are expected and where"
_ADVICE: tuple[tuple[type[FacetError], str], ...] = (
    (ArtifactError, "The other pages keep working. Reload this page after the model is restored."),
    (DatasetError, f"{DATA_ADVICE}."),
)


def show_error(error: FacetError) -> None:
    """Message and advice; a message may quote file names, so nothing in it acts as Markdown."""
    advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), None)
    message = plain(str(error))
    st.error(f"{message}\n\n{advice}" if advice else message, icon=":material/error:")

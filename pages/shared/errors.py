"""Show core errors on the page. Their messages say what is wrong, what is allowed and what to do."""

from __future__ import annotations

import streamlit as st

from core.errors import ArtifactError, DatasetError, FacetError
from pages.shared.markdown import escape_markdown

DATA_ADVICE = "See `docs/training.md` for the expected files."
_ADVICE: tuple[tuple[type[FacetError], str], ...] = (
    (ArtifactError, "The other pages keep working. Reload this page once the model is restored."),
    (DatasetError, DATA_ADVICE),
)


def show_error(error: FacetError) -> None:
    """Show message and advice. The message may quote file names, so its Markdown is escaped."""
    advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), None)
    message = escape_markdown(str(error))
    st.error(f"{message}\n\n{advice}" if advice else message, icon=":material/error:")

"""What the model card says about damaged pictures."""

from __future__ import annotations

import streamlit as st

from core.artifacts.model_card import ModelCard
from core.errors import ArtifactError
from core.evaluation.robustness_headline import card_lines
from pages.shared.errors import show_error
from pages.shared.markdown import escape_markdown


def show_damage(card: ModelCard) -> None:
    """A line for each attribute; nothing for a card that has none of these figures."""
    try:
        lines = card_lines(card)
    except ArtifactError as error:
        show_error(error)
        return
    if lines:
        st.markdown("**On damaged pictures**, dark, blurred, noisy or partly covered (more in the tab “Robustness”)")
        st.markdown("\n".join(f"- {escape_markdown(line)}" for line in lines))

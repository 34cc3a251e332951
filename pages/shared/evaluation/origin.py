"""Where a rebuilt network comes from, what its authors claim, and which of its files are not here."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.artifacts.model_card import ModelCard, rebuild_commands
from pages.shared.markdown import escape_markdown


def show_origin(card: ModelCard) -> None:
    """Whose recipe a rebuilt network follows, and what its authors claim."""
    st.markdown(f"**Recipe.** {escape_markdown(card.recipe)}. Data, test sets and the choice of the epoch are ours.")
    if not card.claims:
        st.markdown("**Claimed figures.** None is known for this network.")
        return
    st.markdown(
        "**Claimed figures**, mostly on other images than here; the measured ones are below. They say what others "
        "report and cannot be compared point by point."
    )
    st.dataframe(
        pd.DataFrame([{name: one[name] for name in ("output", "text", "source")} for one in card.claims]),
        hide_index=True,
        width="stretch",
        column_config={"output": "answer", "text": "claimed", "source": "by whom"},
    )


def show_not_included(card: ModelCard) -> None:
    """Which model files do not come with the app, and how to make them."""
    sizes = ", ".join(f"{name} ({facts['bytes'] / 1e6:.1f} MB)" for name, facts in card.excluded_files.items())
    st.info(
        f"Not part of what comes with the app because of their size: {sizes}. The stored answers are, so everything "
        "that is computed from them is here. With the data sets in `data`, these commands make the files:",
        icon=":material/folder_zip:",
    )
    st.code("\n".join(rebuild_commands(card)), language="bash")
    if card.was_shortened:
        st.caption("As many epochs as these figures are from; without `--epochs`, all that the recipe asks for.")

"""How sure a reading must be: below that it is called uncertain. The same two sliders on both pages."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.settings import DEFAULT_NETWORKS, Attributes, NetworkChoice
from pages.shared import resources
from pages.shared.networks import TITLES

LEAST_PERCENT = {"emotion": 0, "gender": 50}
"""At which nothing is uncertain: the more probable one of two is never below 50."""


def choose_certainty(attributes: Attributes, page: str, networks: NetworkChoice = DEFAULT_NETWORKS) -> Attributes:
    """Draws the sliders and returns ``attributes`` with what they say; ``page`` begins the keys of the widgets. Raises
    ``ArtifactError`` if a model's card, which has the defaults, cannot be read."""
    minimums = resources.card_minimums(networks)
    with st.expander("Certainty", icon=":material/rule:"):
        st.caption("Less sure readings are shown as “uncertain”, with their two best guesses.")
        chosen = {
            name: _slider(
                TITLES[name], least, minimums.get(name, 0.0), name in attributes.read, _key(page, name, networks)
            )
            for name, least in LEAST_PERCENT.items()
        }
    return replace(attributes, min_emotion_confidence=chosen["emotion"], min_gender_confidence=chosen["gender"])


def _key(page: str, attribute: str, networks: NetworkChoice) -> str:
    """Another network is another slider, which begins at that network's own value."""
    name = networks.by_attribute[attribute]
    key = f"{page}_min_{attribute}"
    return key if name == DEFAULT_NETWORKS.by_attribute[attribute] else f"{key}_{name}"


def _slider(name: str, least: int, default: float, read: bool, key: str) -> float | None:
    """The chosen minimum in [0, 1], or ``None`` where it is the model's own, which may be no whole percent."""
    default_percent = max(least, round(default * 100))
    percent = st.slider(
        f"{name}: say uncertain below",
        least,
        100,
        default_percent,
        format="%d%%",
        key=key,
        persist_state="session",
        disabled=not read,
        help=f"{least}% never says uncertain. This model's own value is {default_percent}%.",
    )
    return None if percent == default_percent else percent / 100

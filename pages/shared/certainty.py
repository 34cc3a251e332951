"""How sure a reading must be: below that it is called uncertain. The same two sliders on both pages."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.settings import Attributes
from pages.shared import resources

LEAST_EMOTION, LEAST_GENDER = 0, 50
"""Percent at which nothing is uncertain: the more probable one of two is never below 50."""


def choose_certainty(attributes: Attributes, page: str) -> Attributes:
    """Draws the sliders and returns ``attributes`` with what they say; ``page`` begins the keys of the widgets. Raises
    ``ArtifactError`` if a model's card, which has the defaults, cannot be read."""
    minimums = resources.card_minimums()
    with st.expander("Certainty", icon=":material/rule:"):
        st.caption("Less sure readings are shown as “uncertain”, with their two best guesses.")
        emotion = _slider(
            "Emotion", LEAST_EMOTION, minimums.get("emotion", 0.0), attributes.emotion, f"{page}_min_emotion"
        )
        gender = _slider(
            "Perceived gender", LEAST_GENDER, minimums.get("gender", 0.0), attributes.gender, f"{page}_min_gender"
        )
    return replace(attributes, min_emotion_confidence=emotion, min_gender_confidence=gender)


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
        disabled=not read,
        help=f"{least}% never says uncertain. This model's own value is {default_percent}%.",
    )
    return None if percent == default_percent else percent / 100

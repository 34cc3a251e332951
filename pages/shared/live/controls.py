"""Sidebar of the live page; settings apply from the next frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.settings import LIVE_DETECTOR, OverlayStyle, TrackingSettings
from pages.shared.sidebar import PageSettings, choose_attributes, choose_detector, draw_toggle

# By style alone: video that moved to another place of the page would start anew.
_PRESENTATION = """<style>
.stSidebar, .st-key-live_source, .stColumn:not(:has(iframe)),
.stMainBlockContainer > .stVerticalBlock > :not(:has(iframe, .st-key-live_presentation)) { display: none }
.stColumn:has(iframe) { flex: 1 1 100%; min-width: 0; max-width: calc((100vh - 11rem) * 4 / 3); margin: 0 auto }
</style>"""
# Five steps instead of a continuous slider, because the detector of every step stays in memory.
SENSITIVITIES = {"very low": 0.0, "low": 0.25, "medium": 0.5, "high": 0.75, "very high": 1.0}


@dataclass(frozen=True, slots=True)
class LivePageSettings(PageSettings):
    """All settings of the live page."""

    tracking: TrackingSettings


def choose_settings() -> LivePageSettings:
    """Draw the sidebar and return its state. Raises ``ConfigError`` or ``ArtifactError``."""
    with st.sidebar:
        st.header("Detection")
        detector_name = choose_detector("live_detector")
        sensitivity = st.select_slider(
            "Sensitivity",
            options=list(SENSITIVITIES),
            value="medium",
            key="live_sensitivity",
            persist_state="session",
            help="Higher finds more faces, but also more false positives.",
        )
        smoothing_s = st.slider(
            "Smoothing (seconds)",
            0.0,
            3.0,
            TrackingSettings().smoothing_s,
            0.1,
            key="live_smoothing",
            persist_state="session",
            help="Time over which boxes and predictions are averaged. 0 turns smoothing off.",
        )
        attributes, networks = choose_attributes("live")
        st.header("Display")
        blur_help = "Hides faces in the video, also shortly after one is lost. Predictions continue."
        style = OverlayStyle(
            labels=draw_toggle("Labels", "live_labels"),
            mirror=draw_toggle("Mirror", "live_mirror", help="Flips the video like a mirror."),
            blur_faces=draw_toggle("Blur faces", "live_blur", value=False, help=blur_help),
        )
    detector = replace(LIVE_DETECTOR, sensitivity=SENSITIVITIES[sensitivity])
    return LivePageSettings(
        detector, detector_name, networks, attributes, style, TrackingSettings(smoothing_s=smoothing_s)
    )


def offer_presentation() -> None:
    """Draw the toggle that hides everything but the video, which is then as large as the window allows."""
    if st.toggle("Presentation view", key="live_presentation"):
        st.html(_PRESENTATION)

"""Sidebar of the live page: widgets in, core settings out, applied from the next frame.

Settings survive a visit of another page: faces that were blurred must still be blurred afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.settings import LIVE_DETECTOR, Attributes, DetectorSettings, OverlayStyle, TrackingSettings
from pages.shared.sidebar import ResolvedNetworks, choose_detector, choose_networks, choose_thresholds

# Five steps instead of a continuous slider, because the detector of every step stays in memory.
SENSITIVITIES = {"very low": 0.0, "low": 0.25, "medium": 0.5, "high": 0.75, "very high": 1.0}


@dataclass(frozen=True, slots=True)
class LiveControls:
    """All settings of the sidebar."""

    detector: DetectorSettings
    detector_name: str
    networks: ResolvedNetworks
    tracking: TrackingSettings
    attributes: Attributes
    style: OverlayStyle


def live_controls() -> LiveControls:
    """Draw the sidebar and return its state.

    Raises ``ConfigError`` if the configured detector or network is unknown and ``ArtifactError`` if a model card cannot
    be read.
    """
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
        attributes = _attributes()
        networks = choose_networks(attributes, "live")
        attributes = choose_thresholds(attributes, "live", networks.choice)
        style = _style()
    return LiveControls(
        replace(LIVE_DETECTOR, sensitivity=SENSITIVITIES[sensitivity]),
        detector_name,
        networks,
        TrackingSettings(smoothing_s=smoothing_s),
        attributes,
        style,
    )


def _attributes() -> Attributes:
    st.header("Attributes")
    return Attributes(
        emotion=st.toggle("Emotion", value=True, key="live_emotion", persist_state="session"),
        age=st.toggle("Age", value=True, key="live_age", persist_state="session"),
        gender=st.toggle(
            "Perceived gender",
            value=True,
            key="live_gender",
            persist_state="session",
            help="How strangers are likely to label a face, not who somebody is.",
        ),
    )


def _style() -> OverlayStyle:
    st.header("Display")
    return OverlayStyle(
        labels=st.toggle("Labels", value=True, key="live_labels", persist_state="session"),
        mirror=st.toggle(
            "Mirror", value=True, key="live_mirror", persist_state="session", help="Flips the video like a mirror."
        ),
        blur_faces=st.toggle(
            "Blur faces",
            value=False,
            key="live_blur",
            persist_state="session",
            help="Hides faces in the video, also shortly after one is lost. Predictions continue.",
        ),
    )

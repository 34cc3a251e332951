"""The sidebar of the live page: widgets in, core settings out. All take effect with the next frame.

They are kept while another page is shown: who has hidden the faces must find them hidden after a look elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.settings import LIVE_DETECTOR, Attributes, DetectorSettings, OverlayStyle, TrackingSettings
from pages.shared.sidebar import ResolvedNetworks, choose_detector, choose_networks, choose_thresholds

# Five steps instead of a continuous slider: each one is a detector that stays in memory.
SENSITIVITIES = {"very low": 0.0, "low": 0.25, "medium": 0.5, "high": 0.75, "very high": 1.0}


@dataclass(frozen=True, slots=True)
class LiveControls:
    """What the viewer chose."""

    detector: DetectorSettings
    detector_name: str
    networks: ResolvedNetworks
    tracking: TrackingSettings
    attributes: Attributes
    style: OverlayStyle


def live_controls() -> LiveControls:
    """Draws the sidebar and returns its state. Raises ``ConfigError`` if the configured detector or network is
    unknown and ``ArtifactError`` if a model's card cannot be read."""
    with st.sidebar:
        st.header("Faces")
        detector_name = choose_detector("live_detector")
        sensitivity = st.select_slider(
            "Detector sensitivity",
            options=list(SENSITIVITIES),
            value="medium",
            key="live_sensitivity",
            persist_state="session",
            help="Higher finds more faces, small and dark ones too, and more things that are none.",
        )
        smoothing_s = st.slider(
            "Smoothing (seconds)",
            0.0,
            3.0,
            TrackingSettings().smoothing_s,
            0.1,
            key="live_smoothing",
            persist_state="session",
            help="Boxes and readings of each face are averaged over about this long. 0 shows every frame as it is.",
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
    st.header("Read from each face")
    return Attributes(
        emotion=st.toggle("Emotion", value=True, key="live_emotion", persist_state="session"),
        age=st.toggle("Age", value=True, key="live_age", persist_state="session"),
        gender=st.toggle(
            "Perceived gender",
            value=True,
            key="live_gender",
            persist_state="session",
            help="How a face is likely to be labelled by strangers, not who somebody is.",
        ),
    )


def _style() -> OverlayStyle:
    st.header("Picture")
    return OverlayStyle(
        labels=st.toggle("Labels", value=True, key="live_labels", persist_state="session"),
        mirror=st.toggle(
            "Mirror", value=True, key="live_mirror", persist_state="session", help="Like looking into a mirror."
        ),
        blur_faces=st.toggle(
            "Privacy blur",
            value=False,
            key="live_blur",
            persist_state="session",
            help="Hides faces in the picture shown here, also for a moment after one is lost. Readings go on.",
        ),
    )

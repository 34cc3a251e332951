"""Objects that are made once for the whole server and shared by all sessions."""

from __future__ import annotations

import streamlit as st

from core.analyzer import SERVED_ARTIFACTS, FaceAnalyzer
from core.artifact import artifacts_dir, load_card
from core.detection import create_detector
from core.estimator import LiteRTEstimator
from core.settings import DetectorSettings
from core.usability import installed_settings


@st.cache_resource(max_entries=32, show_spinner="Loading the models ...")
def get_analyzer(settings: DetectorSettings, detector_name: str) -> FaceAnalyzer:
    """A warmed-up analyzer with this detector. Raises ``FacetError``; a failure is not cached."""
    analyzer = FaceAnalyzer(create_detector(detector_name, settings), get_estimators(), installed_settings())
    analyzer.warm_up()
    return analyzer


@st.cache_data
def card_minimums() -> dict[str, float]:
    """Output name -> confidence below which the served networks' answers count as uncertain unless another one is
    chosen. Raises ``ArtifactError``; a failure is not cached."""
    cards = [load_card(artifacts_dir() / name) for name in SERVED_ARTIFACTS]
    return {name: value for card in cards for name, value in card.min_confidence.items()}


@st.cache_resource
def get_estimators() -> tuple[LiteRTEstimator, ...]:
    """The networks: the same ones behind every analyzer, whatever its detector settings. Raises ``ArtifactError``."""
    return tuple(LiteRTEstimator(artifacts_dir() / name) for name in SERVED_ARTIFACTS)

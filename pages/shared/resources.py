"""Objects that are made once for the whole server and shared by all sessions."""

from __future__ import annotations

import streamlit as st

from core.analyzer import SERVED_ARTIFACTS, FaceAnalyzer
from core.artifact import artifacts_dir
from core.detection import create_detector
from core.estimator import LiteRTEstimator
from core.settings import DetectorSettings


@st.cache_resource(max_entries=32, show_spinner="Loading the models ...")
def get_analyzer(settings: DetectorSettings, detector_name: str) -> FaceAnalyzer:
    """A warmed-up analyzer with this detector. Raises ``FacetError``; a failure is not cached."""
    analyzer = FaceAnalyzer(create_detector(detector_name, settings), _estimators())
    analyzer.warm_up()
    return analyzer


@st.cache_resource
def _estimators() -> tuple[LiteRTEstimator, ...]:
    """The networks: the same ones behind every analyzer, whatever its detector settings."""
    return tuple(LiteRTEstimator(artifacts_dir() / name) for name in SERVED_ARTIFACTS)

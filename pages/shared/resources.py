"""Objects that are made once for the whole server and shared by all sessions."""

from __future__ import annotations

import streamlit as st

from core.analyzer import FaceAnalyzer
from core.settings import DetectorSettings


@st.cache_resource(max_entries=16, show_spinner="Loading the models ...")
def get_analyzer(detector: DetectorSettings) -> FaceAnalyzer:
    """A warmed-up analyzer with these detector settings. Raises ``FacetError``; a failure is not cached."""
    analyzer = FaceAnalyzer.default(detector)
    analyzer.warm_up()
    return analyzer

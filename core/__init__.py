"""Facet's library: find faces and predict emotion, age and perceived gender, without Streamlit and TensorFlow."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.analyzer import FaceAnalyzer
    from core.types import Analysis

__all__ = ["Analysis", "FaceAnalyzer"]


def __getattr__(name: str) -> Any:
    # Imported on first use, so that users of a single module need not load OpenCV and LiteRT.
    if name == "FaceAnalyzer":
        from core.analyzer import FaceAnalyzer

        return FaceAnalyzer
    if name == "Analysis":
        from core.types import Analysis

        return Analysis
    raise AttributeError(f"module 'core' has no attribute {name!r}")

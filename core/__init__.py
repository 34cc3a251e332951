"""Facet's library: finds faces and reads emotion, age and perceived gender. Knows no Streamlit and no TensorFlow."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.analyzer import FaceAnalyzer
    from core.types import Analysis

__all__ = ["Analysis", "FaceAnalyzer"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: a page or a training run that needs only one module does not wait for OpenCV and LiteRT.
    if name == "FaceAnalyzer":
        from core.analyzer import FaceAnalyzer

        return FaceAnalyzer
    if name == "Analysis":
        from core.types import Analysis

        return Analysis
    raise AttributeError(f"module 'core' has no attribute {name!r}")

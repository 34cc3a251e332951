"""The detectors by name. A new detector is a file in this folder and a line in ``DETECTORS``."""

from __future__ import annotations

from collections.abc import Callable

from core import environment
from core.detection.base import FaceDetector
from core.detection.haar import HaarDetector
from core.detection.pyramid import PyramidDetector
from core.detection.yunet import YuNetDetector
from core.errors import ConfigError
from core.settings import DetectorSettings

DETECTORS: dict[str, Callable[[DetectorSettings], FaceDetector]] = {
    "facet": PyramidDetector.installed,
    "haar": HaarDetector,
    "yunet": YuNetDetector,
}
DEFAULT_DETECTOR = "facet"


def create_detector(name: str, settings: DetectorSettings) -> FaceDetector:
    """Create a detector by name. Raises ``ConfigError`` for an unknown name, and what the detector raises."""
    if name not in DETECTORS:
        raise ConfigError(f"unknown detector {name!r}: choose one of {', '.join(DETECTORS)}")
    return DETECTORS[name](settings)


def default_detector_name() -> str:
    """Read the name from ``FACET_DETECTOR``, else ``DEFAULT_DETECTOR``. Raises ``ConfigError`` for an unknown name."""
    name = environment.read_variable(environment.DETECTOR) or DEFAULT_DETECTOR
    if name not in DETECTORS:
        raise ConfigError(f"{environment.DETECTOR} must be one of {', '.join(DETECTORS)}, got {name!r}")
    return name

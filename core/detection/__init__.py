"""Face detectors behind one protocol. A new one is a file here and a line in ``DETECTORS``."""

from __future__ import annotations

from collections.abc import Callable

from core.detection.base import FaceDetector
from core.detection.compact import CompactDetector
from core.detection.haar import HaarDetector
from core.detection.yunet import YuNetDetector
from core.errors import ConfigError
from core.settings import DetectorSettings

DETECTORS: dict[str, Callable[[DetectorSettings], FaceDetector]] = {
    "compact": CompactDetector.installed,
    "haar": HaarDetector,
    "yunet": YuNetDetector,
}

DEFAULT_DETECTOR = "compact"

__all__ = ["DEFAULT_DETECTOR", "DETECTORS", "FaceDetector", "create_detector"]


def create_detector(name: str, settings: DetectorSettings) -> FaceDetector:
    """The detector of that name; ``ConfigError`` if there is none."""
    if name not in DETECTORS:
        raise ConfigError(f"unknown detector {name!r}: choose one of {', '.join(DETECTORS)}")
    return DETECTORS[name](settings)

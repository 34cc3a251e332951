"""Face detectors behind one protocol, by name."""

from core.detection.base import FaceArrays, FaceDetector
from core.detection.registry import DEFAULT_DETECTOR, DETECTORS, create_detector, default_detector_name

__all__ = ["DEFAULT_DETECTOR", "DETECTORS", "FaceArrays", "FaceDetector", "create_detector", "default_detector_name"]

"""Which detector is used where nobody has chosen one."""

from __future__ import annotations

import os

from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.errors import ConfigError

ENVIRONMENT = "FACET_DETECTOR"


def default_detector_name() -> str:
    """The one that ``FACET_DETECTOR`` names, else ``DEFAULT_DETECTOR``. Raises ``ConfigError`` for an unknown name."""
    name = os.environ.get(ENVIRONMENT, "").strip() or DEFAULT_DETECTOR
    if name not in DETECTORS:
        raise ConfigError(f"{ENVIRONMENT} must be one of {', '.join(DETECTORS)}, got {name!r}")
    return name

"""What every detector offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.types import Detection


class FaceDetector(Protocol):
    """Finds faces; safe to call from several threads."""

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections in frame pixels, best score first; empty when nobody is in view."""
        ...

"""Draw an ``OcclusionMap`` as a heatmap over its face: bright where covering changes the prediction most."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.attributes.occlusion import OcclusionMap

COLOR_MAP = cv2.COLORMAP_VIRIDIS
"""Perceptually uniform, also for colour-blind readers (Smith & van der Walt 2015)."""
FULL_SCALE = {"emotion": 0.15, "gender": 0.15, "age": 3.0}
"""Smallest change of probability, or of years, drawn at full strength, so that weak maps look weak."""
_MAX_ALPHA, _MIN_ALPHA = 0.65, 0.15
"""Opacity of the colour where covering matters most, and where it does not."""


def overlay_heatmap(face: NDArray[np.uint8], occlusion: OcclusionMap) -> NDArray[np.uint8]:
    """Return a copy of ``face`` with the map on it: (H, W, 3) uint8 BGR, the same square as the network's crop."""
    if face.ndim != 3 or face.shape[2] != 3 or face.dtype != np.uint8:
        raise ValueError(f"face must be (H, W, 3) uint8, got {face.shape} {face.dtype}")
    height, width = face.shape[:2]
    heat = cv2.resize(heatmap_strength(occlusion), (width, height), interpolation=cv2.INTER_CUBIC)
    heat = np.clip(heat, 0, 1)
    colors = cv2.applyColorMap(np.rint(heat * 255).astype(np.uint8), COLOR_MAP).astype(np.float64)
    alpha = (_MIN_ALPHA + (_MAX_ALPHA - _MIN_ALPHA) * heat)[..., None]
    return np.rint(face * (1 - alpha) + colors * alpha).astype(np.uint8)


def heatmap_strength(occlusion: OcclusionMap) -> NDArray[np.float64]:
    """Return (g, g) importance in [0, 1], relative to the strongest patch, or to ``FULL_SCALE`` if that is more."""
    importance = occlusion.importance
    return importance / max(float(importance.max()), FULL_SCALE[occlusion.attribute])

"""Draws an ``OcclusionMap`` over the face that it explains: bright where covering changes the answer most."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.attributes.occlusion import OcclusionMap

COLOR_MAP = cv2.COLORMAP_VIRIDIS
"""Even steps of lightness from dark blue to yellow, the same for colour-blind readers (Smith & van der Walt 2015)."""
FULL_SCALE = {"emotion": 0.15, "gender": 0.15, "age": 3.0}
"""The least change of probability, or of years, that is drawn at full strength: a map in which nothing matters must not
look like one in which something does."""
_STRONGEST, _WEAKEST = 0.65, 0.15
"""How much of the colour is mixed in where covering matters most, and where it does not."""


def heat_overlay(picture: NDArray[np.uint8], occlusion: OcclusionMap) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 BGR, the same square of the frame as the network's crop -> a new picture with the map on it."""
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"picture must be (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    height, width = picture.shape[:2]
    heat = cv2.resize(drawn_strength(occlusion), (width, height), interpolation=cv2.INTER_CUBIC)
    heat = np.clip(heat, 0, 1)
    colors = cv2.applyColorMap(np.rint(heat * 255).astype(np.uint8), COLOR_MAP).astype(np.float64)
    alpha = (_WEAKEST + (_STRONGEST - _WEAKEST) * heat)[..., None]
    return np.rint(picture * (1 - alpha) + colors * alpha).astype(np.uint8)


def drawn_strength(occlusion: OcclusionMap) -> NDArray[np.float64]:
    """(g, g) importance from 0 to 1: of the strongest patch, or of ``FULL_SCALE`` where even that one is weaker."""
    importance = occlusion.importance
    return importance / max(float(importance.max()), FULL_SCALE[occlusion.attribute])

"""Occlusion sensitivity: how the prediction changes as patches of the face are covered, one after the other.

After Zeiler & Fergus (2014), "Visualizing and Understanding Convolutional Networks". It needs no gradients. It shows
what a prediction depends on, not whether the prediction is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.attributes.estimator import Estimator
from core.attributes.postprocessing import postprocess_outputs
from core.errors import ConfigError
from core.tasks import CLASSES

GRID_SIZE = 10
"""Patches per row and column; a map takes ``GRID_SIZE`` ** 2 + 1 predictions."""
PATCH_SHARE = 0.33
"""Side of a patch relative to the crop, about the width of a mouth: smaller patches would leave enough of a smile."""
EDGE_SHARE = 0.3
"""Outer share of a patch that fades, because a hard edge would be a feature of its own."""


@dataclass(frozen=True)
class OcclusionMap:
    """Effect of covering each patch on one prediction.

    ``prediction``: calibrated probability of ``label``, or years for age, which has no label. ``covered``: (g, g)
    float64, the same with the patch of that row and column covered, from the top left.
    """

    attribute: str
    label: str | None
    prediction: float
    covered: NDArray[np.float64]

    @property
    def importance(self) -> NDArray[np.float64]:
        """(g, g) absolute change of the prediction by each patch, in probability or years."""
        return np.abs(self.covered - self.prediction)

    @property
    def strongest(self) -> tuple[int, int]:
        """Row and column of the patch with the largest change."""
        row, column = np.unravel_index(int(self.importance.argmax()), self.covered.shape)
        return int(row), int(column)


def explain(crop: NDArray[np.uint8], estimator: Estimator, attribute: str) -> OcclusionMap:
    """Compute the map of one ``attribute`` for a crop of ``estimator``, (h, w, c) uint8, grey or BGR.

    Raises ``ConfigError`` for an attribute that ``estimator`` does not predict.
    """
    card = estimator.card
    if attribute not in card.attributes:
        raise ConfigError(f"{card.name} predicts {', '.join(card.attributes)}, not {attribute}")
    outputs = postprocess_outputs(estimator.predict(np.concatenate([crop[None], occlude(crop)])), card.temperature)
    if attribute == "age":
        assert outputs.age is not None
        label, values = None, outputs.age.years
    else:
        probabilities = outputs.probabilities[attribute]
        best = int(probabilities[0].argmax())
        label, values = str(CLASSES[attribute][best]), probabilities[:, best]
    return OcclusionMap(attribute, label, float(values[0]), values[1:].reshape(GRID_SIZE, GRID_SIZE))


def occlude(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, c) uint8 -> (``GRID_SIZE`` ** 2, h, w, c): copies with one patch each in the mean colour, row by row."""
    if crop.ndim != 3 or crop.dtype != np.uint8 or 0 in crop.shape:
        raise ValueError(f"crop must be a non-empty (h, w, c) uint8 array, got {crop.shape} {crop.dtype}")
    height, width, channels = crop.shape
    cover = (_profiles(height)[:, None, :, None] * _profiles(width)[None, :, None, :]).reshape(-1, height, width, 1)
    original = crop.astype(np.float32)
    copies = original + cover * (original.mean(axis=(0, 1)) - original)
    return np.rint(copies).astype(np.uint8).reshape(-1, height, width, channels)


def _profiles(length: int) -> NDArray[np.float32]:
    """(``GRID_SIZE``, length) share of each pixel that each patch covers along one axis."""
    centers = (np.arange(GRID_SIZE) + 0.5) * length / GRID_SIZE
    pixels = np.arange(length) + 0.5
    # The edge is at least one pixel wide, because patches need not start at a pixel border.
    edge = max(1.0, EDGE_SHARE * PATCH_SHARE * length / 2)
    inside = PATCH_SHARE * length / 2 - np.abs(pixels - centers[:, None])
    return np.clip(inside / edge + 0.5, 0, 1).astype(np.float32)

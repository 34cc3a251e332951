"""Occlusion sensitivity: how the prediction changes as patches of the face are covered, one after the other.

After Zeiler & Fergus (2014), "Visualizing and Understanding Convolutional Networks". It needs no gradients. It shows
what a prediction depends on, not whether the prediction is right.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.attributes.estimator import Estimator
from core.attributes.postprocessing import postprocess_outputs
from core.errors import ConfigError
from core.types import EMOTIONS, GENDERS

ATTRIBUTES = ("emotion", "age", "gender")
LABELS: dict[str, tuple[str, ...]] = {"emotion": EMOTIONS, "gender": GENDERS}


@dataclass(frozen=True, slots=True)
class OcclusionSettings:
    """Patches on a grid of ``grid_size`` x ``grid_size`` centres.

    Each patch is ``patch_share`` of the crop's side wide, and its outer ``edge_share`` fades, because a hard edge would
    be a feature of its own. Patches are as wide as a mouth: smaller ones would leave enough of a smile to recognise it.
    """

    grid_size: int = 10
    patch_share: float = 0.33
    edge_share: float = 0.3

    def __post_init__(self) -> None:
        if not 2 <= self.grid_size <= 12:
            raise ConfigError(f"grid_size must be in [2, 12], which bounds the time of a map, got {self.grid_size}")
        if not 1 / self.grid_size < self.patch_share <= 0.6:
            raise ConfigError(
                f"patch_share must be in (1/{self.grid_size}, 0.6], so that patches overlap and leave most of the face "
                f"visible, got {self.patch_share}"
            )
        if not 0 <= self.edge_share <= 1:
            raise ConfigError(f"edge_share must be in [0, 1], got {self.edge_share}")


@dataclass(frozen=True)
class OcclusionMap:
    """Effect of covering each patch on one prediction.

    ``prediction``: calibrated probability of ``label``, or years for age, which has no label. ``covered``: (g, g)
    float64, the same with the patch of that row and column covered, from the top left. ``patch_px`` and ``stride_px``
    are pixels of the crop.
    """

    attribute: str
    label: str | None
    prediction: float
    covered: NDArray[np.float64]
    patch_px: float
    stride_px: float
    elapsed_ms: float

    @property
    def importance(self) -> NDArray[np.float64]:
        """(g, g) absolute change of the prediction by each patch, in probability or years."""
        return np.abs(self.covered - self.prediction)

    @property
    def strongest(self) -> tuple[int, int]:
        """Row and column of the patch with the largest change."""
        row, column = np.unravel_index(int(self.importance.argmax()), self.covered.shape)
        return int(row), int(column)


def explain(
    crop: NDArray[np.uint8],
    estimator: Estimator,
    attribute: str,
    settings: OcclusionSettings = OcclusionSettings(),
    clock_s: Callable[[], float] = time.perf_counter,
) -> OcclusionMap:
    """Compute the map of one ``attribute`` for a crop of ``estimator``, (h, w, c) uint8, grey or BGR.

    Raises ``ConfigError`` for an unknown attribute, or one that ``estimator`` does not predict.
    """
    if attribute not in ATTRIBUTES:
        raise ConfigError(f"attribute must be one of {', '.join(ATTRIBUTES)}, got {attribute!r}")
    card = estimator.card
    if attribute not in card.attributes:
        raise ConfigError(f"{card.name} predicts {', '.join(card.attributes)}, not {attribute}")
    start_s = clock_s()
    copies = occlude(crop, settings)
    outputs = _predict(np.concatenate([crop[None], copies]), estimator, attribute)
    label_row = int(outputs[0].argmax())
    values = outputs[:, label_row]
    side = crop.shape[0]
    return OcclusionMap(
        attribute,
        str(LABELS[attribute][label_row]) if attribute in LABELS else None,
        prediction=float(values[0]),
        covered=values[1:].reshape(settings.grid_size, settings.grid_size),
        patch_px=side * settings.patch_share,
        stride_px=side / settings.grid_size,
        elapsed_ms=(clock_s() - start_s) * 1000,
    )


def occlude(crop: NDArray[np.uint8], settings: OcclusionSettings = OcclusionSettings()) -> NDArray[np.uint8]:
    """(h, w, c) uint8 -> (grid_size^2, h, w, c): copies with one patch each in the crop's mean colour, row by row."""
    if crop.ndim != 3 or crop.dtype != np.uint8 or 0 in crop.shape:
        raise ValueError(f"crop must be a non-empty (h, w, c) uint8 array, got {crop.shape} {crop.dtype}")
    height, width, channels = crop.shape
    down, across = _profiles(height, settings), _profiles(width, settings)
    cover = (down[:, None, :, None] * across[None, :, None, :]).reshape(-1, height, width, 1)
    plain = crop.astype(np.float32)
    mean = plain.mean(axis=(0, 1))
    copies = plain + cover * (mean - plain)
    return np.rint(copies).astype(np.uint8).reshape(-1, height, width, channels)


def _profiles(length: int, settings: OcclusionSettings) -> NDArray[np.float32]:
    """(grid_size, length) share of each pixel that each patch covers along one axis."""
    centers = (np.arange(settings.grid_size) + 0.5) * length / settings.grid_size
    pixels = np.arange(length) + 0.5
    # The edge is at least one pixel wide, because patches need not start at a pixel border.
    edge = max(1.0, settings.edge_share * settings.patch_share * length / 2)
    inside = settings.patch_share * length / 2 - np.abs(pixels - centers[:, None])
    return np.clip(inside / edge + 0.5, 0, 1).astype(np.float32)


def _predict(crops: NDArray[np.uint8], estimator: Estimator, attribute: str) -> NDArray[np.float64]:
    """(N, K) calibrated probabilities, or (N, 1) years."""
    outputs = postprocess_outputs(estimator.predict(crops), estimator.card.temperature)
    return outputs.probabilities[attribute] if outputs.age is None or attribute != "age" else outputs.age.years[:, None]

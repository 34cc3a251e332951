"""Sampling weights for rare classes, and the order in which weighted images are drawn.

Weighting by a power of the number of images lies between all images alike (power 0) and all classes alike (power 1).
The inverse square root is the usual middle (Mahajan et al. 2018, after Mikolov et al. 2013); the effective number of
samples (Cui et al. 2019) comes out much like it with class sizes such as UTKFace's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def compute_class_weights(labels: NDArray[Any], power: float) -> NDArray[np.float64]:
    """(N,) labels -> (N,) weights with mean 1, in proportion to (number of images of the class) ** ``-power``."""
    if not 0 <= power <= 1:
        raise ValueError(f"power must be in [0, 1], from all images alike to all classes alike, got {power}")
    _, class_of, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = counts[class_of] ** -power
    return weights / weights.mean()


def systematic_resample(weights: NDArray[Any], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw (count,) rows, shuffled, each as often as its share of ``weights`` (N,), rounded up or down at random.

    Systematic sampling: unlike independent draws, equal weights and ``count`` = N give every row exactly once.
    Raises ``ValueError`` for weights that are negative, not finite, or all 0, unless ``count`` is 0.
    """
    shares = np.asarray(weights, np.float64)
    if shares.ndim != 1 or not (np.isfinite(shares) & (shares >= 0)).all() or (count and not shares.sum() > 0):
        raise ValueError(f"weights must be (N,) numbers of at least 0, not all 0, got shape {shares.shape}")
    if count == 0:
        return np.empty(0, np.int64)
    # In random order first: neighbours are rounded together, and files of one age often lie side by side.
    rows = rng.permutation(len(shares))
    ends = np.cumsum(shares[rows])
    ends *= count / ends[-1]
    # A mark lies on each integer plus the same fraction; rounding may push the last one over the end.
    drawn = rows[np.minimum(np.searchsorted(ends, np.arange(count) + rng.random(), side="right"), len(rows) - 1)]
    return rng.permutation(drawn).astype(np.int64)

"""Sampling weights for rare classes and ages, and the order in which weighted images are drawn.

Weighting by a power of the number of images lies between all images alike (power 0) and all classes alike (power 1).
The inverse square root is the usual middle (Mahajan et al. 2018, after Mikolov et al. 2013); the effective number of
samples (Cui et al. 2019) comes out much like it with class sizes such as UTKFace's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError

_DECADE_YEARS = 10


@dataclass(frozen=True, slots=True)
class AgeWeighting:
    """Weights of ages: 1 below ``from_years``, and above it (usual number / number in the decade) ** ``power``.

    The usual number is the mean of the decades below ``from_years``, or of all decades with 0. No decade weighs less
    than 1. After scaling to a mean of 1, weights are capped at ``cap``: a few very old people must not dominate the
    gradient.
    """

    from_years: int = 60
    power: float = 0.5
    cap: float = 3.0

    def __post_init__(self) -> None:
        if not 0 <= self.from_years <= 100 or self.from_years % _DECADE_YEARS:
            raise ConfigError(f"from_years must be the first year of a decade from 0 to 100, got {self.from_years}")
        if not 0 <= self.power <= 1:
            raise ConfigError(f"power must be in [0, 1], from all people alike to all decades alike, got {self.power}")
        if not self.cap > 1:
            raise ConfigError(f"cap must be above 1, which is the mean weight, got {self.cap}")


def compute_age_weights(ages_years: NDArray[Any], weighting: AgeWeighting = AgeWeighting()) -> NDArray[np.float32]:
    """(N,) true ages in years -> (N,) float32 weights with mean 1.

    Raises ``ValueError`` for ages that are negative or not finite.
    """
    ages = np.asarray(ages_years, np.float64)
    if ages.ndim != 1 or not (np.isfinite(ages) & (ages >= 0)).all():
        raise ValueError(f"ages must be (N,) numbers of at least 0 years, got shape {ages.shape}")
    if not len(ages):
        return np.empty(0, np.float32)
    decade = (ages // _DECADE_YEARS).astype(np.int64)
    counts = np.bincount(decade)
    starts = np.arange(len(counts)) * _DECADE_YEARS
    younger = counts[(starts < weighting.from_years) & (counts > 0)]
    usual = younger.mean() if len(younger) else counts[counts > 0].mean()
    lifted = np.maximum(1.0, (usual / np.maximum(counts, 1)) ** weighting.power)
    relative = np.where(starts >= weighting.from_years, lifted, 1.0)[decade]
    return _cap(relative, weighting.cap).astype(np.float32)


def _cap(relative: NDArray[np.float64], cap: float) -> NDArray[np.float64]:
    """Scale to a mean of 1 with nothing above ``cap``; the others share in proportion what the cap takes away."""
    weights = relative / relative.mean()
    while (weights > cap).any():
        full = weights >= cap
        scale = (len(weights) - cap * full.sum()) / relative[~full].sum()
        weights = np.where(full, cap, relative * scale)
    return weights


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

"""From a network's probabilities to what is answered: normalised classes, years with an interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INTERVAL_COVERAGE = 0.8
"""Share of faces whose true age the stated interval should hold; its width is fitted on the validation side."""


def normalised(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, K) non-negative scores -> rows that sum to 1. int8 networks answer in steps of 1/256 that do not."""
    scores = np.maximum(probabilities.astype(np.float64), 0.0) + 1e-9
    return scores / scores.sum(axis=1, keepdims=True)


def calibrated(probabilities: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """(N, K) probabilities -> rows that sum to 1, made softer by a temperature above 1 and bolder by one below.

    Temperature scaling (Guo et al. 2017): softmax(logits / T) is the normalised p^(1/T), so no logits are needed.
    """
    if temperature <= 0:
        raise ValueError(f"a temperature must be positive, got {temperature}")
    return normalised(normalised(probabilities) ** (1 / temperature))


def age_answers(
    distribution: NDArray[np.float32], interval_scale: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(N, 101) probabilities of the years 0-100 -> mean, low and high, (N,) years each.

    The interval holds the middle ``INTERVAL_COVERAGE`` of the distribution, with each side's distance to the mean
    multiplied by ``interval_scale``; it always contains the mean and never goes below 0.
    """
    shares = normalised(distribution)
    years = np.arange(shares.shape[1], dtype=np.float64)
    mean = shares @ years
    tail = (1 - INTERVAL_COVERAGE) / 2
    cumulative = np.cumsum(shares, axis=1)
    low = _quantile(cumulative, tail)
    high = _quantile(cumulative, 1 - tail)
    low = mean - np.maximum(mean - low, 0) * interval_scale
    high = mean + np.maximum(high - mean, 0) * interval_scale
    return mean, np.maximum(low, 0.0), high


def _quantile(cumulative: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Where each row reaches ``level``, in years, as if a year's share were spread evenly over half a year around."""
    year = np.minimum((cumulative < level).sum(axis=1), cumulative.shape[1] - 1)
    row = np.arange(len(cumulative))
    before = np.where(year > 0, cumulative[row, year - 1], 0.0)
    share = np.maximum(cumulative[row, year] - before, 1e-12)
    return np.maximum(year - 0.5 + (level - before) / share, 0.0)


def fitted_interval_scale(distribution: NDArray[np.float32], age_true: NDArray[np.int64]) -> float:
    """The ``interval_scale`` with which ``INTERVAL_COVERAGE`` of these faces fall inside their interval.

    A split-conformal fit: the needed scale of each face, and of those the quantile.
    """
    mean, low, high = age_answers(distribution)
    reach = np.where(age_true < mean, mean - low, high - mean)
    needed = np.abs(age_true - mean) / np.maximum(reach, 1e-6)
    level = min(1.0, INTERVAL_COVERAGE * (1 + 1 / max(len(needed), 1)))
    return float(np.quantile(needed, level))

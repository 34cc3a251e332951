"""Metrics with their 95 % confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class MetricValue:
    """``value`` of a metric over ``n`` samples with its 95 % confidence interval ``[low, high]``; NaN if ``n`` is too
    small."""

    value: float
    low: float
    high: float
    n: int


def wilson_interval(successes: int, n: int) -> MetricValue:
    """Return the share of ``n`` in [0, 1] with its Wilson score interval, which holds near 0 and 1 and for small n."""
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be in 0..n, got {successes} of {n}")
    if n == 0:
        return MetricValue(math.nan, math.nan, math.nan, 0)
    share = successes / n
    centre = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    half = Z_95 / (1 + Z_95**2 / n) * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    # Rounding may leave a bound a few ulps on the wrong side of 0, 1 or the value itself.
    return MetricValue(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)), n)


def mean_share(shares: NDArray[np.float64]) -> MetricValue:
    """Return the mean of (N,) shares in [0, 1]: with the Wilson interval if all are 0 or 1, else the normal one."""
    if np.isin(shares, (0.0, 1.0)).all():
        return wilson_interval(int(shares.sum()), len(shares))
    mean = mean_difference(shares)
    return MetricValue(mean.value, max(0.0, mean.low), min(1.0, mean.high), mean.n)


def mean_absolute_error(errors: NDArray[Any]) -> MetricValue:
    """Return the mean of |errors| (N,) with the normal approximation of its interval, which needs two samples."""
    mean = mean_difference(np.abs(np.asarray(errors, np.float64)))
    return MetricValue(mean.value, mean.low if math.isnan(mean.low) else max(0.0, mean.low), mean.high, mean.n)


def mean_difference(differences: NDArray[np.float64]) -> MetricValue:
    """Return the mean of (N,) differences with the normal approximation of its interval, which needs two samples."""
    n = len(differences)
    if n < 2:
        return MetricValue(float(differences[0]) if n else math.nan, math.nan, math.nan, n)
    mean, half = float(differences.mean()), Z_95 * float(differences.std(ddof=1)) / math.sqrt(n)
    return MetricValue(mean, mean - half, mean + half, n)

"""Age groups of the Adience data set, which some networks predict, and the years that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.types import MAX_AGE

AGE_GROUPS: tuple[tuple[int, int], ...] = ((0, 2), (4, 6), (8, 13), (15, 20), (25, 32), (38, 43), (48, 53), (60, 100))
"""First and last year of Adience's groups (Eidinger, Enbar & Hassner 2014); some years belong to none."""
AGE_GROUP_LABELS: tuple[str, ...] = tuple(
    f"{first}+" if last >= MAX_AGE else f"{first}-{last}" for first, last in AGE_GROUPS
)


def nearest_age_groups(age_years: NDArray[Any]) -> NDArray[np.int64]:
    """Map (N,) years to (N,) indices into ``AGE_GROUPS``: the group that holds the age, or else the nearest group.

    Between two equally near groups, the younger is taken.
    """
    first, last = np.array(AGE_GROUPS).T
    years = np.minimum(age_years, MAX_AGE)[:, None]
    distance = np.maximum(first - years, 0) + np.maximum(years - last, 0)
    return distance.argmin(axis=1).astype(np.int64)


def age_distribution(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Spread (N, 8) probabilities in the order of ``AGE_GROUPS`` over (N, 101) years, 0-100.

    The probability of a group is spread evenly over its years; years between the groups get none.
    """
    years = np.zeros((len(AGE_GROUPS), MAX_AGE + 1))
    for row, (first, last) in enumerate(AGE_GROUPS):
        years[row, first : last + 1] = 1 / (last - first + 1)
    return np.asarray(probabilities, np.float64) @ years

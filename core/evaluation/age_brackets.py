"""The age brackets of the evaluation protocol, in completed years."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

AGE_BRACKET_STARTS: tuple[int, ...] = (0, 3, 10, 20, 30, 40, 50, 60, 70)
AGE_BRACKETS: tuple[str, ...] = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+")


def bracket_indices(years: NDArray[Any]) -> NDArray[np.int64]:
    """Ages (N,) in years -> (N,) indices into ``AGE_BRACKETS``.

    A fractional age belongs to the bracket of its nearest whole year, the year that is also shown on screen.
    """
    whole = np.floor(np.asarray(years, np.float64) + 0.5)
    if not (whole >= 0).all():
        raise ValueError("ages must be numbers of at least 0 years")
    return np.searchsorted(AGE_BRACKET_STARTS, whole, side="right").astype(np.int64) - 1

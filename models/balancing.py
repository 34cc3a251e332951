"""More weight in training for rare classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def class_weights(labels: NDArray[Any], power: float) -> NDArray[np.float64]:
    """(N,) labels -> (N,) weights with mean 1: images of a class with n of them weigh n ** ``-power`` times as much.

    0 treats all images alike, 1 all classes alike.
    """
    if not 0 <= power <= 1:
        raise ValueError(f"power must be in [0, 1], from all images alike to all classes alike, got {power}")
    _, class_of, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = counts[class_of] ** -power
    return weights / weights.mean()

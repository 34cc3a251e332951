"""Weights by layer name in one ``*.npz``, so that PyTorch and Keras can hand them to each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, list[NDArray[np.float32]]]


def save(weights: Mapping[str, list[NDArray[np.float32]]], file: Path) -> None:
    arrays: dict[str, Any] = {f"{name}/{row}": one for name, parts in weights.items() for row, one in enumerate(parts)}
    np.savez(file, **arrays)


def load(file: Path) -> Weights:
    weights: Weights = {}
    with np.load(file) as stored:
        for key in sorted(stored.files, key=lambda key: (key.split("/")[0], int(key.split("/")[1]))):
            weights.setdefault(key.split("/")[0], []).append(stored[key])
    return weights

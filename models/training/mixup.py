"""mixup (Zhang et al. 2018): training images and their targets are averaged in pairs, against overfitting."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.attributes.postprocessing import age_targets
from models.training.losses import LABEL_SIGMA

Targets = dict[str, NDArray[np.float32]]


def mix_pairs(
    images: NDArray[np.float32], targets: Mapping[str, NDArray[np.float32]], alpha: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Targets]:
    """Mix (N, H, W, C) images and their (N, K) targets with those of another image of the batch.

    The other image gets at most half; its weight is drawn from Beta(alpha, alpha). The (N, 1) years of ``age`` become
    (N, 101) distributions first: the mean of a child of 10 and a person of 70 is not a person of 40.
    """
    weight = rng.beta(alpha, alpha, len(images))
    weight = np.maximum(weight, 1 - weight).astype(np.float32)
    other = rng.permutation(len(images))

    def mix(values: NDArray[np.float32]) -> NDArray[np.float32]:
        own = weight.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(own * values + (1 - own) * values[other], np.float32)

    distributions = {
        name: age_targets(values[:, 0], LABEL_SIGMA).astype(np.float32) if name == "age" else values
        for name, values in targets.items()
    }
    return mix(images), {name: mix(values) for name, values in distributions.items()}

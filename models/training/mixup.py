"""Crops and their targets mixed in pairs (mixup, Zhang et al. 2018): a network that must say "70 % this, 30 % that"
cannot learn its training images by heart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.attributes.postprocessing import age_targets
from models.training.losses import LABEL_SIGMA

Targets = dict[str, NDArray[np.float32]]


def mixable(targets: Mapping[str, NDArray[np.float32]]) -> Targets:
    """Targets that may be added up: the (N, 1) years of ``age`` become (N, 101) distributions, since halfway between
    a child of 10 and a person of 70 nobody is 40."""
    return {name: _age_distributions(values) if name == "age" else values for name, values in targets.items()}


def mixed(
    images: NDArray[np.float32], targets: Mapping[str, NDArray[np.float32]], alpha: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], Targets]:
    """(N, H, W, C) images and (N, K) targets -> each with a part of another of the batch, drawn from Beta(alpha,
    alpha) and at most half."""
    share = rng.beta(alpha, alpha, len(images))
    share = np.maximum(share, 1 - share).astype(np.float32)
    other = rng.permutation(len(images))

    def mix(values: NDArray[np.float32]) -> NDArray[np.float32]:
        part = share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(part * values + (1 - part) * values[other], np.float32)

    return mix(images), {name: mix(values) for name, values in targets.items()}


def _age_distributions(age_years: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 1) years -> (N, 101): the Gaussian that the age loss makes of a year."""
    return age_targets(age_years[:, 0], LABEL_SIGMA).astype(np.float32)

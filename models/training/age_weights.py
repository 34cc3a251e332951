"""More weight in training for people of rare ages: pure functions on arrays that know nothing of networks.

Weighting by a power of how many people are of that age lies between treating all images alike (power 0) and all
decades alike (power 1). The inverse square root is the usual middle (Mahajan et al. 2018, after Mikolov et al. 2013);
the effective number of samples (Cui et al. 2019) comes out much like it with numbers of people like UTKFace's.
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
    """People of ``from_years`` and older weigh (usual number / number in their decade) ** ``power`` times as much as
    the younger ones, who all weigh alike and whose mean decade is the usual number; never less. With 0, every decade
    that has fewer people than the mean one counts as rare.

    Nobody weighs more than ``cap`` times the mean: a few very old people must not fill the gradient with their noise.
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


def sample_weights(ages_years: NDArray[Any], weighting: AgeWeighting = AgeWeighting()) -> NDArray[np.float32]:
    """(N,) true ages in years -> (N,) float32 weights with mean 1, so that the size of the loss stays what it is.

    Raises ``ValueError`` for ages that are negative or no numbers.
    """
    ages = np.asarray(ages_years, np.float64)
    if ages.ndim != 1 or not (np.isfinite(ages) & (ages >= 0)).all():
        raise ValueError(f"ages must be (N,) numbers of at least 0 years, got shape {ages.shape}")
    if not len(ages):
        return np.empty(0, np.float32)
    decade = (ages // _DECADE_YEARS).astype(np.int64)
    people = np.bincount(decade)
    starts = np.arange(len(people)) * _DECADE_YEARS
    younger = people[(starts < weighting.from_years) & (people > 0)]
    usual = younger.mean() if len(younger) else people[people > 0].mean()
    lifted = np.maximum(1.0, (usual / np.maximum(people, 1)) ** weighting.power)
    relative = np.where(starts >= weighting.from_years, lifted, 1.0)[decade]
    return _capped(relative, weighting.cap).astype(np.float32)


def _capped(relative: NDArray[np.float64], cap: float) -> NDArray[np.float64]:
    """Scaled to a mean of 1 with nothing above ``cap``: what the cap takes away, all the others get in proportion."""
    weights = relative / relative.mean()
    while (weights > cap).any():
        full = weights >= cap
        scale = (len(weights) - cap * full.sum()) / relative[~full].sum()
        weights = np.where(full, cap, relative * scale)
    return weights

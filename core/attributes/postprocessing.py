"""From a network's probabilities to what is answered: normalised classes, years with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.age_groups import distribution_of_groups
from core.types import MAX_AGE

INTERVAL_COVERAGE = 0.8
"""Share of faces whose true age the stated interval should hold; its width is fitted on the validation side."""
_YEARS = np.arange(MAX_AGE + 1, dtype=np.float64)
_MIN_HALF_WIDTH_YEARS = 0.5
_POINT_ESTIMATE_HALF_WIDTH = 10.0
"""Of a network that answers one number: the interval scale, fitted on the validation side, makes an interval of it."""


def normalised(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, K) non-negative scores -> rows that sum to 1. int8 networks answer in steps of 1/256 that do not."""
    scores = np.maximum(probabilities.astype(np.float64), 0.0) + 1e-9
    return scores / scores.sum(axis=1, keepdims=True)


def calibrated(probabilities: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """(N, K) probabilities -> rows that sum to 1, made softer by a temperature above 1 and bolder by one below.

    Temperature scaling (Guo et al. 2017): softmax(logits / T) is the normalised p^(1/T), so no logits are needed.
    """
    if temperature <= 0:
        raise ValueError(f"a temperature must be positive, got {temperature}")
    return normalised(normalised(probabilities) ** (1 / temperature))


@dataclass(frozen=True)
class AgeCalibration:
    """How the stated age and its interval follow from what the network says.

    ``target_sigma`` is the standard deviation, in years, of the Gaussians around the true ages that the network learnt
    to answer; 0 if it learnt something else. Cut off at 0 years, the Gaussian of a newborn has a mean of 1.3 years
    (sigma 2), so that a network that learnt all it could would never answer less: that shift is undone.

    The interval reaches as far as a multiple of the network's own: ``scale`` at the ages ``knots`` (years, increasing),
    linear between them and constant outside. An age belongs to the stated interval if its distance from the answer is
    at most ``scale`` at THAT age times the network's own distance on that side. So the multiple depends on the age that
    might be the true one, not on the answer: people over 60 are taken for younger than they are, so the intervals of
    the answers below their age reach up to them.
    """

    knots: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    target_sigma: float = 0.0

    def __post_init__(self) -> None:
        if len(self.knots) != len(self.scale) or not self.knots:
            raise ValueError(f"every knot needs one scale, got {len(self.knots)} knots and {len(self.scale)} scales")
        if not (np.isfinite(self.scale).all() and min(self.scale) >= 0 and (np.diff(self.knots) > 0).all()):
            raise ValueError(f"knots must increase and scales be at least 0, got {self.knots} and {self.scale}")
        if not (np.isfinite(self.target_sigma) and self.target_sigma >= 0):
            raise ValueError(f"the targets' sigma must be at least 0 years, got {self.target_sigma}")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> AgeCalibration:
        """As on a card."""
        return cls(
            tuple(float(year) for year in raw["knots"]),
            tuple(float(scale) for scale in raw["scale"]),
            float(raw["target_sigma"]),
        )

    def to_dict(self) -> dict[str, Any]:
        return {"knots": list(self.knots), "scale": list(self.scale), "target_sigma": self.target_sigma}


UNCALIBRATED_AGE = AgeCalibration()


def postprocess_outputs(
    outputs: Mapping[str, NDArray[np.float32]],
    temperature: Mapping[str, float],
    calibration: AgeCalibration = UNCALIBRATED_AGE,
) -> dict[str, NDArray[np.float64]]:
    """A network's outputs as they are answered: ``emotion`` (N, 7) and ``gender`` (N, 2) probabilities, and ``age`` as
    (N, 3) mean, low and high; the answers to ``age_group`` become an age.

    ``temperature``: by output name, 1 if absent. What is served and what is stored both come from here.
    """
    answers = {
        name: calibrated(values, temperature.get(name, 1.0))
        for name, values in outputs.items()
        if name not in ("age", "age_group")
    }
    ages = age_output(outputs, temperature)
    if ages is not None:
        answers["age"] = np.stack(age_answers(ages, calibration), axis=1)
    return answers


def age_output(
    outputs: Mapping[str, NDArray[np.float32]], temperature: Mapping[str, float]
) -> NDArray[np.floating] | None:
    """What a network says about age, as ``interval_half_widths`` takes it; ``None`` if it says nothing about it."""
    if "age_group" in outputs:
        return distribution_of_groups(calibrated(outputs["age_group"], temperature.get("age_group", 1.0)))
    return outputs.get("age")


def age_answers(
    ages: NDArray[np.floating], calibration: AgeCalibration = UNCALIBRATED_AGE
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(N, 101) probabilities of the years 0-100, or (N, 1) years -> mean, low and high, (N,) years each.

    The interval always contains the mean and never goes below 0.
    """
    mean, down, up = interval_half_widths(ages, calibration.target_sigma)
    knots, scale = np.array(calibration.knots), np.array(calibration.scale)
    low = -_interval_bound(-mean, down, -knots[::-1], scale[::-1])
    return mean, np.maximum(low, 0.0), _interval_bound(mean, up, knots, scale)


def interval_half_widths(
    ages: NDArray[np.floating], target_sigma: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(N, 101) -> mean and how far down and up the middle ``INTERVAL_COVERAGE`` of the distribution reaches from it,
    the mean being corrected for targets that were cut off (``AgeCalibration.target_sigma``).

    (N,) years each; a reach is at least ``_MIN_HALF_WIDTH_YEARS``, or no scale could widen it. (N, 1) years, of a network
    that says nothing about how sure it is, are cut to 0-100 and all reach equally far.
    """
    if ages.shape[1] == 1:
        years = np.clip(ages[:, 0].astype(np.float64), 0.0, float(MAX_AGE))
        reach = np.full(len(years), _POINT_ESTIMATE_HALF_WIDTH)
        return years, reach, reach
    shares = normalised(ages)
    mean = shares @ _YEARS
    tail = (1 - INTERVAL_COVERAGE) / 2
    cumulative = np.cumsum(shares, axis=1)
    down = mean - _quantile(cumulative, tail)
    up = _quantile(cumulative, 1 - tail) - mean
    if target_sigma > 0:
        mean = np.interp(mean, _means_of_targets(target_sigma), _YEARS)
    return mean, np.maximum(down, _MIN_HALF_WIDTH_YEARS), np.maximum(up, _MIN_HALF_WIDTH_YEARS)


def age_targets(ages: NDArray[np.floating], sigma: float) -> NDArray[np.float64]:
    """(N,) true ages in years -> (N, 101) probabilities of the years 0-100: Gaussians, cut off at both ends."""
    heights = np.exp(-((_YEARS - np.minimum(ages, MAX_AGE)[:, None]) ** 2) / (2 * sigma**2))
    return np.asarray(heights / heights.sum(axis=1, keepdims=True), np.float64)


@lru_cache(maxsize=8)
def _means_of_targets(sigma: float) -> NDArray[np.float64]:
    """(101,) years, increasing: once, because every frame of a video asks for them."""
    return np.asarray(age_targets(_YEARS, sigma) @ _YEARS, np.float64)


def _interval_bound(
    mean: NDArray[np.float64], reach: NDArray[np.float64], knots: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The first age above each ``mean`` (N,) from which on the distance exceeds ``reach`` times the scale there."""
    excess = knots - mean[:, None] - reach[:, None] * scale
    outside = (excess > 0) & (knots > mean[:, None])
    first = outside.argmax(axis=1)
    row = np.arange(len(mean))
    # The excess is linear between the last age that is surely inside and the first knot outside.
    inside = np.where(first > 0, np.maximum(mean, knots[first - 1]), mean)
    excess_inside = inside - mean - reach * np.interp(inside, knots, scale)
    growth = np.where(outside[row, first], excess[row, first] - excess_inside, 1.0)
    crossing = inside - (knots[first] - inside) * excess_inside / growth
    return np.where(outside.any(axis=1), crossing, mean + reach * scale[-1])


def _quantile(cumulative: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Where each row reaches ``level``, in years, as if a year's share were spread evenly over half a year around."""
    year = np.minimum((cumulative < level).sum(axis=1), cumulative.shape[1] - 1)
    row = np.arange(len(cumulative))
    before = np.where(year > 0, cumulative[row, year - 1], 0.0)
    share = np.maximum(cumulative[row, year] - before, 1e-12)
    return np.maximum(year - 0.5 + (level - before) / share, 0.0)

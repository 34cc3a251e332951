"""Post-process raw network outputs: normalised class probabilities, and ages with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.age_groups import age_distribution
from core.types import MAX_AGE

INTERVAL_COVERAGE = 0.8
"""Target coverage of the age interval; its width is fitted on the validation split."""
POINT_ESTIMATE_HALF_WIDTH = 10.0
"""Years, before scaling, for networks that predict a single number; the fitted scale turns them into an interval."""
_YEARS = np.arange(MAX_AGE + 1, dtype=np.float64)
_MIN_HALF_WIDTH_YEARS = 0.5

Floats = NDArray[np.float64]


class AgeOutputs(NamedTuple):
    """Ages of N faces in years, (N,) float64 each, with 0 <= ``low`` <= ``years`` <= ``high``."""

    years: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class AttributeOutputs:
    """Post-processed outputs for N faces.

    ``probabilities``: output name -> (N, K) rows that sum to 1, for ``emotion``, ``gender`` and ``age_group``; ``age``
    is ``None`` for networks that do not predict it.
    """

    probabilities: Mapping[str, Floats] = field(default_factory=dict)
    age: AgeOutputs | None = None


@dataclass(frozen=True)
class AgeCalibration:
    """Corrections that turn raw age outputs into the stated age and interval.

    ``target_sigma``: standard deviation, in years, of the Gaussian training targets around the true age; 0 for other
    targets. Above 0 the median of the distribution answers, else the mean. Truncated at 0 years, the Gaussian of a
    newborn has a median of 1.1 years (sigma 2), so even a perfect network would never predict less; this bias is
    removed.

    ``scale`` at the ages ``knots`` (years, increasing; linear between knots, constant outside) widens the network's own
    interval: an age belongs to the stated interval if its distance from the prediction is at most ``scale`` at THAT age
    times the network's half-width on that side. The scale depends on the candidate age, not on the prediction, because
    ages over 60 are underestimated: intervals of predictions below have to reach up to them.
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
            raise ValueError(f"target_sigma must be at least 0 years, got {self.target_sigma}")


UNCALIBRATED_AGE = AgeCalibration()


def postprocess_outputs(
    outputs: Mapping[str, NDArray[np.float32]],
    temperature: Mapping[str, float],
    calibration: AgeCalibration = UNCALIBRATED_AGE,
) -> AttributeOutputs:
    """Calibrate raw outputs: output name -> (N, K). ``temperature`` by output name, 1 if absent.

    Live video, uploads and stored predictions all pass through here.
    """
    probabilities = {
        name: apply_temperature(values, temperature.get(name, 1.0)) for name, values in outputs.items() if name != "age"
    }
    ages = extract_age_output(outputs, temperature)
    return AttributeOutputs(probabilities, None if ages is None else estimate_ages(ages, calibration))


def average_views(outputs: Mapping[str, NDArray[np.float32]], views: int) -> dict[str, NDArray[np.float32]]:
    """Average raw outputs over the ``views`` of each face, (N * views, K) -> (N, K), as ``align_views`` orders them."""
    return {
        name: values.reshape(len(values) // views, views, -1).mean(axis=1, dtype=np.float32) if views > 1 else values
        for name, values in outputs.items()
    }


def normalize_rows(scores: NDArray[np.floating]) -> Floats:
    """Scale (N, K) non-negative scores to rows that sum to 1; int8 outputs in steps of 1/256 do not."""
    positive = np.maximum(scores.astype(np.float64), 0.0) + 1e-9
    return positive / positive.sum(axis=1, keepdims=True)


def apply_temperature(probabilities: NDArray[np.floating], temperature: float = 1.0) -> Floats:
    """Soften (temperature > 1) or sharpen (< 1) (N, K) probabilities; rows sum to 1.

    Temperature scaling (Guo et al. 2017): softmax(logits / T) is the normalised p^(1/T), so no logits are needed.
    """
    if temperature <= 0:
        raise ValueError(f"a temperature must be positive, got {temperature}")
    return normalize_rows(normalize_rows(probabilities) ** (1 / temperature))


def extract_age_output(
    outputs: Mapping[str, NDArray[np.float32]], temperature: Mapping[str, float]
) -> NDArray[np.floating] | None:
    """Return the age output, (N, 101) probabilities or (N, 1) years, or ``None`` if there is none. Age groups become a
    distribution over years."""
    if "age_group" in outputs:
        return age_distribution(apply_temperature(outputs["age_group"], temperature.get("age_group", 1.0)))
    return outputs.get("age")


def estimate_ages(ages: NDArray[np.floating], calibration: AgeCalibration = UNCALIBRATED_AGE) -> AgeOutputs:
    """Turn (N, 101) probabilities of the years 0-100, or (N, 1) years, into ages with intervals."""
    mean, down, up = interval_half_widths(ages, calibration.target_sigma)
    knots, scale = np.array(calibration.knots), np.array(calibration.scale)
    low = -_interval_bound(-mean, down, -knots[::-1], scale[::-1])
    return AgeOutputs(mean, np.maximum(low, 0.0), _interval_bound(mean, up, knots, scale))


def interval_half_widths(ages: NDArray[np.floating], target_sigma: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Return the answer and the distances from it down and up to the central ``INTERVAL_COVERAGE`` interval, (N,) years
    each, before scaling.

    The answer is the mean of (N, 101) probabilities (Rothe et al. 2015), or where ``target_sigma`` is above 0 the
    median, which has the smallest absolute error, corrected for truncated targets (``AgeCalibration``). Distances are
    at least ``_MIN_HALF_WIDTH_YEARS``, because no scale widens 0. (N, 1) years carry no uncertainty, so they are
    clipped to 0-100 and get the same half-width everywhere.
    """
    if ages.shape[1] == 1:
        years = np.clip(ages[:, 0].astype(np.float64), 0.0, float(MAX_AGE))
        half_width = np.full(len(years), POINT_ESTIMATE_HALF_WIDTH)
        return years, half_width, half_width
    probabilities = normalize_rows(ages)
    tail = (1 - INTERVAL_COVERAGE) / 2
    cumulative = np.cumsum(probabilities, axis=1)
    years = _quantile(cumulative, 0.5) if target_sigma > 0 else probabilities @ _YEARS
    down = years - _quantile(cumulative, tail)
    up = _quantile(cumulative, 1 - tail) - years
    if target_sigma > 0:
        years = np.interp(years, _medians_of_targets(target_sigma), _YEARS)
    return years, np.maximum(down, _MIN_HALF_WIDTH_YEARS), np.maximum(up, _MIN_HALF_WIDTH_YEARS)


def age_targets(ages: NDArray[np.floating], sigma: float) -> Floats:
    """(N,) true ages in years -> (N, 101) probabilities of the years 0-100: Gaussians, truncated at both ends."""
    heights = np.exp(-((_YEARS - np.minimum(ages, MAX_AGE)[:, None]) ** 2) / (2 * sigma**2))
    return np.asarray(heights / heights.sum(axis=1, keepdims=True), np.float64)


@lru_cache(maxsize=8)
def _medians_of_targets(sigma: float) -> Floats:
    """(101,) years, increasing; cached, because every video frame needs them."""
    return _quantile(np.cumsum(age_targets(_YEARS, sigma), axis=1), 0.5)


def _interval_bound(mean: Floats, half_width: Floats, knots: Floats, scale: Floats) -> Floats:
    """Return the first age above each ``mean`` (N,) whose distance exceeds ``half_width`` times the scale there."""
    excess = knots - mean[:, None] - half_width[:, None] * scale
    outside = (excess > 0) & (knots > mean[:, None])
    first = outside.argmax(axis=1)
    row = np.arange(len(mean))
    # The excess is linear between the last age that is surely inside and the first knot outside.
    inside = np.where(first > 0, np.maximum(mean, knots[first - 1]), mean)
    excess_inside = inside - mean - half_width * np.interp(inside, knots, scale)
    growth = np.where(outside[row, first], excess[row, first] - excess_inside, 1.0)
    crossing = inside - (knots[first] - inside) * excess_inside / growth
    return np.where(outside.any(axis=1), crossing, mean + half_width * scale[-1])


def _quantile(cumulative: Floats, level: float) -> Floats:
    """Return where each row reaches ``level``, in years, with each year's probability spread evenly over that year."""
    year = np.minimum((cumulative < level).sum(axis=1), cumulative.shape[1] - 1)
    row = np.arange(len(cumulative))
    before = np.where(year > 0, cumulative[row, year - 1], 0.0)
    probability = np.maximum(cumulative[row, year] - before, 1e-12)
    return np.maximum(year - 0.5 + (level - before) / probability, 0.0)

from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.intervals import Z_95, mean_absolute_error, mean_difference, wilson_interval


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="textbook"),
        pytest.param(0, 20, 0.0, 0.1611, id="none"),
        pytest.param(20, 20, 0.8389, 1.0, id="all"),
        pytest.param(1, 1, 0.2065, 1.0, id="one sample"),
    ],
)
def test_wilson_interval(successes: int, n: int, low: float, high: float) -> None:
    metric = wilson_interval(successes, n)
    assert metric.value == successes / n
    assert (metric.low, metric.high) == pytest.approx((low, high), abs=1e-4)


def test_wilson_interval_without_samples_is_nan() -> None:
    assert math.isnan(wilson_interval(0, 0).value)


@pytest.mark.parametrize(("successes", "n"), [(2, 1), (-1, 1)], ids=["too many", "negative"])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson_interval(successes, n)


def test_interval_shrinks_with_more_samples() -> None:
    few, many = mean_absolute_error(np.array([-1.0, 3.0] * 5)), mean_absolute_error(np.array([-1.0, 3.0] * 500))
    assert few.value == many.value == 2.0
    assert few.low < many.low < 2.0 < many.high < few.high


def test_interval_uses_the_sample_standard_deviation() -> None:
    # Standard deviation of 1 and 3 as a sample: the square root of 2; of their mean: 1.
    for metric in (mean_absolute_error(np.array([-1.0, 3.0])), mean_difference(np.array([1.0, 3.0]))):
        assert (metric.value, metric.low, metric.high) == pytest.approx((2, 2 - Z_95, 2 + Z_95))
    assert mean_absolute_error(np.array([0.0, 1.0])).low == 0


@pytest.mark.parametrize(("errors", "value"), [([], math.nan), ([-4.0], 4.0)], ids=["no samples", "one sample"])
def test_too_few_errors_have_no_interval(errors: list[float], value: float) -> None:
    metric = mean_absolute_error(np.array(errors))
    assert metric.value == pytest.approx(value, nan_ok=True)
    assert metric.n == len(errors)
    assert math.isnan(metric.low)
    assert math.isnan(metric.high)

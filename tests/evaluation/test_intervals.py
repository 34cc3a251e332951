from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.intervals import Z_95, mean_absolute_error, mean_difference, wilson_interval
from core.evaluation.metrics import AGE_BRACKETS, bracket_indices


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
    measured = wilson_interval(successes, n)
    assert measured.value == successes / n
    assert (measured.low, measured.high) == pytest.approx((low, high), abs=1e-4)


def test_accuracy_on_private_test_is_known_to_about_a_point_and_a_half() -> None:
    measured = wilson_interval(2512, 3589)
    assert measured.high - measured.low == pytest.approx(0.03, abs=0.001)


def test_no_samples_give_no_share() -> None:
    assert math.isnan(wilson_interval(0, 0).value)


@pytest.mark.parametrize(("successes", "n"), [(2, 1), (-1, 1)], ids=["too many", "negative"])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson_interval(successes, n)


def test_mean_absolute_error_has_an_interval_that_shrinks_with_more_samples() -> None:
    subsample, many = mean_absolute_error(np.array([-1.0, 3.0] * 5)), mean_absolute_error(np.array([-1.0, 3.0] * 500))
    assert subsample.value == many.value == 2.0
    assert subsample.low < many.low < 2.0 < many.high < subsample.high


def test_the_interval_of_a_mean_takes_the_spread_of_a_sample() -> None:
    # Standard deviation of 1 and 3 as a sample: the square root of 2; of their mean: 1.
    for measured in (mean_absolute_error(np.array([-1.0, 3.0])), mean_difference(np.array([1.0, 3.0]))):
        assert (measured.value, measured.low, measured.high) == pytest.approx((2, 2 - Z_95, 2 + Z_95))


@pytest.mark.parametrize(("errors", "value"), [([], math.nan), ([-4.0], 4.0)], ids=["no samples", "one sample"])
def test_too_few_errors_give_no_interval(errors: list[float], value: float) -> None:
    measured = mean_absolute_error(np.array(errors))
    assert measured.value == pytest.approx(value, nan_ok=True)
    assert math.isnan(measured.low)
    assert math.isnan(measured.high)


@pytest.mark.parametrize(
    ("years", "bracket"),
    [
        (0, "0-2"),
        (2, "0-2"),
        (2.4, "0-2"),
        (2.5, "3-9"),
        (9.4, "3-9"),
        (10, "10-19"),
        (29.49, "20-29"),
        (69.4, "60-69"),
        (70, "70+"),
        (116, "70+"),
    ],
)
def test_bracket_of_the_nearest_whole_year(years: float, bracket: str) -> None:
    assert AGE_BRACKETS[bracket_indices(np.array([years]))[0]] == bracket


def test_no_ages_have_no_brackets() -> None:
    assert bracket_indices(np.array([])).shape == (0,)


@pytest.mark.parametrize("years", [-1.0, math.nan], ids=["negative", "NaN"])
def test_an_age_must_be_a_number_of_years(years: float) -> None:
    with pytest.raises(ValueError, match="ages"):
        bracket_indices(np.array([years]))

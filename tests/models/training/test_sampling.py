"""Weights of rare ages and classes, and drawing by weight."""

import numpy as np
import pytest

from core.errors import ConfigError
from models.training.sampling import AgeWeighting, compute_age_weights, compute_class_weights, systematic_resample

# Hundreds of children and adults, fewer in each decade from 60 on, like UTKFace.
COUNTS = {5: 200, 25: 600, 45: 400, 65: 100, 75: 25, 95: 1}
AGES = np.repeat(list(COUNTS), list(COUNTS.values()))
ALL = [AgeWeighting(), AgeWeighting(0), AgeWeighting(power=1.0), AgeWeighting(0, 1.0, 1.5), AgeWeighting(100)]


def by_age(weighting: AgeWeighting) -> dict[int, float]:
    weights = compute_age_weights(AGES, weighting)
    return {age: float(weights[age == AGES][0]) for age in COUNTS}


@pytest.mark.parametrize("weighting", ALL)
def test_weights_have_mean_1_and_stay_below_the_cap(weighting):
    weights = compute_age_weights(AGES, weighting)
    assert (weights.shape, weights.dtype) == (AGES.shape, np.float32)
    assert weights.mean(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert weights.min() > 0
    assert weights.max() <= weighting.cap + 1e-6


def test_the_inverse_square_root_of_the_number_of_people_from_60_on():
    weights = by_age(AgeWeighting())
    assert weights[5] == weights[25] == weights[45], "younger people weigh alike"
    assert weights[65] / weights[25] == pytest.approx((400 / 100) ** 0.5)
    # The single oldest person would weigh 20 times as much as an adult, and the 75-year-olds 4 times.
    assert weights[75] == weights[95] == pytest.approx(3)


def test_without_a_cap_in_reach_the_rare_decades_weigh_what_the_power_says():
    weights = by_age(AgeWeighting(cap=100))
    assert weights[75] / weights[25] == pytest.approx(4)
    assert weights[95] / weights[25] == pytest.approx(20)


def test_from_0_on_every_rare_decade_weighs_more_and_none_less_than_the_usual():
    weights = by_age(AgeWeighting(0, cap=100))
    mean = sum(COUNTS.values()) / len(COUNTS)
    assert weights[25] == weights[45]
    assert weights[5] / weights[25] == pytest.approx((mean / 200) ** 0.5)
    assert weights[65] / weights[25] == pytest.approx((mean / 100) ** 0.5)


@pytest.mark.parametrize("ages", [[], [70], [70, 71, 72], [20, 30, 40]], ids=["none", "one", "old only", "young only"])
def test_where_no_age_is_rare_all_weigh_1(ages):
    np.testing.assert_allclose(compute_age_weights(np.array(ages)), np.ones(len(ages)))


def test_a_power_of_0_weighs_all_alike():
    np.testing.assert_allclose(compute_age_weights(AGES, AgeWeighting(0, 0.0)), 1)


def test_ages_are_not_changed():
    ages = AGES.copy()
    compute_age_weights(ages)
    np.testing.assert_array_equal(ages, AGES)


@pytest.mark.parametrize("ages", [[-1.0], [np.nan], [[20, 30]]], ids=["negative", "no number", "a table"])
def test_ages_that_cannot_be(ages):
    with pytest.raises(ValueError, match="ages must be"):
        compute_age_weights(np.array(ages))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"from_years": -10}, "first year of a decade"),
        ({"from_years": 65}, "first year of a decade"),
        ({"from_years": 110}, "first year of a decade"),
        ({"power": 1.5}, "power must be"),
        ({"power": -0.5}, "power must be"),
        ({"cap": 1.0}, "cap must be above 1"),
        ({"cap": float("nan")}, "cap must be above 1"),
    ],
)
def test_settings_that_make_no_sense(changes, message):
    with pytest.raises(ConfigError, match=message):
        AgeWeighting(**changes)


def test_equal_weights_give_every_row_once():
    order = systematic_resample(np.ones(50), 50, np.random.default_rng(1))
    assert order.dtype == np.int64
    assert sorted(order) == list(range(50))
    assert order.tolist() != list(range(50))


def test_every_row_comes_as_often_as_its_weight_rounded_up_or_down():
    weights = compute_age_weights(AGES)
    order = systematic_resample(weights, len(AGES), np.random.default_rng(0))
    times, expected = np.bincount(order, minlength=len(AGES)), weights / weights.sum() * len(AGES)
    assert (times >= np.floor(expected - 1e-4)).all()
    assert (times <= np.ceil(expected + 1e-4)).all()
    assert times[AGES == 75].mean() == pytest.approx(3, abs=0.01)


def test_draws_are_right_on_average_also_for_small_weights():
    rng = np.random.default_rng(0)
    times = sum(np.bincount(systematic_resample(np.array([0.0, 1, 2, 7]), 5, rng), minlength=4) for _ in range(2000))
    assert times[0] == 0
    np.testing.assert_allclose(times / 2000, [0, 0.5, 1, 3.5], atol=0.05)


def test_the_order_is_decided_by_the_generator():
    weights = compute_age_weights(AGES)
    first, same, other = (systematic_resample(weights, 300, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_nothing_is_drawn_from_nothing():
    assert systematic_resample(np.empty(0), 0, np.random.default_rng(0)).shape == (0,)


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0, -1.0], [np.nan], [[1.0]]])
def test_weights_that_cannot_be_drawn_by(weights):
    with pytest.raises(ValueError, match="weights must be"):
        systematic_resample(np.array(weights), 3, np.random.default_rng(0))


@pytest.mark.parametrize(("power", "rare"), [(0.0, 1.0), (0.5, 2.0), (1.0, 4.0)])
def test_classes_weigh_by_a_power_of_their_size(power, rare):
    weights = compute_class_weights(np.array([3] * 4 + [5] * 16), power)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[0] / weights[-1] == pytest.approx(rare)


def test_a_power_beyond_equal_classes_is_refused():
    with pytest.raises(ValueError, match="power must be in"):
        compute_class_weights(np.array([1, 2]), 1.5)

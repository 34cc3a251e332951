"""Weights of rare ages and classes, and drawing by weight."""

import numpy as np
import pytest

from core.errors import ConfigError
from models.training.sampling import AgeWeighting, compute_age_weights, compute_class_weights, systematic_resample

# Hundreds of children and adults, fewer in each decade from 60 on, like UTKFace.
COUNTS = {5: 200, 25: 600, 45: 400, 65: 100, 75: 25, 95: 1}
MEAN = sum(COUNTS.values()) / len(COUNTS)
AGES = np.repeat(list(COUNTS), list(COUNTS.values()))
ALL = [AgeWeighting(), AgeWeighting(0), AgeWeighting(power=1.0), AgeWeighting(0, 1.0, 1.5), AgeWeighting(100)]


@pytest.mark.parametrize("weighting", ALL)
def test_weights_have_mean_1_and_stay_below_the_cap(weighting):
    ages = AGES.copy()
    weights = compute_age_weights(ages, weighting)
    np.testing.assert_array_equal(ages, AGES)
    assert (weights.shape, weights.dtype) == (AGES.shape, np.float32)
    assert weights.mean(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert weights.min() > 0
    assert weights.max() <= weighting.cap + 1e-6


def test_oldest_ages_reach_the_cap():
    # The single oldest person would weigh 20 times as much as an adult, and the 75-year-olds 4 times.
    weights = compute_age_weights(AGES)
    assert weights[AGES == 75][0] == weights[AGES == 95][0] == pytest.approx(3)


@pytest.mark.parametrize(
    ("weighting", "relative"),
    [
        (AgeWeighting(), {5: 1, 45: 1, 65: 4**0.5}),
        (AgeWeighting(cap=100), {75: 4, 95: 20}),
        (AgeWeighting(0, cap=100), {5: (MEAN / 200) ** 0.5, 45: 1, 65: (MEAN / 100) ** 0.5}),
        (AgeWeighting(0, 0.0), dict.fromkeys(COUNTS, 1)),
    ],
    ids=["from 60 on", "without a cap in reach", "all ages", "power 0"],
)
def test_rare_decades_weigh_by_a_power_of_their_size(weighting, relative):
    weights = compute_age_weights(AGES, weighting)
    usual = weights[AGES == 25][0]
    assert {age: weights[age == AGES][0] / usual for age in relative} == pytest.approx(relative)


@pytest.mark.parametrize("ages", [[], [70], [70, 71, 72], [20, 30, 40]], ids=["none", "one", "old only", "young only"])
def test_all_weigh_1_where_no_age_is_rare(ages):
    np.testing.assert_allclose(compute_age_weights(np.array(ages)), np.ones(len(ages)))


@pytest.mark.parametrize("ages", [[-1.0], [np.nan], [[20, 30]]], ids=["negative", "no number", "a table"])
def test_invalid_ages_are_refused(ages):
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
def test_invalid_settings_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        AgeWeighting(**changes)


def test_equal_weights_give_every_row_once_in_random_order():
    first, same, other = (systematic_resample(np.ones(50), 50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.dtype == np.int64
    assert sorted(first) == sorted(other) == list(range(50))
    assert first.tolist() == same.tolist() != other.tolist()
    assert first.tolist() != list(range(50))
    assert systematic_resample(np.empty(0), 0, np.random.default_rng(0)).shape == (0,)


def test_rows_come_as_often_as_they_weigh():
    weights = compute_age_weights(AGES)
    order = systematic_resample(weights, len(AGES), np.random.default_rng(0))
    times, expected = np.bincount(order, minlength=len(AGES)), weights / weights.sum() * len(AGES)
    assert (times >= np.floor(expected - 1e-4)).all()
    assert (times <= np.ceil(expected + 1e-4)).all()
    assert times[AGES == 75].mean() == pytest.approx(3, abs=0.01)


def test_draws_are_unbiased():
    rng = np.random.default_rng(0)
    times = sum(np.bincount(systematic_resample(np.array([0.0, 1, 2, 7]), 5, rng), minlength=4) for _ in range(2000))
    assert times[0] == 0
    np.testing.assert_allclose(times / 2000, [0, 0.5, 1, 3.5], atol=0.05)


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [1.0, -1.0], [np.nan], [[1.0]]])
def test_invalid_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be"):
        systematic_resample(np.array(weights), 3, np.random.default_rng(0))


@pytest.mark.parametrize(("power", "rare"), [(0.0, 1.0), (0.5, 2.0), (1.0, 4.0)])
def test_classes_weigh_by_a_power_of_their_size(power, rare):
    weights = compute_class_weights(np.array([3] * 4 + [5] * 16), power)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[0] / weights[-1] == pytest.approx(rare)
    with pytest.raises(ValueError, match="power must be in"):
        compute_class_weights(np.array([1, 2]), 1.5)

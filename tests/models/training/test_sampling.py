"""Weights of rare classes, and drawing by weight."""

import numpy as np
import pytest

from models.training.sampling import compute_class_weights, systematic_resample


def test_equal_weights_give_every_row_once_in_random_order():
    first, same, other = (systematic_resample(np.ones(50), 50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.dtype == np.int64
    assert sorted(first) == sorted(other) == list(range(50))
    assert first.tolist() == same.tolist() != other.tolist()
    assert first.tolist() != list(range(50))
    assert systematic_resample(np.empty(0), 0, np.random.default_rng(0)).shape == (0,)


def test_rows_come_as_often_as_they_weigh():
    weights = np.repeat([0.8, 1.6, 3.0], [800, 100, 25])
    order = systematic_resample(weights, len(weights), np.random.default_rng(0))
    times, expected = np.bincount(order, minlength=len(weights)), weights / weights.sum() * len(weights)
    assert (times >= np.floor(expected - 1e-4)).all()
    assert (times <= np.ceil(expected + 1e-4)).all()
    assert times[-25:].mean() == pytest.approx(expected[-1], abs=0.1)


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

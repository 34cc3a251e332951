import numpy as np
import pytest

from core.answers import INTERVAL_COVERAGE, age_answers, fitted_interval_scale, normalised


def gaussian_ages(means, sigma):
    years = np.arange(101)
    shares = np.exp(-((years - np.asarray(means)[:, None]) ** 2) / (2 * sigma**2))
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)


def test_normalised_rows_sum_to_one_even_when_all_zero():
    rows = normalised(np.array([[0, 0, 0], [2, 1, 1], [-1, 1, 0]], np.float32))
    assert rows.sum(axis=1) == pytest.approx([1, 1, 1])
    assert rows[1] == pytest.approx([0.5, 0.25, 0.25])


def test_age_of_a_gaussian_is_its_mean_and_the_interval_its_quantiles():
    years, low, high = age_answers(gaussian_ages([40, 60], 5.0))
    assert years == pytest.approx([40, 60], abs=0.01)
    assert low == pytest.approx([40 - 1.2816 * 5, 60 - 1.2816 * 5], abs=0.15)
    assert high == pytest.approx([40 + 1.2816 * 5, 60 + 1.2816 * 5], abs=0.15)


@pytest.mark.parametrize("mean", [0, 1, 50, 99, 100])
def test_interval_contains_the_mean_and_stays_positive(mean):
    years, low, high = age_answers(gaussian_ages([mean], 3.0), interval_scale=2.5)
    assert 0 <= low[0] <= years[0] <= high[0]


def test_empty_batch_works():
    assert [len(part) for part in age_answers(np.empty((0, 101), np.float32))] == [0, 0, 0]


def test_fitted_scale_gives_the_stated_coverage():
    rng = np.random.default_rng(0)
    means = rng.uniform(20, 70, 4000)
    truth = np.rint(means + rng.normal(0, 8, 4000)).astype(np.int64)
    distribution = gaussian_ages(means, 4.0)
    scale = fitted_interval_scale(distribution, truth)
    assert scale == pytest.approx(2.0, rel=0.05)
    _, low, high = age_answers(distribution, scale)
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(INTERVAL_COVERAGE, abs=0.01)

import numpy as np
import pytest

from core.age_groups import AGE_GROUP_LABELS, AGE_GROUPS, age_distribution, nearest_age_groups


def test_nearest_age_groups():
    inside = np.array([first for first, _ in AGE_GROUPS] + [last for _, last in AGE_GROUPS])
    assert nearest_age_groups(inside).tolist() == [*range(8), *range(8)]
    between = {3: 0, 7: 1, 14: 2, 22: 3, 23: 4, 35: 4, 36: 5, 59: 7, 56: 6, 116: 7}
    assert nearest_age_groups(np.array(list(between))).tolist() == list(between.values())


def test_labels_are_those_of_adience():
    assert AGE_GROUP_LABELS == ("0-2", "4-6", "8-13", "15-20", "25-32", "38-43", "48-53", "60+")


def test_group_probability_is_spread_over_its_years():
    shares = np.zeros((2, 8), np.float32)
    shares[0, 4] = 1.0
    shares[1, [0, 1]] = 0.5
    years = age_distribution(shares)
    assert years.shape == (2, 101)
    assert years[0].nonzero()[0].tolist() == list(range(25, 33))
    assert years[0, 25:33] == pytest.approx(1 / 8)
    assert years[1].nonzero()[0].tolist() == [0, 1, 2, 4, 5, 6]
    assert years[1, :7] == pytest.approx([1 / 6, 1 / 6, 1 / 6, 0, 1 / 6, 1 / 6, 1 / 6])
    assert years.sum(axis=1) == pytest.approx(1.0)


def test_empty_batch():
    assert age_distribution(np.empty((0, 8), np.float32)).shape == (0, 101)
    assert len(nearest_age_groups(np.empty(0, np.int64))) == 0

"""Mixed crops and targets, and the weights of rare classes."""

import numpy as np
import pytest

from core.types import MAX_AGE
from models.training.mixup import mix_pairs, to_mixable
from models.training.sampling import compute_class_weights


def test_ages_become_distributions_with_the_age_as_their_mean_and_others_stay():
    gender = np.eye(2, dtype=np.float32)
    targets = to_mixable({"age": np.array([[30.0], [116.0]], np.float32), "gender": gender})
    years = np.arange(MAX_AGE + 1)
    assert targets["age"].shape == (2, MAX_AGE + 1)
    assert targets["age"].sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (targets["age"] @ years)[0] == pytest.approx(30.0, abs=1e-3)
    assert targets["age"][1].argmax() == MAX_AGE
    assert targets["gender"] is gender


def test_each_crop_keeps_the_larger_part_and_its_targets_are_mixed_alike():
    count = 64
    images = np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1)
    targets = {"which": np.eye(count, dtype=np.float32)}
    crops, shares = mix_pairs(images, targets, 0.4, np.random.default_rng(0))
    assert shares["which"].sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (np.diag(shares["which"]) >= 0.5).all()
    assert (shares["which"].max(axis=1) < 0.99).any()
    assert crops[:, 0, 0, 0] == pytest.approx(shares["which"] @ np.arange(count), abs=1e-4)


@pytest.mark.parametrize(("power", "rare"), [(0.0, 1.0), (0.5, 2.0), (1.0, 4.0)])
def test_classes_weigh_by_a_power_of_their_size(power, rare):
    weights = compute_class_weights(np.array([3] * 4 + [5] * 16), power)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[0] / weights[-1] == pytest.approx(rare)


def test_a_power_beyond_equal_classes_is_refused():
    with pytest.raises(ValueError, match="power must be in"):
        compute_class_weights(np.array([1, 2]), 1.5)

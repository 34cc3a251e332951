"""Images and targets mixed in pairs."""

import numpy as np
import pytest

from core.types import MAX_AGE
from models.training.mixup import mix_pairs

COUNT = 64
IMAGES = np.arange(COUNT, dtype=np.float32).reshape(-1, 1, 1, 1)


def test_each_image_keeps_the_larger_part_and_targets_are_mixed_alike():
    images, targets = mix_pairs(IMAGES, {"which": np.eye(COUNT, dtype=np.float32)}, 0.4, np.random.default_rng(0))
    weights = targets["which"]
    assert weights.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (np.diag(weights) >= 0.5).all()
    assert (weights.max(axis=1) < 0.99).any()
    assert images[:, 0, 0, 0] == pytest.approx(weights @ np.arange(COUNT), abs=1e-4)


def test_ages_become_distributions_around_the_true_age():
    ages = np.full((COUNT, 1), 30.0, np.float32)
    _, targets = mix_pairs(IMAGES, {"age": ages}, 0.4, np.random.default_rng(0))
    assert targets["age"].shape == (COUNT, MAX_AGE + 1)
    assert targets["age"].sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert targets["age"] @ np.arange(MAX_AGE + 1) == pytest.approx(30.0, abs=1e-3)
    _, oldest = mix_pairs(IMAGES, {"age": np.full((COUNT, 1), 116.0, np.float32)}, 0.4, np.random.default_rng(0))
    assert (oldest["age"].argmax(axis=1) == MAX_AGE).all()

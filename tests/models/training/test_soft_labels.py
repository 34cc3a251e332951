import numpy as np
import pytest

from models.training.soft_labels import fit_label_given_votes, soften_labels

RARELY_RIGHT = 0.3


def noisy_labels(count=2000):
    """Three classes; voters see the true one, the label is another one in ``RARELY_RIGHT`` of the images."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 3, count)
    wrong = rng.random(count) < RARELY_RIGHT
    labels = np.where(wrong, (truth + 1) % 3, truth)
    return labels, 10 * np.eye(3, dtype=np.float32)[truth]


def test_label_probabilities_follow_the_votes():
    labels, votes = noisy_labels()
    probabilities = fit_label_given_votes(labels, votes, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    for truth in range(3):
        rows = votes[:, truth] > 0
        shares = np.bincount(labels[rows], minlength=3) / rows.sum()
        assert probabilities[rows][0] == pytest.approx(shares, abs=0.02)


def test_targets_mix_label_and_votes():
    labels, votes = noisy_labels()
    votes[:7] = 0
    targets = soften_labels(labels, votes, 3, weight=0.5)
    one_hot = np.eye(3, dtype=np.float32)[labels]
    assert np.array_equal(targets[:7], one_hot[:7])
    expected = 0.5 * one_hot[7:] + 0.5 * fit_label_given_votes(labels[7:], votes[7:], 3)
    assert targets[7:] == pytest.approx(expected, abs=1e-6)
    assert targets.dtype == np.float32
    assert np.array_equal(soften_labels(labels, votes, 3, weight=0.0), one_hot)

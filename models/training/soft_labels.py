"""Soft emotion labels: the distribution of FER2013's label given the votes of FER+ for the same image.

FER2013 has one label per image, and a third of the labels would not be given again. A linear classifier learns
P(label | FER+ votes) on the training split; the training target is a mixture of the label and that distribution
(privileged information, Lopez-Paz et al. 2016). It remains a distribution over FER2013's own labels.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

_STEPS = 400
_LEARNING_RATE = 0.05


def soften_labels(
    labels: NDArray[np.int64], votes: NDArray[np.float32], classes: int, weight: float
) -> NDArray[np.float32]:
    """Mix (N,) labels with P(label | (N, K) votes), which gets ``weight``, to (N, classes) targets.

    Images without votes keep their label.
    """
    one_hot = np.eye(classes, dtype=np.float32)[labels]
    voted = votes.sum(axis=1) > 0
    targets = one_hot.copy()
    targets[voted] += weight * (fit_label_given_votes(labels[voted], votes[voted], classes) - one_hot[voted])
    return targets


def fit_label_given_votes(labels: NDArray[np.int64], votes: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """Fit P(label | votes) to all N images by full-batch gradient descent; return (N, classes) probabilities."""
    shares = votes / votes.sum(axis=1, keepdims=True)
    # The square root separates no vote from one of ten more clearly than four from five.
    features = np.concatenate([shares, np.sqrt(shares)], axis=1)
    softmax = keras.layers.Dense(classes, activation="softmax", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((features.shape[1],)), softmax])
    model.compile(keras.optimizers.Adam(_LEARNING_RATE), "sparse_categorical_crossentropy", jit_compile=False)
    for _ in range(_STEPS):
        model.train_on_batch(features, labels)
    return np.asarray(keras.ops.convert_to_numpy(model(features)), np.float32)

"""Softer emotion targets: what FER2013's label would be, going by what ten other people saw in the same image.

FER2013 has one label an image and a third of them would not be given again. A linear classifier learns, on the
training side, P(label | FER+ votes); the training target is a mixture of the label and that distribution (privileged
information, Lopez-Paz et al. 2016). It stays a distribution over FER2013's own labels, on which everything is judged.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

_STEPS = 400
_RATE = 0.05


def softened(labels: NDArray[np.int64], votes: NDArray[np.float32], classes: int, share: float) -> NDArray[np.float32]:
    """(N,) labels and (N, K) votes -> (N, classes) targets: ``share`` of P(label | votes), the rest the label.

    Images without votes keep their label.
    """
    one_hot = np.eye(classes, dtype=np.float32)[labels]
    seen = votes.sum(axis=1) > 0
    targets = one_hot.copy()
    targets[seen] += share * (label_given_votes(labels[seen], votes[seen], classes) - one_hot[seen])
    return targets


def label_given_votes(labels: NDArray[np.int64], votes: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """(N, classes) probabilities of the label, fitted to all N images by full-batch gradient descent."""
    parts = votes / votes.sum(axis=1, keepdims=True)
    # The square root tells "nobody" from "one of ten" more clearly than "four" from "five".
    features = np.concatenate([parts, np.sqrt(parts)], axis=1)
    softmax = keras.layers.Dense(classes, activation="softmax", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((features.shape[1],)), softmax])
    model.compile(keras.optimizers.Adam(_RATE), "sparse_categorical_crossentropy", jit_compile=False)
    for _ in range(_STEPS):
        model.train_on_batch(features, labels)
    return np.asarray(keras.ops.convert_to_numpy(model(features)), np.float32)

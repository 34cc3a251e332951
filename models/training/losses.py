"""Training losses and metrics in backend-neutral Keras operations."""

from __future__ import annotations

import keras
from keras import ops

from core.types import MAX_AGE

LABEL_SIGMA = 2.0
"""Standard deviation, in years, of the Gaussian around the true age that is the target of the age output."""
MEAN_ERROR_WEIGHT = 0.1


@keras.saving.register_keras_serializable("facet")
def age_distribution_loss(age_years: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Cross-entropy to a Gaussian around the true age + 0.1 x the absolute error of the mean, in years.

    ``age_years`` is (B, 1), or (B, 101) where it is a distribution already, ``probabilities`` (B, 101); the result is
    (B,).
    """
    years = ops.arange(MAX_AGE + 1, dtype="float32")
    if age_years.shape[-1] == MAX_AGE + 1:
        target = ops.cast(age_years, "float32")
        truth = ops.sum(target * years, axis=-1, keepdims=True)
    else:
        truth = ops.minimum(ops.reshape(ops.cast(age_years, "float32"), (-1, 1)), float(MAX_AGE))
        target = ops.softmax(-ops.square(years - truth) / (2 * LABEL_SIGMA**2), axis=-1)
    cross_entropy = -ops.sum(target * ops.log(ops.maximum(probabilities, 1e-7)), axis=-1)
    error = ops.abs(ops.sum(probabilities * years, axis=-1) - truth[:, 0])
    return cross_entropy + MEAN_ERROR_WEIGHT * error


@keras.saving.register_keras_serializable("facet")
def mae(age_years: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Absolute error of the mean of the age distribution, in years, per sample; the truth is (B, 1) years or a (B, 101)
    distribution."""
    years = ops.arange(MAX_AGE + 1, dtype="float32")
    truth = ops.cast(age_years, "float32")
    truth = ops.sum(truth * years, axis=-1) if truth.shape[-1] == MAX_AGE + 1 else ops.reshape(truth, (-1,))
    # On PyTorch the running metric would otherwise keep the graph of every step: half a gigabyte a minute.
    return ops.abs(ops.sum(ops.stop_gradient(probabilities) * years, axis=-1) - truth)


@keras.saving.register_keras_serializable("facet")
def age_class_loss(age_years: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Cross-entropy to the true year as a class: DEX (Rothe et al. 2015). (B, 1) years and (B, 101) -> (B,)."""
    years = ops.minimum(ops.reshape(ops.cast(age_years, "float32"), (-1,)), float(MAX_AGE))
    return keras.losses.sparse_categorical_crossentropy(ops.cast(years, "int32"), probabilities)

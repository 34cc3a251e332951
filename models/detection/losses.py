"""Losses of the face detector in backend-neutral Keras operations, for targets of ``models.detection.targets``."""

from __future__ import annotations

import keras
from keras import ops

_FACES_PER_CROP = 3.0
"""Normalises the sums over cells; a constant, since Keras averages over the batch and some crops have no face."""
_SMOOTH_L1_BETA = 0.02


@keras.saving.register_keras_serializable("facet")
def score_loss(target: keras.KerasTensor, probability: keras.KerasTensor) -> keras.KerasTensor:
    """Compute the focal loss with less penalty around a centre (Law & Deng 2018): ``target`` (B, n, n, 2) -> (B,)."""
    height, weight = target[..., 0], target[..., 1]
    p = ops.clip(probability[..., 0], 1e-5, 1 - 1e-5)
    center = ops.cast(height >= 1.0, "float32")
    found = -center * ops.square(1 - p) * ops.log(p)
    background = -(1 - center) * ops.power(1 - height, 4.0) * ops.square(p) * ops.log(1 - p)
    return ops.sum(weight * (found + background), axis=(1, 2)) / _FACES_PER_CROP


@keras.saving.register_keras_serializable("facet")
def geometry_loss(target: keras.KerasTensor, predictions: keras.KerasTensor) -> keras.KerasTensor:
    """Compute the smooth L1 loss, in face sizes, of box and landmarks: ``target`` (B, n, n, 28) -> (B,)."""
    error = ops.abs(predictions - target[..., :14])
    smooth = ops.where(error < _SMOOTH_L1_BETA, error * error / (2 * _SMOOTH_L1_BETA), error - _SMOOTH_L1_BETA / 2)
    return ops.sum(target[..., 14:] * smooth, axis=(1, 2, 3)) / _FACES_PER_CROP

"""Faster training with the PyTorch backend of Keras on a CPU.

Keras writes batch normalisation out as eight element-wise passes when it runs on PyTorch; PyTorch's own kernel does
them in one. On two cores that takes a training step of the emotion network from 315 to 195 ms in bfloat16, and
the numbers agree up to PyTorch's unbiased running variance. Keras also copies the input of each convolution and
pooling to channels first and back; without that, a step on one core takes 282 instead of 315 ms, and half the time
where a network has large maps. TensorFlow and JAX are left as they are.
"""

from __future__ import annotations

from typing import Any

import keras


def accelerate() -> None:
    """Use the fused kernel where the backend is PyTorch; a no-op elsewhere. Changes Keras for this process."""
    if keras.backend.backend() == "torch":
        keras.layers.BatchNormalization.call = _torch_batch_norm
        keras.layers.UpSampling2D.call = _torch_nearest
        _leave_channels_last()


def _leave_channels_last() -> None:
    from keras.src.backend.torch import nn

    # PyTorch's kernels read channels-last memory behind a channels-first view; Keras' `contiguous()` copies it.
    nn._transpose_spatial_inputs = lambda inputs: inputs.movedim(-1, 1)


def _torch_batch_norm(layer: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
    from torch.nn.functional import batch_norm

    normalised = batch_norm(
        inputs.movedim(-1, 1),
        layer.moving_mean.value,
        layer.moving_variance.value,
        layer.gamma.value,
        layer.beta.value,
        # A frozen layer keeps its statistics, as in Keras.
        bool(training and layer.trainable),
        1 - layer.momentum,
        layer.epsilon,
    )
    return normalised.movedim(1, -1)


def _torch_nearest(layer: Any, inputs: Any) -> Any:
    # Keras repeats rows and columns, which leaves a memory layout that every later layer has to copy.
    from torch.nn.functional import interpolate

    return interpolate(inputs.movedim(-1, 1), scale_factor=layer.size, mode="nearest").movedim(1, -1)

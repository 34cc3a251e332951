"""Faster training with the PyTorch backend of Keras on a CPU.

Keras writes batch normalisation out as eight element-wise passes when it runs on PyTorch; PyTorch's own kernel does
them in one. On two cores that takes a training step of the emotion network from 315 to 195 ms in bfloat16, and
the numbers agree up to PyTorch's unbiased running variance. Keras also copies the input of each convolution and
pooling to channels first and back; without that, a step on one core takes 282 instead of 315 ms, and half the time
where a network has large maps. Keras' Adam takes a dozen passes over all weights, PyTorch's one. And glibc returns
blocks of many megabytes to the system, which fills them with zeros, page by page, before it gives them out again. For
three_conv_emotion (20 M parameters, batch 70, one core without AMX) a step takes 1.00 s, 0.64 s without the return of
memory, 0.55 s with PyTorch's Adam too. TensorFlow and JAX are left as they are.
"""

from __future__ import annotations

import ctypes
import math
import platform
from typing import Any

import keras

from core.errors import ConfigError

# <malloc.h>: how many blocks are asked of the system one by one; how much unused memory goes back to it (-1: none).
_M_MMAP_MAX = -4
_M_TRIM_THRESHOLD = -1


def accelerate() -> None:
    """Use all of this where the backend is PyTorch; a no-op elsewhere. Changes Keras and malloc for this process."""
    if keras.backend.backend() == "torch":
        keras.layers.BatchNormalization.call = _torch_batch_norm
        keras.layers.UpSampling2D.call = _torch_nearest
        _use_fused_adam()
        _keep_freed_memory()
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


def _use_fused_adam() -> None:
    from keras.src.backend.torch.optimizers import torch_adam

    torch_adam.Adam._parallel_update_step = _torch_adam


def _torch_adam(optimizer: Any, gradients: list[Any], variables: list[Any], learning_rate: Any) -> None:
    import torch
    from torch.optim.adam import adam

    if optimizer.amsgrad:
        raise ConfigError("Adam with amsgrad is not written for the PyTorch backend")
    indices = [optimizer._get_variable_index(variable) for variable in variables]
    steps = float(optimizer.iterations)
    adam(
        [variable.value for variable in variables],
        # The kernel walks through memory without a look at strides.
        [gradient.contiguous() for gradient in gradients],
        [optimizer._momentums[index].value for index in indices],
        [optimizer._velocities[index].value for index in indices],
        [],
        [torch.tensor(steps, device=variable.value.device) for variable in variables],
        fused=True,
        amsgrad=False,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        lr=float(learning_rate),
        weight_decay=0.0,
        # Keras adds epsilon before the second moment is corrected for its start at zero, PyTorch after.
        eps=optimizer.epsilon / math.sqrt(1 - optimizer.beta_2 ** (steps + 1)),
        maximize=False,
    )


def _keep_freed_memory() -> None:
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def _torch_nearest(layer: Any, inputs: Any) -> Any:
    # Keras repeats rows and columns, which leaves a memory layout that every later layer has to copy.
    from torch.nn.functional import interpolate

    return interpolate(inputs.movedim(-1, 1), scale_factor=layer.size, mode="nearest").movedim(1, -1)

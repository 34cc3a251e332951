"""Weights of the one-level detector as a start for the pyramid: ``python -m models.detection.warm_start OUT.npz``.

The normalisation between the two halves of a separable convolution, which the pyramid lacks, goes into its neighbours.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

from core.artifact import DETECTOR_ARTIFACT, KERAS_FILE, artifacts_dir
from models.detection.weight_file import Weights, save

_NAMES = {
    **{name: (name,) for name in ("stem", "down4", "quarter1", "down8", "down16")},
    **{f"fine{number}": (f"at8_{number}",) for number in (1, 2, 3)},
    **{f"coarse{number}": (f"at16_{number}",) for number in (1, 2, 3, 4, 5)},
    "lateral": ("lateral8",),
    "coarse_out": ("lateral16",),
    "head1": ("head8_1", "head16_1", "head32_1"),
    "head2": ("head16_2", "head32_2"),
}
"""Stage of the one-level detector -> stages of the pyramid that start with its weights."""


def pyramid_start(model: keras.Model) -> Weights:
    """Layer of the pyramid -> weights of its counterpart."""
    old: Weights = {layer.name: layer.get_weights() for layer in model.layers}
    start: Weights = {}
    for stage, targets in _NAMES.items():
        kernel, (gamma, beta, mean, variance) = old[f"{stage}_conv"], old[f"{stage}_bn"]
        depthwise = old.get(f"{stage}_depthwise")
        if depthwise is not None:
            d_gamma, d_beta, d_mean, d_variance = old[f"{stage}_depthwise_bn"]
            scale = d_gamma / np.sqrt(d_variance + 1e-3)
            depthwise = [depthwise[0] * scale[None, None, :, None]]
            mean = mean - (d_beta - d_mean * scale) @ kernel[0][0, 0]
        for target in targets:
            start[f"{target}_conv"], start[f"{target}_bn"] = kernel, [gamma, beta, mean, variance]
            if depthwise is not None:
                start[f"{target}_depthwise"] = depthwise
    for stride in (8, 16, 32):
        start[f"score_{stride}"], start[f"geometry_{stride}"] = old["score"], old["geometry"]
    return start


if __name__ == "__main__":
    save(
        pyramid_start(keras.models.load_model(artifacts_dir() / DETECTOR_ARTIFACT / KERAS_FILE, compile=False)),
        Path(sys.argv[1]),
    )

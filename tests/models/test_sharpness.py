"""Sharpness-aware steps. They need PyTorch, which training may use and the app does not."""

import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import pytest

from core.errors import ConfigError
from models.sharpness import sharpness_aware

_ONE_STEP = """
import keras
import numpy as np

from models.sharpness import sharpness_aware

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
model.compile(keras.optimizers.SGD(0.1), loss="mse")
x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
y = x.sum(axis=1, keepdims=True)
gradient_at = lambda weights: 2 * x.T @ (x @ weights - y) / len(x)
start = model.get_weights()[0]
sharpness_aware(model, 0.3)
model.train_on_batch(x, y)
gradient = gradient_at(start)
expected = start - 0.1 * gradient_at(start + 0.3 * gradient / np.linalg.norm(gradient))
assert np.allclose(model.get_weights()[0], expected, atol=1e-5)
model.fit(x, y, epochs=50, verbose=0)
assert model.evaluate(x, y, verbose=0) < 0.05
"""


def test_other_backends_are_refused():
    with pytest.raises(ConfigError, match="KERAS_BACKEND=torch"):
        sharpness_aware(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]), 0.05)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_the_gradient_is_that_found_uphill():
    subprocess.run([sys.executable, "-c", _ONE_STEP], check=True, env=os.environ | {"KERAS_BACKEND": "torch"})

"""What training with PyTorch does faster must not change what is learnt. Needs PyTorch, which the app does not."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# In a process of its own: Keras is told its backend before its first import.
TRAINED = """
import sys
import keras
import numpy as np
from models.acceleration import accelerate

if sys.argv[1] == "accelerated":
    accelerate()
keras.utils.set_random_seed(1)
layers = keras.layers
model = keras.Sequential([
    layers.Input((8, 8, 3)), layers.Conv2D(8, 3, padding="same", use_bias=False), layers.BatchNormalization(),
    layers.UpSampling2D(2), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(3),
])
rate = keras.optimizers.schedules.CosineDecay(1e-2, 40)
model.compile(getattr(keras.optimizers, sys.argv[2])(rate, weight_decay=1e-2, global_clipnorm=5.0), loss="mse")
images = np.random.default_rng(0).normal(size=(256, 8, 8, 3)).astype(np.float32)
model.fit(images, images[:, 0, 0], epochs=5, batch_size=64, shuffle=False, verbose=0)
np.savez(sys.argv[3], *model.get_weights())
"""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("optimizer", ["Adam", "AdamW"])
def test_the_faster_kernels_learn_the_same(optimizer, tmp_path):
    learnt = [trained(how, optimizer, tmp_path / f"{how}.npz") for how in ("plain", "accelerated")]

    for plain, accelerated in zip(*learnt, strict=True):
        np.testing.assert_allclose(accelerated, plain, rtol=5e-3, atol=1e-4)


def trained(how: str, optimizer: str, file: Path) -> list[np.ndarray]:
    root = Path(__file__).parents[2]
    arguments = [sys.executable, "-c", TRAINED, how, optimizer, str(file)]
    subprocess.run(arguments, check=True, cwd=root, env={**os.environ, "KERAS_BACKEND": "torch"})
    with np.load(file) as weights:
        return [weights[name] for name in weights.files]

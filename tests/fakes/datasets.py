"""Small data sets with the sides and labels of the real ones, of images that compress like photographs."""

from __future__ import annotations

import numpy as np

from core.datasets.samples import Rejected, Samples
from core.datasets.splits import SplitDataset

SIDES = {"fer2013": ("train", "public", "private"), "utkface": ("train", "validation", "test")}


def smooth(count, size, channels, seed):
    """Gradients, as compression expects of photographs."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    slopes = rng.uniform(-100, 100, (count, 2, channels))
    images = 128 + x[None, ..., None] * slopes[:, None, None, 0] + y[None, ..., None] * slopes[:, None, None, 1]
    return np.clip(images, 0, 255).astype(np.uint8)


def data_set(name, size=48, count=12):
    channels = 1 if name == "fer2013" else 3
    splits = {}
    for seed, split in enumerate(SIDES[name]):
        rng = np.random.default_rng(seed)
        emotions, people = {"emotion": rng.integers(0, 7, count)}, {"age": rng.integers(0, 99, count)}
        labels = emotions if channels == 1 else people | {"gender": rng.integers(0, 2, count)}
        ids = np.array([f"{split}_{row}" for row in range(count)])
        splits[split] = Samples(ids, smooth(count, size, channels, seed), labels)
    return SplitDataset(name, splits, (Rejected("a.jpg", "broken"),), 5, 3)

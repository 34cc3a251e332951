"""Made-up data sets that a training can run on in a second."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset
from core.tasks import TASKS


def made_up_samples(task: str, count: int = 24, side: int = 24, prefix: str = "s") -> Samples:
    """Random (side, side) images, grey for emotions; every label that a task of the data set may need."""
    rng = np.random.default_rng(len(prefix))
    emotion = "emotion" in TASKS[task].outputs
    if emotion:
        labels = {"emotion": rng.integers(0, 7, count)}
    else:
        labels = {name: rng.integers(0, end, count) for name, end in (("age", 101), ("gender", 2), ("race", 5))}
    images = rng.integers(0, 256, (count, side, side, 1 if emotion else 3), dtype=np.uint8)
    return Samples(np.array([f"{prefix}_{row}" for row in range(count)]), images, labels)


def made_up_data(task: str, **options: Any) -> SplitDataset:
    """All splits of the data set of ``task``; ``options`` are those of ``made_up_samples``."""
    names = ("train", *(split.name for split in TASKS[task].splits))
    return SplitDataset("made-up", {name: made_up_samples(task, prefix=name, **options) for name in names}, (), 0, 0)

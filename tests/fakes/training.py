"""Made-up data sets that a training can run on in a second."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.datasets.faces import FACES_SPLITS, Annotations, FacePhoto, FacePhotos
from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset
from core.detection import FaceArrays
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


def made_up_data(task: str, **options: Any) -> SplitDataset | FacePhotos:
    """All splits of the data set of ``task``; ``options`` are those of ``made_up_samples``."""
    if task == "detection":
        return FacePhotos(dict.fromkeys(FACES_SPLITS, tuple(map(_photo, range(4)))), ())
    names = ("train", *(split.name for split in TASKS[task].splits))
    return SplitDataset("made-up", {name: made_up_samples(task, prefix=name, **options) for name in names}, (), 0, 0)


def _photo(number: int) -> FacePhoto:
    image = np.random.default_rng(number).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    landmarks = np.array([[30.0, 20], [50, 20], [40, 30], [33, 40], [47, 40]])
    pseudo_labels = FaceArrays(np.array([[20.0, 5, 60, 55]]), np.array([0.9]), landmarks[None])
    return FacePhoto(image, Annotations(f"p{number}", (80, 60), np.zeros((0, 4, 2)), np.zeros((0, 4)), pseudo_labels))

"""FER2013 without disgust and fear, the emotions with the lowest recall: some published results use this subset.

Its splits have names of their own, because metrics on five and on seven emotions cannot be compared.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset, load_fer2013
from core.tasks import FIVE_EMOTIONS
from core.types import EMOTIONS

PREFIX = "five_"
"""Begins the names of the splits, except that of ``train``."""


def load_five_emotions(data_dir: Path) -> SplitDataset:
    """Read the splits ``train``, ``five_public`` and ``five_private``."""
    data = load_fer2013(data_dir)
    splits = {
        split if split == "train" else f"{PREFIX}{split}": select_five_emotions(samples)
        for split, samples in data.splits.items()
    }
    return replace(data, name="fer2013_five", splits=splits)


def select_five_emotions(samples: Samples) -> Samples:
    """Return the FER2013 samples of the five emotions; labels stay indices into all seven."""
    wanted = [EMOTIONS.index(emotion) for emotion in FIVE_EMOTIONS]
    return samples.take(np.isin(samples.labels["emotion"], wanted))

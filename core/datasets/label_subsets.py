"""FER2013 without disgust and fear, which are missed most often: what some reports measure on.

Its sides have names of their own, because figures on them cannot be compared with those on all seven emotions.
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
"""Begins the names of the sides, except that of ``train``."""


def load_five_emotions(data_dir: Path) -> SplitDataset:
    """Sides ``train``, ``five_public``, ``five_private``."""
    data = load_fer2013(data_dir)
    splits = {
        split if split == "train" else f"{PREFIX}{split}": of_five_emotions(samples)
        for split, samples in data.splits.items()
    }
    return replace(data, name="fer2013_five", splits=splits)


def of_five_emotions(samples: Samples) -> Samples:
    """Those of FER2013's samples that show one of the five; labels stay indices into all seven."""
    wanted = [EMOTIONS.index(emotion) for emotion in FIVE_EMOTIONS]
    return samples.take(np.isin(samples.labels["emotion"], wanted))

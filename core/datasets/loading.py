"""Load the images that stored predictions were made on from the user's copy of the data set.

Images stay in memory: the licence of neither data set allows passing them on, so nothing here writes a file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import environment
from core.datasets.copies import list_folder
from core.datasets.fer2013 import has_fer2013, read_fer2013
from core.datasets.label_subsets import PREFIX, select_five_emotions
from core.datasets.photographs import has_photographs, read_photographs
from core.datasets.samples import Dataset
from core.datasets.utkface import has_utkface, read_utkface
from core.errors import ConfigError, DatasetError
from core.tasks import TASKS

DATA_DIR = Path(__file__).resolve().parents[2] / "data"
_USAGES = {"public": "PublicTest", "private": "PrivateTest"}


def data_dir() -> Path:
    """Return the folder of the data sets: ``FACET_DATA``, or ``data`` beside the code."""
    return environment.read_path(environment.DATA, DATA_DIR)


def has_data(folder: Path, task: str, split: str = "") -> bool:
    """Return whether ``folder`` seems to hold the data set of ``task``, or of its photo split ``split``, judged by
    names only.

    A folder called as the data set will do: reading it tells what is wrong with it.
    """
    if TASKS[task].is_photo_split(split):
        return has_photographs(split, folder)
    name, has_copy = ("utkface", has_utkface) if TASKS[task].dataset.startswith("utkface") else ("fer2013", has_fer2013)
    return name in map(str.lower, list_folder(folder).folders) or has_copy(folder)


def read_split(folder: Path, task: str, split: str, ids: NDArray[np.str_], image_size: int) -> Dataset:
    """Read the samples of one split for ``task``, and what was left out of the whole copy or, of UTKFace, of the split.

    FER2013: the whole official split, or its images of the five emotions. UTKFace: the images named by ``ids``,
    resized to ``image_size`` by area, without those that ``folder`` lacks; the whole data set would take a gigabyte.
    Photo splits: the whole photographs named by ``ids``, likewise.
    Raises ``DatasetError`` if no image is found.
    """
    if TASKS[task].is_photo_split(split):
        return read_photographs(split, folder, ids.tolist(), image_size)
    if TASKS[task].dataset.startswith("utkface"):
        return read_utkface(folder, image_size, ids.tolist())
    prefix = PREFIX if task == "emotion_five" else ""
    usages = {f"{prefix}{name}": usage for name, usage in _USAGES.items()}
    if split not in usages:
        raise ConfigError(f"the test sets of FER2013 are {', '.join(usages)}, got {split!r}")
    dataset = read_fer2013(folder)
    samples = dataset.samples
    samples = samples.take(samples.labels["usage"] == usages[split])
    if len(samples) == 0:
        raise DatasetError(f"{folder} has no FER2013 images of {usages[split]}")
    return replace(dataset, samples=select_five_emotions(samples) if prefix else samples)

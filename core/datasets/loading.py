"""The images that stored predictions were made on, found again in the user's copy of the data set.

Images stay in memory: neither data set's licence allows passing them on, so nothing here writes a file.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.fer2013 import read_fer2013
from core.datasets.label_subsets import PREFIX, of_five_emotions
from core.datasets.samples import Samples
from core.datasets.utkface import SOURCE_SIZE, parse_name, utkface_folder
from core.errors import ConfigError, DatasetError
from core.tasks import TASKS

DATA_DIR = Path(__file__).resolve().parents[2] / "data"
_USAGES = {"public": "PublicTest", "private": "PrivateTest"}
_UTKFACE = ("utkface", "utkface_published")


def data_dir() -> Path:
    """Where data sets are looked for: ``FACET_DATA``, or ``data`` beside the code."""
    return Path(os.environ.get("FACET_DATA") or DATA_DIR)


def has_data(folder: Path, task: str) -> bool:
    """Whether ``folder`` seems to hold the data set of ``task``; looks at names only."""
    if TASKS[task].dataset in _UTKFACE:
        return (folder / "UTKFace").is_dir() or any(parse_name(file.name) for file in folder.glob("*.chip.jpg"))
    names = ("fer2013/test", "test", "fer2013.csv", "fer2013/fer2013.csv")
    return any((folder / name).exists() for name in names) or (folder.suffix == ".csv" and folder.is_file())


def read_split(folder: Path, task: str, split: str, ids: NDArray[np.str_], image_size: int) -> Samples:
    """The samples of one test set.

    FER2013 gives the whole official side, or what of it shows one of the five emotions. UTKFace gives the images named
    by ``ids``, area-resized to ``image_size``; those that ``folder`` lacks are left out. Raises ``DatasetError`` if
    none is found.
    """
    if TASKS[task].dataset in _UTKFACE:
        return _read_utkface_files(utkface_folder(folder), ids, image_size)
    prefix = PREFIX if task == "emotion_five" else ""
    usages = {f"{prefix}{name}": usage for name, usage in _USAGES.items()}
    if split not in usages:
        raise ConfigError(f"FER2013's test sets are {', '.join(usages)}, got {split!r}")
    samples = read_fer2013(folder).samples
    rows = np.nonzero(samples.labels["usage"] == usages[split])[0]
    if len(rows) == 0:
        raise DatasetError(f"{folder} has no FER2013 images of {usages[split]}")
    found = samples.take(rows)
    return of_five_emotions(found) if prefix else found


def _read_utkface_files(folder: Path, ids: NDArray[np.str_], image_size: int) -> Samples:
    """Only the files asked for: the whole set is five times as many and would take a gigabyte on the way."""
    found: list[str] = []
    images: list[NDArray[np.uint8]] = []
    labels: list[tuple[int, int, int]] = []
    for name in ids.tolist():
        # Checking the name first also keeps an altered predictions file from reaching outside the folder.
        parsed = parse_name(name)
        if parsed is None or not (folder / name).is_file():
            continue
        image = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
        if image is None or image.shape[:2] != (SOURCE_SIZE, SOURCE_SIZE):
            continue
        small = cv2.resize(image, (image_size, image_size), interpolation=cv2.INTER_AREA)
        found.append(name)
        images.append(small.astype(np.uint8, copy=False))
        labels.append(parsed)
    if not found:
        raise DatasetError(f"{folder} has none of the {len(ids)} UTKFace images that are looked for")
    age, gender, race = np.array(labels, np.int64).T
    return Samples(np.array(found), np.stack(images), {"age": age, "gender": gender, "race": race})

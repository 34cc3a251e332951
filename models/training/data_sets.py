"""The data sets that networks learn from and are measured on, by the names in ``core.tasks``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.datasets.label_subsets import load_five_emotions
from core.datasets.published_split import load_utkface_published
from core.datasets.splits import SplitDataset, load_fer2013, load_utkface
from core.tasks import DATASET_OF, DATASET_SPLITS

LOADERS: Mapping[str, Callable[[Path, int], SplitDataset]] = {
    "fer2013": lambda data_dir, image_size: load_fer2013(data_dir),
    "fer2013_five": lambda data_dir, image_size: load_five_emotions(data_dir),
    "utkface": load_utkface,
    "utkface_published": load_utkface_published,
}
"""(folder, side of the images in pixels) -> all sides; FER2013's images have one size."""
REPORTED_SPLITS: Mapping[str, tuple[str, str]] = {
    task: (DATASET_SPLITS[dataset].choosing, DATASET_SPLITS[dataset].reporting) for task, dataset in DATASET_OF.items()
}
"""Task of a network -> the side that training chose on, and the one for reporting."""


def load_data(task: str, data_dir: Path, image_size: int) -> SplitDataset:
    """What a network of ``task``, as on its card, is measured on."""
    return LOADERS[DATASET_OF[task]](data_dir, image_size)

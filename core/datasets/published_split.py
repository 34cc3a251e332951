"""UTKFace as others report on it: ages 21-60, split by the files of the CORAL paper (Cao, Mirjalili & Raschka 2020).

The test side is theirs to the last image. A tenth of their training side, by hash of the file name, is kept for
choosing, with groups of near-duplicates together. Near-duplicates across their two sides stay where they are, because
published figures were made so.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.datasets.near_duplicates import groups_of
from core.datasets.samples import Rejected, hash_position
from core.datasets.splits import SplitDataset, read_split_file, utkface_with_duplicates
from core.errors import DatasetError

FOLDER = "utkface_published_split"
VALIDATION_SHARE = 0.1


def load_utkface_published(data_dir: Path, image_size: int) -> SplitDataset:
    """Sides ``train``, ``published_validation`` and ``published_test``; ``dropped`` is 0.

    Reads ``UTKFace/`` and ``utkface_published_split/{train,test}.csv`` in ``data_dir``. Raises ``DatasetError`` where
    one is missing. Names of the files that are no UTKFace names are rejected.
    """
    folder = Path(data_dir) / FOLDER
    training, testing = (read_split_file(folder / f"{split}.csv") for split in ("train", "test"))
    dataset, pairs = utkface_with_duplicates(data_dir, image_size)
    samples = dataset.samples
    groups = groups_of(pairs, len(samples))
    is_test = np.isin(samples.ids, testing)
    is_training = np.isin(samples.ids, training) & ~is_test
    if not is_training.any() or not is_test.any():
        raise DatasetError(f"none of the images that {folder} names is in {data_dir}")
    first_of_group = {int(group): str(samples.ids[row]) for row, group in reversed(list(enumerate(groups)))}
    chosen_on = np.array([_is_validation(first_of_group[int(group)]) for group in groups])
    splits = {
        "train": samples.take(is_training & ~chosen_on),
        "published_validation": samples.take(is_training & chosen_on),
        "published_test": samples.take(is_test),
    }
    known = set(samples.ids.tolist())
    unknown = [name for name in (*training, *testing) if name not in known]
    rejected = tuple(Rejected(name, "named by the split, not among the images") for name in unknown)
    return SplitDataset("utkface_published", splits, rejected, len(pairs), 0)


def _is_validation(file_name: str) -> bool:
    return hash_position(f"published {file_name}") < VALIDATION_SHARE

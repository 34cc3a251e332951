"""The published split of UTKFace: ages 21-60, by the files of the CORAL paper (Cao, Mirjalili & Raschka 2020).

The test split is the published one, image for image. A tenth of the published training split, by hash of the file
name, is kept for validation, with groups of near-duplicates together. Near-duplicates across training and test stay,
because published results were measured with them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.datasets.samples import Rejected, hash_position
from core.datasets.splits import SplitDataset, first_of_groups, read_split_file, utkface_with_duplicates
from core.datasets.utkface import canonical_name
from core.errors import DatasetError

FOLDER = "utkface_published_split"
VALIDATION_SHARE = 0.1


def load_utkface_published(data_dir: Path, image_size: int) -> SplitDataset:
    """Read the splits ``train``, ``published_validation`` and ``published_test``; ``dropped`` is 0.

    Reads ``UTKFace/`` and ``utkface_published_split/{train,test}.csv`` in ``data_dir``. Files that are named there but
    missing or unusable are rejected. Raises ``DatasetError`` if a folder or table is missing.
    """
    folder = Path(data_dir) / FOLDER
    training, testing = (read_split_file(folder / f"{split}.csv") for split in ("train", "test"))
    dataset, pairs = utkface_with_duplicates(data_dir, image_size)
    samples = dataset.samples
    is_test = np.isin(samples.ids, testing)
    is_training = np.isin(samples.ids, training) & ~is_test
    if not is_training.any() or not is_test.any():
        raise DatasetError(f"none of the images that {folder} names is in {data_dir}")
    positions = [hash_position(f"published {name}") for name in first_of_groups(samples, pairs)]
    is_validation = np.array(positions) < VALIDATION_SHARE
    splits = {
        "train": samples.take(is_training & ~is_validation),
        "published_validation": samples.take(is_training & is_validation),
        "published_test": samples.take(is_test),
    }
    known = set(samples.ids.tolist())
    reasons = {canonical_name(Path(entry.where).name): entry.reason for entry in dataset.rejected}
    rejected = [
        Rejected(name, reasons.get(name, "image of the split is missing"))
        for name in (*training, *testing)
        if name not in known
    ]
    return SplitDataset("utkface_published", splits, tuple(rejected), len(pairs), 0, dataset.files)

"""The splits of the evaluation protocol, with fingerprints that say which samples a metric was computed on.

FER2013 keeps its official splits; a training image that is a near-duplicate of a test image is dropped.
UTKFace is split 70/10/20 by a hash of the file name, with each group of near-duplicates in one split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.copies import read_table
from core.datasets.fer2013 import read_fer2013
from core.datasets.near_duplicates import group_pairs, near_duplicate_pairs
from core.datasets.samples import Dataset, Rejected, Samples, fingerprint, hash_position, subsample
from core.datasets.utkface import canonical_name, read_utkface
from core.errors import DatasetError

UTKFACE_SPLITS = ("train", "validation", "test")
_COMPARED_SIZE = 80
"""Near-duplicates of UTKFace are always searched at this size: the split must not depend on the network's."""
_FER2013_USAGE = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}


@dataclass(frozen=True)
class SplitDataset:
    """Samples by split. ``dropped`` counts training images left out as near-duplicates of test images.

    ``files`` and ``notes`` as in ``Dataset``.
    """

    name: str
    splits: Mapping[str, Samples]
    rejected: tuple[Rejected, ...]
    near_duplicate_pairs: int
    dropped: int
    files: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def require(self, *names: str) -> None:
        """Raise ``DatasetError`` if one of these splits has no images."""
        if empty := [name for name in names if not len(self.splits[name])]:
            counts = ", ".join(f"{name} {len(samples):,}" for name, samples in self.splits.items())
            raise DatasetError(
                f"this copy of {self.name} has no usable images of {' and '.join(empty)} (images by split: {counts}): "
                "choose another split or complete the copy"
            )

    def fingerprints(self) -> dict[str, str]:
        return {split: fingerprint(samples.ids.tolist()) for split, samples in self.splits.items()}

    def limit(self, count: int) -> SplitDataset:
        """Return at most ``count`` images of each split, always the same ones."""
        splits = {split: samples.take(subsample(samples, count)) for split, samples in self.splits.items()}
        return replace(self, splits=splits)

    def metadata(self) -> dict[str, Any]:
        """Return what a run or a card records: counts, fingerprints, near-duplicates, rejected files."""
        return {
            "samples": {split: len(samples) for split, samples in self.splits.items()},
            "fingerprints": self.fingerprints(),
            "near_duplicate_pairs": self.near_duplicate_pairs,
            "dropped_near_duplicates": self.dropped,
            "rejected": len(self.rejected),
        }


def assign_utkface_split(file_name: str) -> str:
    """Return the split of a file by the hash of its name: 70 % train, 10 % validation, 20 % test."""
    position = hash_position(file_name)
    return "train" if position < 0.7 else "validation" if position < 0.8 else "test"


def load_fer2013(data_dir: Path) -> SplitDataset:
    """Read the splits ``train``, ``public`` and ``private`` of FER2013."""
    dataset = read_fer2013(data_dir)
    samples, usage = dataset.samples, dataset.samples.labels["usage"]
    pairs = near_duplicate_pairs(samples.images)
    is_training = usage == "Training"
    crossing = pairs[is_training[pairs[:, 0]] != is_training[pairs[:, 1]]]
    leaking = is_training & np.isin(np.arange(len(samples)), crossing)
    splits = {split: samples.take(~leaking & (usage == name)) for split, name in _FER2013_USAGE.items()}
    return SplitDataset(
        "fer2013", splits, dataset.rejected, len(pairs), int(leaking.sum()), dataset.files, dataset.notes
    )


def load_utkface(data_dir: Path, image_size: int) -> SplitDataset:
    """Read the splits ``train``, ``validation`` and ``test`` of UTKFace at ``image_size``."""
    dataset, pairs = utkface_with_duplicates(data_dir, image_size)
    samples = dataset.samples
    split_of = np.array([assign_utkface_split(name) for name in first_of_groups(samples, pairs)])
    splits = {split: samples.take(split_of == split) for split in UTKFACE_SPLITS}
    return SplitDataset("utkface", splits, dataset.rejected, len(pairs), 0, dataset.files)


def utkface_with_duplicates(data_dir: Path, image_size: int) -> tuple[Dataset, NDArray[np.int64]]:
    """Read UTKFace at ``image_size``, and the (P, 2) rows of its near-duplicates, which are the same at every size."""
    dataset = read_utkface(data_dir, _COMPARED_SIZE)
    pairs = near_duplicate_pairs(dataset.samples.images)
    return (dataset if image_size == _COMPARED_SIZE else read_utkface(data_dir, image_size)), pairs


def first_of_groups(samples: Samples, pairs: NDArray[np.int64]) -> list[str]:
    """Return for each sample the id of the first sample in its group of near-duplicates."""
    groups = group_pairs(pairs, len(samples))
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    return [str(name) for name in samples.ids[first][group]]


def read_split_file(file: Path) -> list[str]:
    """Read the ids of the images of a published split from the ``file`` column of a CSV."""
    file, expected = Path(file), "expected a CSV with a column 'file' that holds UTKFace file names"
    if not file.is_file():
        raise DatasetError(f"no split file {file}: {expected}")
    return [canonical_name(row["file"]) for row in read_table(file, {"file"}, expected)]

"""The splits of the evaluation protocol, and fingerprints that say which samples a figure was computed on.

FER2013 keeps its official sides; a training image that is a near-duplicate of a test image is dropped.
UTKFace is split 70/10/20 by a hash of the file name, with each group of near-duplicates on one side.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.fer2013 import read_fer2013
from core.datasets.near_duplicates import groups_of, near_duplicate_pairs
from core.datasets.samples import Dataset, Rejected, Samples, fingerprint, hash_position, subsample
from core.datasets.utkface import read_utkface
from core.errors import DatasetError

UTKFACE_SPLITS = ("train", "validation", "test")
_COMPARED_SIZE = 80
"""Near-duplicates of UTKFace are always looked for at this size: the split must not depend on the network's."""
_FER2013_USAGE = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}


@dataclass(frozen=True)
class SplitDataset:
    """Samples by side. ``dropped`` counts training images left out as near-duplicates of test images."""

    name: str
    splits: Mapping[str, Samples]
    rejected: tuple[Rejected, ...]
    near_duplicate_pairs: int
    dropped: int

    def fingerprints(self) -> dict[str, str]:
        return {split: fingerprint(samples.ids.tolist()) for split, samples in self.splits.items()}

    def limit(self, count: int) -> SplitDataset:
        """At most ``count`` images of each side, always the same ones, to try things out."""
        return replace(
            self, splits={name: samples.take(subsample(samples, count)) for name, samples in self.splits.items()}
        )

    def metadata(self) -> dict[str, Any]:
        """What a run or a card records about the data: counts, fingerprints, near-duplicates, rejected files."""
        return {
            "samples": {split: len(samples) for split, samples in self.splits.items()},
            "fingerprints": self.fingerprints(),
            "near_duplicate_pairs": self.near_duplicate_pairs,
            "dropped_near_duplicates": self.dropped,
            "rejected": len(self.rejected),
        }


def utkface_split(file_name: str) -> str:
    """Side of a file by the hash of its name: 70 % train, 10 % validation, 20 % test."""
    position = hash_position(file_name)
    return "train" if position < 0.7 else "validation" if position < 0.8 else "test"


def load_fer2013(data_dir: Path) -> SplitDataset:
    """Read FER2013 and split it; sides ``train``, ``public``, ``private``."""
    dataset = read_fer2013(data_dir)
    samples = dataset.samples
    pairs = near_duplicate_pairs(samples.images)
    training = samples.labels["usage"] == "Training"
    leaking = np.zeros(len(samples), bool)
    crossing = pairs[training[pairs[:, 0]] != training[pairs[:, 1]]]
    leaking[crossing] = True
    leaking &= training
    keep = ~leaking
    splits = {
        split: samples.take(np.nonzero(keep & (samples.labels["usage"] == usage))[0])
        for split, usage in _FER2013_USAGE.items()
    }
    return SplitDataset("fer2013", splits, dataset.rejected, len(pairs), int(leaking.sum()))


def load_utkface(data_dir: Path, image_size: int) -> SplitDataset:
    """Read UTKFace at ``image_size`` and split it; sides ``train``, ``validation``, ``test``."""
    dataset, pairs = utkface_with_duplicates(data_dir, image_size)
    samples = dataset.samples
    groups = groups_of(pairs, len(samples))
    order = np.argsort(samples.ids)
    side_of_group: dict[int, str] = {}
    for row in order:
        side_of_group.setdefault(int(groups[row]), utkface_split(str(samples.ids[row])))
    split = np.array([side_of_group[int(g)] for g in groups])
    splits = {name: samples.take(np.nonzero(split == name)[0]) for name in UTKFACE_SPLITS}
    return SplitDataset("utkface", splits, dataset.rejected, len(pairs), 0)


def utkface_with_duplicates(data_dir: Path, image_size: int) -> tuple[Dataset, NDArray[np.int64]]:
    """UTKFace at ``image_size``, and the (P, 2) rows of its near-duplicates, the same at every size."""
    dataset = read_utkface(data_dir, _COMPARED_SIZE)
    pairs = near_duplicate_pairs(dataset.samples.images)
    return (dataset if image_size == _COMPARED_SIZE else read_utkface(data_dir, image_size)), pairs


def read_split_file(file: Path) -> list[str]:
    """File names of a published split: the ``file`` column of a CSV."""
    file = Path(file)
    if not file.is_file():
        raise DatasetError(f"no split file {file}: expected a CSV with a column 'file' holding UTKFace file names")
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if "file" not in (reader.fieldnames or ()):
            raise DatasetError(f"{file} has no column 'file', only {reader.fieldnames}")
        return [row["file"] for row in reader]

"""FER+ (Barsoum et al. 2016): what ten people saw in each image of FER2013."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError

FILE = "ferplus_votes.csv"
CHOICES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
"""Columns of the file, votes for each; ``NF`` is "no face"."""


def votes_file(data_dir: Path) -> Path:
    """Raises ``DatasetError`` if it is missing."""
    file = Path(data_dir) / FILE
    if not file.is_file():
        raise DatasetError(f"no {file}: copy {FILE} (FER+: one row an image, a column a choice) into {data_dir}")
    return file


def read_votes(data_dir: Path, training_ids: NDArray[np.str_]) -> NDArray[np.float32]:
    """(N, 10) votes, in the order of ``CHOICES``, for the FER2013 training images ``Training_<row>``.

    An image without a row has no votes at all (zeros). Raises ``DatasetError`` if the file is missing or unusable.
    """
    votes = _by_row(votes_file(data_dir))
    nobody = np.zeros(len(CHOICES), np.float32)
    return np.stack([votes.get(int(sample_id.rpartition("_")[2]), nobody) for sample_id in training_ids.tolist()])


def _by_row(file: Path) -> dict[int, NDArray[np.float32]]:
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = {"Usage", "Image name", *CHOICES} - set(reader.fieldnames or ())
        if missing:
            raise DatasetError(f"{file} lacks the columns {sorted(missing)}: it is not the votes file of FER+")
        # Images in which everybody saw no face have no name there.
        return {
            int(row["Image name"][3:10]): np.array([row[choice] for choice in CHOICES], np.float32)
            for row in reader
            if row["Usage"] == "Training" and row["Image name"]
        }

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


_LEAST_WITH_VOTES = 0.9
"""Of the training images; FER+ itself leaves a few out."""


def votes_file(data_dir: Path) -> Path:
    """Raises ``DatasetError`` if it is missing."""
    file = Path(data_dir) / FILE
    if not file.is_file():
        raise DatasetError(f"no {file}: copy {FILE} (FER+: one row an image, a column a choice) into {data_dir}")
    return file


def read_votes(data_dir: Path, training_ids: NDArray[np.str_]) -> NDArray[np.float32]:
    """(N, 10) votes, in the order of ``CHOICES``, for the FER2013 training images ``Training_<row>``.

    An image without a row has no votes at all (zeros). Raises ``DatasetError`` if the file is missing or unusable, and
    if few images have votes: their numbers are not those of the rows of ``fer2013.csv`` then.
    """
    file = votes_file(data_dir)
    votes = _by_row(file)
    rows = [_row(sample_id) for sample_id in training_ids.tolist()]
    with_votes = sum(row in votes for row in rows)
    if with_votes < _LEAST_WITH_VOTES * len(rows):
        raise DatasetError(
            f"{file} has votes for {with_votes:,} of {len(rows):,} training images only: their names must end in the "
            "number of their row in fer2013.csv, Training_<row>"
        )
    nobody = np.zeros(len(CHOICES), np.float32)
    return np.stack([votes.get(row, nobody) for row in rows])


def _row(sample_id: str) -> int:
    """-1, which no image has, if the name does not end in a number."""
    number = sample_id.rpartition("_")[2]
    return int(number) if number.isdecimal() else -1


def _by_row(file: Path) -> dict[int, NDArray[np.float32]]:
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = {"Usage", "Image name", *CHOICES} - set(reader.fieldnames or ())
        if missing:
            raise DatasetError(f"{file} lacks the columns {sorted(missing)}: it is not the votes file of FER+")
        try:
            # Images in which everybody saw no face have no name there.
            return {
                int(row["Image name"][3:10]): np.array([row[choice] for choice in CHOICES], np.float32)
                for row in reader
                if row["Usage"] == "Training" and row["Image name"]
            }
        except (TypeError, ValueError) as error:
            raise DatasetError(f"line {reader.line_num} of {file} is no row of FER+'s votes: {error}") from error

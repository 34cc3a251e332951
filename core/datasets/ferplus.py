"""FER+ (Barsoum et al. 2016): what ten people saw in each image of FER2013."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError
from core.types import EMOTIONS, Emotion

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
_CHOICE_OF: Mapping[str, str] = {
    Emotion.ANGRY: "anger",
    Emotion.DISGUST: "disgust",
    Emotion.FEAR: "fear",
    Emotion.HAPPY: "happiness",
    Emotion.SAD: "sadness",
    Emotion.SURPRISE: "surprise",
    Emotion.NEUTRAL: "neutral",
}
_LEAST_WITH_VOTES = 0.9
"""Of the training images; FER+ itself leaves a few out."""
_LEAST_AGREEMENT = 0.35
"""Share of the votes that are for the image's own label, on average: 0.56 on all training images, 0.17 if each gets the
votes of another."""


def votes_file(data_dir: Path) -> Path:
    """Raises ``DatasetError`` if it is missing."""
    file = Path(data_dir) / FILE
    if not file.is_file():
        raise DatasetError(f"no {file}: copy {FILE} (FER+: one row an image, a column a choice) into {data_dir}")
    return file


def read_votes(data_dir: Path, training_ids: NDArray[np.str_], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """(N, 10) votes, in the order of ``CHOICES``, for the FER2013 training images ``Training_<number>`` with their (N,)
    ``labels``, which are indices into ``EMOTIONS``.

    The number is that of the image's row in ``fer2013.csv``, whose rows are FER+'s, or that of FER+'s own name for it,
    which leaves rows out: the one whose votes are for the labels. An image without a row has no votes at all (zeros).
    Raises ``DatasetError`` if the file is missing or unusable, and if the numbers are neither of the two: few images
    have votes, or their votes are not for their labels.
    """
    file = votes_file(data_dir)
    numbers = [_number(sample_id) for sample_id in training_ids.tolist()]
    found = max((_looked_up(votes, numbers) for votes in _read(file)), key=lambda votes: _agreement(votes, labels))
    with_votes = int((found.sum(axis=1) > 0).sum())
    if with_votes < _LEAST_WITH_VOTES * len(numbers):
        problem = f"has votes for {with_votes:,} of {len(numbers):,} training images only"
    elif _agreement(found, labels) < _LEAST_AGREEMENT:
        problem = f"has other votes than labels: {_agreement(found, labels):.0%} of an image's votes are for its label"
    else:
        return found
    raise DatasetError(
        f"{file} {problem}: the training images must be called Training_<number>, by their row in fer2013.csv or as "
        "FER+ numbers them"
    )


def _looked_up(votes: Mapping[int, NDArray[np.float32]], numbers: Sequence[int]) -> NDArray[np.float32]:
    nobody = np.zeros(len(CHOICES), np.float32)
    return np.stack([votes.get(number, nobody) for number in numbers])


def _agreement(votes: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Mean share of the votes that are for the label, of images that have votes; 0 without any."""
    seen = votes.sum(axis=1) > 0
    if not seen.any():
        return 0.0
    columns = np.array([CHOICES.index(_CHOICE_OF[emotion]) for emotion in EMOTIONS])[labels[seen]]
    return float((votes[seen, columns] / votes[seen].sum(axis=1)).mean())


def _number(sample_id: str) -> int:
    """-1, which no image has, if the name does not end in a number."""
    number = sample_id.rpartition("_")[2]
    return int(number) if number.isdecimal() else -1


def _read(file: Path) -> tuple[dict[int, NDArray[np.float32]], dict[int, NDArray[np.float32]]]:
    """Votes of the training images by row of the file, from 0, and by the number in FER+'s name."""
    by_row, by_name = {}, {}
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = {"Usage", "Image name", *CHOICES} - set(reader.fieldnames or ())
        if missing:
            raise DatasetError(f"{file} lacks the columns {sorted(missing)}: it is not the votes file of FER+")
        try:
            for number, row in enumerate(reader):
                # Images in which everybody saw no face have no name there.
                if row["Usage"] == "Training" and row["Image name"]:
                    votes = np.array([row[choice] for choice in CHOICES], np.float32)
                    by_row[number] = by_name[int(row["Image name"][3:10])] = votes
        except (TypeError, ValueError) as error:
            raise DatasetError(f"line {reader.line_num} of {file} is no row of FER+'s votes: {error}") from error
    return by_row, by_name

"""FER+ (Barsoum et al. 2016): the votes of ten annotators on each image of FER2013."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.copies import read_table, walk_folders
from core.errors import DatasetError
from core.types import EMOTIONS, Emotion

FILE = "ferplus_votes.csv"
_FILES = (FILE, "fer2013new.csv")
"""Our name of the file, and the one that it has in FER+'s repository."""
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
_MIN_WITH_VOTES = 0.9
"""Share of the training images that must have votes; FER+ itself leaves a few out."""
_MIN_AGREEMENT = 0.35
"""Mean share of votes for the image's own label: 0.56 over all training images, 0.17 with the votes of other images."""


def votes_file(data_dir: Path) -> Path:
    """Find the file of the votes. Raises ``DatasetError`` if it is missing."""
    for folder in walk_folders(Path(data_dir), first="fer"):
        for name in folder.files:
            if name.lower() in _FILES:
                return folder.path / name
    raise DatasetError(
        f"no {' or '.join(_FILES)} in {data_dir}: copy it there (FER+: one row per image, one column per choice)"
    )


def read_votes(data_dir: Path, training_ids: NDArray[np.str_], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read the (N, 10) votes, in the order of ``CHOICES``, on FER2013 training images called ``Training_<number>``.

    ``labels``: (N,) indices into ``EMOTIONS``. The number is the row in ``fer2013.csv``, which FER+ shares, or the
    number in FER+'s own image name, which leaves rows out: whichever agrees with the labels. An image without a row
    gets zeros. Raises ``DatasetError`` if the file is missing or unusable, and if neither numbering fits: few images
    have votes, or the votes disagree with the labels.
    """
    file = votes_file(data_dir)
    numbers = [_number(sample_id) for sample_id in training_ids.tolist()]
    found = max((_look_up(votes, numbers) for votes in _read(file)), key=lambda votes: _agreement(votes, labels))
    with_votes = int((found.sum(axis=1) > 0).sum())
    if with_votes < _MIN_WITH_VOTES * len(numbers):
        problem = f"has votes for {with_votes:,} of {len(numbers):,} training images only"
    elif _agreement(found, labels) < _MIN_AGREEMENT:
        problem = (
            f"has other votes than labels: {_agreement(found, labels):.0%} of the votes per image are for its label"
        )
    else:
        return found
    raise DatasetError(
        f"{file} {problem}: the training images must be called Training_<number>, by their row in fer2013.csv or as "
        "FER+ numbers them"
    )


def _look_up(votes: Mapping[int, NDArray[np.float32]], numbers: Sequence[int]) -> NDArray[np.float32]:
    no_votes = np.zeros(len(CHOICES), np.float32)
    return np.stack([votes.get(number, no_votes) for number in numbers])


def _agreement(votes: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the mean share of votes for the label over the images with votes; 0 if there are none."""
    seen = votes.sum(axis=1) > 0
    if not seen.any():
        return 0.0
    columns = np.array([CHOICES.index(_CHOICE_OF[emotion]) for emotion in EMOTIONS])[labels[seen]]
    return float((votes[seen, columns] / votes[seen].sum(axis=1)).mean())


def _number(sample_id: str) -> int:
    """Parse the number at the end of an id; -1, which no image has, if there is none."""
    match = re.search(r"[0-9]+$", sample_id)
    return int(match[0]) if match else -1


def _read(file: Path) -> tuple[dict[int, NDArray[np.float32]], dict[int, NDArray[np.float32]]]:
    """Read the votes on the training images by row of the file, from 0, and by the number in FER+'s image name."""
    by_row, by_name = {}, {}
    choices = [choice.lower() for choice in CHOICES]
    rows = read_table(file, {"usage", "image name", *choices}, "expected the votes file of FER+")
    for number, row in enumerate(rows):
        # Images that all annotators called 'no face' have no name.
        if row["usage"] == "Training" and row["image name"]:
            try:
                votes = np.array([row[choice] for choice in choices], np.float32)
                by_row[number] = by_name[int(row["image name"][3:10])] = votes
            except ValueError as error:
                raise DatasetError(f"line {number + 2} of {file} is not a row of FER+ votes: {error}") from error
    return by_row, by_name

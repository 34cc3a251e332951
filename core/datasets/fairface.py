"""FairFace (Karkkainen & Joo 2021): faces of web photographs with age bracket, gender and one of seven races.

Two forms are read: as distributed, ``fairface_label_train.csv`` and ``fairface_label_val.csv`` (columns file, age,
gender, race) with ``train/*.jpg`` and ``val/*.jpg`` of either margin, and one table with the columns file, split,
age_low, age_high, gender, race. Images are squares turned upright, 224x224 with a margin of 0.25 of the face on each
side, or 448x448 with 1.25, of which the same square as in the smaller margin is taken. The official validation side is
the split ``test``: for reporting only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.copies import Folder, read_columns, read_table, walk_folders
from core.datasets.samples import Dataset, Rejected, Samples, describe_rejected, read_resized
from core.errors import DatasetError
from core.types import GENDERS, MAX_AGE

FAIRFACE_RACES = ("White", "Black", "Latino_Hispanic", "East Asian", "Southeast Asian", "Indian", "Middle Eastern")
FAIRFACE_SPLITS = ("train", "test")
SMALL_MARGIN_SIZE, LARGE_MARGIN_SIZE = 224, 448
_CUT = LARGE_MARGIN_SIZE * 3 // 7
"""Side of the centre of a large-margin image that shows what a small-margin image does: 1.5 faces of 3.5."""
_LABELS = {"file", "gender", "race"}
_FOLDER_SPLITS = {"train": "train", "val": "test"}
_GENDER_INDICES = {str(gender): index for index, gender in enumerate(GENDERS)}
_RACE_INDICES = {race.lower(): index for index, race in enumerate(FAIRFACE_RACES)}
_BRACKET = re.compile(r"(?P<low>\d+)-(?P<high>\d+)")
_OLDEST = ("more than 70", "70+")
_EXPECTED = (
    "expected DIR/fairface/ with fairface_label_train.csv or fairface_label_val.csv (columns file, age, gender, race) "
    "and the images they name, train/*.jpg and val/*.jpg"
)


Sides = Mapping[str, Sequence[Folder]]
"""``train`` or ``val`` -> the folders of that name, the best first."""


@dataclass(frozen=True, slots=True)
class FairFaceImage:
    """One labelled image. ``id``: as the table names it, ``val/1.jpg``; ``gender`` and ``race``: indices into
    ``GENDERS`` and ``FAIRFACE_RACES``; the age lies between ``age_low`` and ``age_high`` years, both included."""

    id: str
    file: Path
    split: str
    age_low: int
    age_high: int
    gender: int
    race: int


def list_fairface(data_dir: Path) -> tuple[tuple[FairFaceImage, ...], tuple[Rejected, ...]]:
    """List the labelled images of FairFace in ``data_dir``, at most a few folders down, and the rows left out.

    Raises ``DatasetError`` if there is no table or no row that can be used.
    """
    data_dir = Path(data_dir)
    tables, sides = _find(data_dir)
    if not tables:
        raise DatasetError(f"no FairFace in {data_dir}: {_EXPECTED}")
    images: dict[str, FairFaceImage] = {}
    rejected: list[Rejected] = []
    for table in tables:
        for row in read_table(table, _LABELS, _EXPECTED):
            image = _parse(row, sides)
            if isinstance(image, str):
                rejected.append(Rejected(row["file"], image))
            elif image.id in images:
                rejected.append(Rejected(image.id, "name occurs twice"))
            else:
                images[image.id] = image
    if not images:
        raise DatasetError(f"no usable row in {tables[0]}: {describe_rejected(rejected) or 'it is empty'}; {_EXPECTED}")
    return tuple(images.values()), tuple(rejected)


def read_fairface(data_dir: Path, image_size: int, names: Iterable[str] | None = None) -> Dataset:
    """Read FairFace from ``data_dir``, resized to ``image_size`` by area.

    ``names``: the ids to read, in this order (default: all, in the order of the tables; a gigabyte at 92 pixels).
    Labels: ``age_low``, ``age_high`` (years), ``gender``, ``race`` and ``split`` as in ``FairFaceImage``. Images are
    (image_size, image_size, 3) BGR. Raises ``DatasetError`` if no usable image is found.
    """
    listed, rejected_rows = list_fairface(data_dir)
    by_id = {image.id: image for image in listed}
    readers = {image.id: partial(read_fairface_image, image.file) for image in listed}
    images, rejected = read_resized(by_id if names is None else dict.fromkeys(names), readers, image_size)
    if names is None:
        rejected = [*rejected_rows, *rejected]
    if not images:
        raise DatasetError(f"no usable image in {data_dir}: {describe_rejected(rejected)}; {_EXPECTED}")
    found = [by_id[name] for name in images]
    labels: dict[str, NDArray] = {
        name: np.array([getattr(image, name) for image in found], np.int64)
        for name in ("age_low", "age_high", "gender", "race")
    }
    labels["split"] = np.array([image.split for image in found])
    files = {image.id: image.file for image in found}
    samples = Samples(np.array(list(images)), np.stack(list(images.values())), labels)
    return Dataset("fairface", samples, tuple(rejected), files)


def _find(data_dir: Path) -> tuple[list[Path], Sides]:
    """Find the tables, all in one folder, and the folders of images."""
    tables: list[Path] = []
    sides: dict[str, list[Folder]] = {side: [] for side in _FOLDER_SPLITS}
    for folder in walk_folders(data_dir, first="fairface"):
        if folder.path.name in sides:
            sides[folder.path.name].append(folder)
        if not tables:
            csvs = (folder.path / name for name in folder.files if name.lower().endswith(".csv"))
            tables = [file for file in csvs if _is_table(set(read_columns(file)))]
    for folders in sides.values():
        folders.sort(key=lambda folder: ("fairface" not in str(folder.path).lower(), "125" in folder.path.parent.name))
    return tables, sides


def _is_table(columns: set[str]) -> bool:
    return columns >= _LABELS and ("age" in columns or {"age_low", "age_high"} <= columns)


def _parse(row: Mapping[str, str], sides: Sides) -> FairFaceImage | str:
    """Parse one row of a table, or return the reason why it cannot be used."""
    side, _, name = row["file"].partition("/")
    split = row.get("split") or _FOLDER_SPLITS.get(side, "")
    age = row.get("age") or "-".join(_ages_of(row))
    bracket = _BRACKET.fullmatch(age)
    gender, race = _GENDER_INDICES.get(row["gender"].lower()), _RACE_INDICES.get(row["race"].lower())
    if side not in sides:
        return "file is not in train/ or val/"
    if split not in FAIRFACE_SPLITS:
        return f"unknown split {split}"
    if bracket is None and age.lower() not in _OLDEST:
        return f"unknown age bracket {age}"
    if gender is None:
        return f"unknown gender {row['gender']}"
    if race is None:
        return f"unknown race {row['race']}"
    folder = next((folder for folder in sides[side] if name in folder), None)
    if folder is None:
        return "not in this copy of the data set"
    low, high = (int(bracket["low"]), int(bracket["high"])) if bracket else (70, MAX_AGE)
    return FairFaceImage(row["file"], folder.path / name, split, low, high, gender, race)


def _ages_of(row: Mapping[str, str]) -> Iterator[str]:
    # The oldest bracket has no end.
    yield row.get("age_low", "")
    yield row.get("age_high") or str(MAX_AGE)


def read_fairface_image(file: Path) -> NDArray[np.uint8] | str:
    """Read an image with the small margin, or return the reason why it cannot be used."""
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        return "unreadable image"
    if image.shape[:2] == (LARGE_MARGIN_SIZE, LARGE_MARGIN_SIZE):
        start = (LARGE_MARGIN_SIZE - _CUT) // 2
        image = image[start : start + _CUT, start : start + _CUT]
    elif image.shape[:2] != (SMALL_MARGIN_SIZE, SMALL_MARGIN_SIZE):
        return f"size is neither {SMALL_MARGIN_SIZE}x{SMALL_MARGIN_SIZE} nor {LARGE_MARGIN_SIZE}x{LARGE_MARGIN_SIZE}"
    return np.asarray(image, np.uint8)

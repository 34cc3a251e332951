"""Labelled photographs of other data sets, in which the detector has to find the face first: the photo splits of tasks.

FairFace: the first 2,500 images of its official validation side, with the small margin. All-Age-Faces: the rows ``val``
of its table ``labels.csv`` with the columns file, split, age, gender. Both are for reporting only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.copies import list_folder, read_table
from core.datasets.fairface import list_fairface, read_fairface_image
from core.datasets.samples import Dataset, Rejected, Samples, describe_rejected, read_resized
from core.errors import DatasetError
from core.tasks import ALL_AGE_FACES, FAIRFACE
from core.types import GENDERS

_FAIRFACE_IMAGES = 2500
_FOLDERS = {FAIRFACE.name: "fairface", ALL_AGE_FACES.name: "aaf"}
_AAF_LABELS = {"file", "split", "age", "gender"}
_GENDERS = {str(gender): index for index, gender in enumerate(GENDERS)}
_EXPECTED_AAF = "expected DIR/aaf/labels.csv with the columns file, split, age, gender"


@dataclass(frozen=True, slots=True)
class Photograph:
    """``labels``: as in ``core.evaluation.predictions.Predictions``, with ``age_low`` (years) where a bracket is known;
    ``read`` returns (H, W, 3) uint8 BGR or why there is no such image."""

    id: str
    labels: Mapping[str, int]
    read: Callable[[], NDArray[np.uint8] | str]


Listed = tuple[list[Photograph], list[Rejected]]


def list_photographs(split: str, data_dir: Path) -> Listed:
    """List the labelled photographs of a photo split by name, and the rows of its table that cannot be used.

    Raises ``DatasetError`` where ``data_dir`` lacks them.
    """
    return {FAIRFACE.name: _list_fairface, ALL_AGE_FACES.name: _list_all_age_faces}[split](Path(data_dir))


def read_photographs(split: str, data_dir: Path, ids: Iterable[str], image_size: int) -> Dataset:
    """Read the photographs ``ids`` as (N, image_size, image_size, 3) BGR, resized by area, whatever their shape was.

    Raises ``DatasetError`` if none is found.
    """
    readers = {photograph.id: photograph.read for photograph in list_photographs(split, data_dir)[0]}
    images, rejected = read_resized(ids, readers, image_size)
    if not images:
        raise DatasetError(f"no usable image in {data_dir}: {describe_rejected(rejected)}")
    return Dataset(split, Samples(np.array(list(images)), np.stack(list(images.values())), {}), tuple(rejected))


def has_photographs(split: str, data_dir: Path) -> bool:
    """Return whether ``data_dir`` seems to hold the data set of a photo split, judged by names of folders only."""
    return _FOLDERS[split] in map(str.lower, list_folder(Path(data_dir)).folders)


def _list_fairface(data_dir: Path) -> Listed:
    images, rejected = list_fairface(data_dir)
    wanted = {f"val/{number}.jpg" for number in range(1, _FAIRFACE_IMAGES + 1)}
    found = [image for image in images if image.split == "test" and image.id in wanted]
    if not found:
        raise DatasetError(f"{data_dir} has no FairFace images val/1.jpg to val/{_FAIRFACE_IMAGES}.jpg")
    photographs = [
        Photograph(
            image.id,
            {"age_low": image.age_low, "gender": image.gender, "fairface_race": image.race},
            partial(read_fairface_image, image.file),
        )
        for image in found
    ]
    return photographs, [row for row in rejected if row.where in wanted]


def _list_all_age_faces(data_dir: Path) -> Listed:
    folder = data_dir / "aaf"
    if not (folder / "labels.csv").is_file():
        raise DatasetError(f"no All-Age-Faces in {data_dir}: {_EXPECTED_AAF}")
    photographs, rejected = [], []
    for row in read_table(folder / "labels.csv", _AAF_LABELS, _EXPECTED_AAF):
        name, age, gender = row["file"], row["age"], row["gender"]
        if row["split"] != "val":
            continue
        if not re.fullmatch("[0-9]{1,3}", age):
            rejected.append(Rejected(name, f"unknown age {age}"))
        elif gender not in _GENDERS:
            rejected.append(Rejected(name, f"unknown gender {gender}"))
        else:
            labels = {"age": int(age), "gender": _GENDERS[gender]}
            photographs.append(Photograph(name, labels, partial(_read_image, folder / name)))
    return photographs, rejected


def _read_image(file: Path) -> NDArray[np.uint8] | str:
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    return "unreadable image" if image is None else np.asarray(image, np.uint8)

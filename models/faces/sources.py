"""The labelled face images that age and perceived gender are learnt from, as one list over four data sets.

UTKFace and FairFace are squares in which the face has one place. All-Age-Faces and APPA-REAL are photographs with a
table ``labels.csv``: the columns ``file``, ``split`` and ``age``, and where known ``gender`` and landmarks; without
landmarks they are searched by a detector.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.fairface import FAIRFACE_RACES, list_fairface
from core.datasets.samples import hash_position
from core.datasets.splits import load_utkface
from core.errors import DatasetError
from core.types import GENDERS, MAX_AGE
from models.cli import report_left_out, report_rejected

SOURCES = ("utkface", "fairface", "aaf", "appa_real")
"""Data sets. All but the first may be missing."""
FRAMED = ("utkface", "fairface")
"""Sources whose images are squares with the face in one place."""
UNKNOWN = -1
"""Of a gender or group that has no label."""
_VALIDATION_SHARE = {"fairface": 0.05, "aaf": 0.1, "appa_real": 0.1}
_TABLES = {"aaf": ("train",), "appa_real": ("train", "val")}
"""Data set with a table -> the splits of it that are learnt from."""
_LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
_SMALL_PX = 80


@dataclass(frozen=True)
class LabelledFace:
    """One image. ``split``: train, validation, or test for those that nothing is learnt from or chosen by.

    The age is a whole number of years between ``age_low`` and ``age_high``, both included. ``gender``: index into
    ``GENDERS``. ``group``: race as the data set names it, empty if unknown. ``landmarks``: (5, 2) in pixels.
    """

    source: str
    name: str
    file: Path
    split: str
    age_low: int
    age_high: int
    gender: int = UNKNOWN
    group: str = ""
    landmarks: NDArray[np.float64] | None = None


def list_faces(data_dir: Path) -> list[LabelledFace]:
    """List the faces of all sources in ``data_dir``.

    Raises ``DatasetError`` if UTKFace is missing or a row of a table is wrong.
    """
    faces = list(_list_utkface(data_dir))
    if any((data_dir / name).is_dir() for name in ("fairface", "FairFace")):
        faces += _list_fairface(data_dir)
    for source in _TABLES:
        if (data_dir / source / "labels.csv").is_file():
            faces += _list_table(data_dir / source, source)
    return faces


def _list_utkface(data_dir: Path) -> Iterator[LabelledFace]:
    # Groups of near-duplicates decide about the split, so the images are read, as small as possible.
    data = load_utkface(data_dir, _SMALL_PX)
    report_left_out(data)
    for split, samples in data.splits.items():
        labels = zip(*(samples.labels[name].tolist() for name in ("age", "gender", "race")), strict=True)
        for name, (age, gender, race) in zip(samples.ids.tolist(), labels, strict=True):
            years = min(age, MAX_AGE)
            yield LabelledFace("utkface", name, data.files[name], split, years, years, gender, f"utkface {race}")


def _list_fairface(data_dir: Path) -> Iterator[LabelledFace]:
    images, rejected = list_fairface(data_dir)
    report_rejected(rejected)
    for image in images:
        split = hold_out("fairface", image.id) if image.split == "train" else "test"
        yield LabelledFace(
            "fairface",
            image.id,
            image.file,
            split,
            image.age_low,
            min(image.age_high, MAX_AGE),
            image.gender,
            FAIRFACE_RACES[image.race],
        )


def _list_table(folder: Path, source: str) -> Iterator[LabelledFace]:
    file = folder / "labels.csv"
    with file.open(newline="", encoding="utf-8") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=2):
            try:
                yield _parse(row, folder, source)
            except (KeyError, ValueError) as error:
                raise DatasetError(f"{file}, line {number} is not a labelled face: {error!r}") from error


def _parse(row: Mapping[str, str], folder: Path, source: str) -> LabelledFace:
    years = min(int(row["age"]), MAX_AGE)
    split = hold_out(source, row["file"]) if row["split"] in _TABLES[source] else "test"
    points = [float(row[f"{name}_{axis}"]) for name in _LANDMARKS for axis in "xy"] if "nose_x" in row else None
    return LabelledFace(
        source,
        row["file"],
        folder / row["file"],
        split,
        years,
        years,
        GENDERS.index(row["gender"]) if row.get("gender") else UNKNOWN,
        landmarks=None if points is None else np.array(points).reshape(5, 2),
    )


def hold_out(source: str, name: str) -> str:
    """Return ``validation`` for the training images that only judge, drawn by the hash of their names, or ``train``."""
    return "validation" if hash_position(f"{source}/{name}") < _VALIDATION_SHARE[source] else "train"

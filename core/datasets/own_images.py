"""Labelled photographs of the user, as a test set: from class folders, from names as in UTKFace, or from a table.

Table: a CSV file with the columns file and any of emotion, age, gender; only the images that it names count.
Otherwise a folder called as an emotion or a gender labels what is in it at any depth, and a name that begins with
``[age]_[gender]_`` (0 male, 1 female) labels its image. Labels that are missing are left open.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from core.datasets.copies import walk_folders
from core.datasets.fer2013 import parse_emotion
from core.datasets.samples import Rejected
from core.datasets.utkface import OLDEST_LABEL
from core.errors import DatasetError, UnreadableImageError
from core.io.search import NO_EXTENSION, is_image_name
from core.types import Emotion, Gender

_GENDERS = {
    **dict.fromkeys(("male", "males", "man", "men", "m", "0"), Gender.MALE),
    **dict.fromkeys(("female", "females", "woman", "women", "f", "1"), Gender.FEMALE),
}
_AGE_AND_GENDER = re.compile(r"(?P<age>\d{1,3})_(?P<gender>[01])[_.]")
_LABELS = ("emotion", "age", "gender")
_NO_LABELS = "table without the columns file and emotion, age or gender"
_EXPECTED = (
    "expected folders called as emotions or genders (happy/1.jpg, female/2.jpg), names that begin with age and gender "
    "(25_1_3.jpg), or a CSV file with the columns file and any of emotion, age, gender"
)


class NamedFile(Protocol):
    """A file on disk, in a ZIP file, or in memory; ``name``: path relative to the test set's folder, with ``/``."""

    @property
    def name(self) -> str: ...

    def getvalue(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class DiskFile:
    name: str
    path: Path

    def getvalue(self) -> bytes:
        """Read the contents. Raises ``UnreadableImageError``."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UnreadableImageError(f"{self.name} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One image of one person; labels that are not known are ``None``."""

    file: NamedFile
    emotion: Emotion | None = None
    age: int | None = None
    gender: Gender | None = None


@dataclass(frozen=True, slots=True)
class OwnImages:
    images: tuple[LabelledImage, ...]
    rejected: tuple[Rejected, ...]


def is_usable_name(name: str) -> bool:
    """Return whether a file may be part of a test set: an image, or a table."""
    return is_image_name(PurePosixPath(name).name) or name.lower().endswith(".csv")


def list_folder_files(folder: Path) -> tuple[list[DiskFile], tuple[Rejected, ...]]:
    """List the files of a folder that may be part of a test set, at any depth, and the others, without hidden ones.

    Raises ``DatasetError``.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder: {_EXPECTED}")
    files = sorted(
        (
            DiskFile((found.path / name).relative_to(folder).as_posix(), found.path / name)
            for found in walk_folders(folder, depth=None)
            for name in found.files
        ),
        key=lambda file: file.name,
    )
    others = tuple(Rejected(file.name, NO_EXTENSION) for file in files if not is_usable_name(file.name))
    return [file for file in files if is_usable_name(file.name)], others


def read_own_images(files: Sequence[NamedFile], left_out: Sequence[Rejected] = ()) -> OwnImages:
    """Find the labels of ``files``; nothing is decoded yet. ``left_out``: other files, which are rejected too.

    Raises ``DatasetError`` if no image has a label.
    """
    images = {file.name: file for file in files if is_image_name(PurePosixPath(file.name).name)}
    csv_files = [file for file in files if file.name.lower().endswith(".csv")]
    tables = {file.name: table for file in csv_files if (table := _read_table(file))}
    used = next(iter(tables), None)
    found = list(_label_by_name(images) if used is None else _label_by_table(images, tables[used]))
    found += [
        Rejected(file.name, "second table" if file.name in tables else _NO_LABELS)
        for file in csv_files
        if file.name != used
    ]
    labelled = tuple(entry for entry in found if isinstance(entry, LabelledImage))
    if not labelled:
        reasons = ", ".join(sorted({entry.reason for entry in found if isinstance(entry, Rejected)})) or "no images"
        raise DatasetError(f"no labelled image found ({reasons}): {_EXPECTED}")
    return OwnImages(labelled, (*left_out, *(entry for entry in found if isinstance(entry, Rejected))))


@dataclass(frozen=True, slots=True)
class _Table:
    """``folder``: of the CSV file, which the names in it are relative to; ``rows``: column -> text."""

    folder: PurePosixPath
    rows: list[dict[str, str]]


def _read_table(file: NamedFile) -> _Table | None:
    """Read a CSV file, or ``None`` if it has no labels of images."""
    text = file.getvalue().decode("utf-8-sig", errors="replace")
    heading = text.partition("\n")[0]
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise DatasetError(f"{file.name} is not CSV ({error}): {_EXPECTED}") from error
    columns = [cell.strip().lower() for cell in lines[0]] if lines else []
    if "file" not in columns or not set(columns) & set(_LABELS):
        return None
    rows = [dict(zip(columns, map(str.strip, cells), strict=False)) for cells in lines[1:] if cells]
    return _Table(PurePosixPath(file.name).parent, rows)


def _label_by_table(images: Mapping[str, NamedFile], table: _Table) -> Iterator[LabelledImage | Rejected]:
    unused = dict(images)
    for row in table.rows:
        written = row.get("file", "").replace("\\", "/")
        name = (table.folder / written).as_posix()
        if name not in images:
            yield Rejected(written or "row without a file", "in the table, but not among the images")
        elif name not in unused:
            yield Rejected(name, "second row about the same image")
        else:
            yield _parse_row(unused.pop(name), row)
    yield from (Rejected(name, "not in the table") for name in unused)


def _parse_row(file: NamedFile, row: Mapping[str, str]) -> LabelledImage | Rejected:
    emotion, age, gender = (row.get(label, "") for label in _LABELS)
    image = LabelledImage(file, parse_emotion(emotion), _parse_age(age), _GENDERS.get(gender.lower()))
    for label, text in zip(_LABELS, (emotion, age, gender), strict=True):
        if text and getattr(image, label) is None:
            return Rejected(file.name, f"unknown {label}: {text[:30]}")
    return image if emotion or age or gender else Rejected(file.name, "row without a label")


def _label_by_name(images: Mapping[str, NamedFile]) -> Iterator[LabelledImage | Rejected]:
    for name, file in images.items():
        path = PurePosixPath(name)
        # The innermost folder that is a class counts.
        emotion = next(filter(None, map(parse_emotion, reversed(path.parent.parts))), None)
        # A single letter or digit may be any folder's name.
        words = (part.lower() for part in reversed(path.parent.parts) if len(part) > 1)
        gender = next(filter(None, map(_GENDERS.get, words)), None)
        match = _AGE_AND_GENDER.match(path.name)
        age = _parse_age(match["age"]) if match else None
        if match and age is not None:
            gender = gender or _GENDERS[match["gender"]]
        if emotion is None and age is None and gender is None:
            folder = path.parent.name
            yield Rejected(name, f"unknown class folder: {folder}" if folder else "no label in its folder or name")
        else:
            yield LabelledImage(file, emotion, age, gender)


def _parse_age(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) and int(text) <= OLDEST_LABEL else None

"""Find and read data sets in users' copies: folders at any depth, tables with blanks, capitals or a byte order mark."""

from __future__ import annotations

import csv
import os
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from core.errors import DatasetError

IMAGE_ENDINGS = frozenset({".jpg", ".jpeg", ".png"})
_DEPTH = 3
"""Levels below the data folder that are searched: archives unpack to two or three folders inside each other."""
_LONGEST_FIELD = 1 << 20


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder: the names in it, sorted, without hidden ones."""

    path: Path
    folders: tuple[str, ...]
    files: tuple[str, ...]

    def __contains__(self, name: str) -> bool:
        """Whether it holds a file of this name."""
        row = bisect_left(self.files, name)
        return row < len(self.files) and self.files[row] == name


def walk_folders(root: Path, first: str = "", depth: int | None = _DEPTH) -> Iterator[Folder]:
    """Walk ``root`` and the folders at most ``depth`` levels below it, with ``None`` all; a linked one only once.

    They come level by level, and in each level first those whose names contain ``first``.
    """
    level, seen = [Path(root)], set()
    for _ in count() if depth is None else range(depth + 1):
        if not level:
            return
        below: list[Path] = []
        for path in level:
            if (target := path.resolve()) in seen:
                continue
            seen.add(target)
            folder = list_folder(path)
            yield folder
            below += [path / name for name in folder.folders]
        level = sorted(below, key=lambda path: first not in path.name.lower())


def list_folder(path: Path) -> Folder:
    """List one folder; one that does not exist or may not be read is empty."""
    names: dict[bool, list[str]] = {True: [], False: []}
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.name.startswith((".", "__MACOSX")):
                    names[entry.is_dir()].append(entry.name)
    except OSError:
        pass
    return Folder(path, tuple(sorted(names[True])), tuple(sorted(names[False])))


def read_columns(file: Path) -> tuple[str, ...]:
    """Read the names of the columns of a CSV file, in small letters and without blanks; none if it cannot be read."""
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            return _columns(stream.readline(_LONGEST_FIELD))[1]
    except OSError:
        return ()


def read_table(file: Path, required: Collection[str], expected: str) -> Iterator[dict[str, str]]:
    """Read a CSV file row by row, as column -> text without blanks around it, empty where a row is too short.

    Columns are in small letters. A byte order mark and ``;`` between the columns are accepted. Raises ``DatasetError``,
    which ends with ``expected``, if the file cannot be read or lacks one of the ``required`` columns.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            delimiter, columns = _columns(stream.readline(_LONGEST_FIELD))
            if missing := sorted(set(required) - set(columns)):
                raise DatasetError(
                    f"{file} lacks the columns {', '.join(missing)}, it has {', '.join(columns) or 'none'}: {expected}"
                )
            reader = csv.reader(stream, delimiter=delimiter)
            try:
                for fields in reader:
                    if fields:
                        row = dict.fromkeys(columns, "")
                        yield row | dict(zip(columns, (field.strip() for field in fields), strict=False))
            except csv.Error as error:
                # The heading is one more line before, the line in question one less.
                raise DatasetError(f"{file} is not CSV after line {reader.line_num} ({error}): {expected}") from error
    except OSError as error:
        raise DatasetError(f"{file} cannot be read ({error.strerror}): {expected}") from error


def _columns(heading: str) -> tuple[str, tuple[str, ...]]:
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    fields = next(csv.reader([heading], delimiter=delimiter), [])
    return delimiter, tuple(field.strip().lower() for field in fields)

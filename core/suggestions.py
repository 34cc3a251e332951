"""Suggestions by emotion and age, from an editable CSV table with the columns ``COLUMNS``.

``any`` matches everything; both ages are whole years and inclusive. Every matching row is a suggestion, in the order of
the table.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.io.export import remove_guard, to_csv
from core.labels import round_age
from core.types import EMOTIONS, MAX_AGE, Emotion, Face

TABLE_FILE = Path(__file__).with_name("suggestions.csv")
COLUMNS = ("emotion", "min_age", "max_age", "kind", "suggestion")
ANY = "any"
_MAX_AGE_DIGITS = 3
"""Python refuses to parse numbers of thousands of digits."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One row of the table. ``emotion`` is ``None`` for any; ages are whole years, inclusive."""

    emotion: Emotion | None
    min_age: int
    max_age: int
    kind: str
    text: str

    def __post_init__(self) -> None:
        if not 0 <= self.min_age <= self.max_age:
            raise ConfigError(f"ages must satisfy 0 <= min_age <= max_age, got {self.min_age} and {self.max_age}")
        if not self.kind or not self.text:
            raise ConfigError("kind and suggestion must not be empty")

    @property
    def fits_any_age(self) -> bool:
        return self.min_age == 0 and self.max_age >= MAX_AGE

    def matches(self, emotion: Emotion | None, years: float | None) -> bool:
        """Return whether the row applies. ``None`` means unknown and is matched by ``any`` only; ages are rounded."""
        if self.emotion is not None and self.emotion != emotion:
            return False
        return self.fits_any_age if years is None else self.min_age <= round_age(years) <= self.max_age


def suggest(emotion: Emotion | None, years: float | None, table: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Return the rows of ``table`` that match an emotion and an age in years."""
    return tuple(row for row in table if row.matches(emotion, years))


def suggest_for(face: Face, table: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Return the rows of ``table`` for a face, by its emotion, unless uncertain, and its age."""
    emotion = None if face.emotion is None or face.emotion.uncertain else face.emotion.label
    return suggest(emotion, None if face.age is None else face.age.years, table)


def load_table(path: Path = TABLE_FILE) -> tuple[Suggestion, ...]:
    """Read the table from a file. Raises ``ConfigError``, which names the file and the line."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"suggestions table {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"suggestions table {path} is not UTF-8 text. Save it as UTF-8 CSV.") from error
    return parse_table(text, str(path))


def parse_table(text: str, name: str = "suggestions table") -> tuple[Suggestion, ...]:
    """Parse CSV text; lines without any value are skipped. Raises ``ConfigError`` with the line number of the first
    invalid row."""
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="surplus", skipinitialspace=True)
    header = tuple(reader.fieldnames or ())
    if header != COLUMNS:
        raise ConfigError(f"{name}, line 1: the columns must be {','.join(COLUMNS)}; got {','.join(header) or 'none'}.")
    lines = ((f"{name}, line {reader.line_num}", _remove_guards(row)) for row in reader)
    return tuple(_suggestion(row, place) for place, row in lines if _is_filled(row))


def from_rows(rows: Iterable[Mapping[str, Any]], name: str = "suggestions table") -> tuple[Suggestion, ...]:
    """Parse edited rows with the keys of ``COLUMNS``; rows without any value are skipped.

    Raises ``ConfigError`` with the number, from 1, of the first invalid row.
    """
    filled = ((number, row) for number, row in enumerate(rows, start=1) if _is_filled(row))
    return tuple(_suggestion(row, f"{name}, row {number}") for number, row in filled)


def rows_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write edited rows, as for ``from_rows``, as CSV text for ``load_table``."""
    return to_csv([{column: _text(row.get(column)) for column in COLUMNS} for row in rows if _is_filled(row)], COLUMNS)


def to_rows(table: Sequence[Suggestion]) -> list[dict[str, str]]:
    """Invert ``from_rows``: text in every cell, with ``any`` for open ends."""
    return [
        {
            "emotion": row.emotion.value if row.emotion else ANY,
            "min_age": str(row.min_age) if row.min_age > 0 else ANY,
            "max_age": str(row.max_age) if row.max_age < MAX_AGE else ANY,
            "kind": row.kind,
            "suggestion": row.text,
        }
        for row in table
    ]


def _suggestion(row: Mapping[str, Any], place: str) -> Suggestion:
    if row.get("surplus"):
        raise ConfigError(f"{place}: more than {len(COLUMNS)} values. Put text that contains a comma in double quotes.")
    cells = {column: _text(row.get(column)) for column in COLUMNS}
    empty = [column for column, cell in cells.items() if not cell]
    if empty:
        raise ConfigError(f"{place}: {' and '.join(empty)} must not be empty; write {ANY} for every emotion or age.")
    try:
        return Suggestion(
            emotion=_emotion(cells["emotion"]),
            min_age=_age("min_age", cells["min_age"], 0),
            max_age=_age("max_age", cells["max_age"], MAX_AGE),
            kind=cells["kind"],
            text=cells["suggestion"],
        )
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}.") from error


def _is_filled(row: Mapping[str, Any]) -> bool:
    return any(map(_text, row.values()))


def _remove_guards(row: Mapping[str, Any]) -> dict[str, Any]:
    """Undo what ``rows_csv`` does to cells that a spreadsheet would run as a formula."""
    return {column: remove_guard(_text(cell)) if isinstance(cell, str) else cell for column, cell in row.items()}


def _text(value: object) -> str:
    """Return a cell as text; table editors use ``None`` or NaN for empty cells."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()


def _emotion(cell: str) -> Emotion | None:
    name = cell.lower()
    if name == ANY:
        return None
    if name not in EMOTIONS:
        raise ConfigError(f"emotion must be {', '.join(EMOTIONS)} or {ANY}, got {cell!r}")
    return Emotion(name)


def _age(column: str, cell: str, bound: int) -> int:
    if cell.lower() == ANY:
        return bound
    if not (cell.isascii() and cell.isdigit() and len(cell) <= _MAX_AGE_DIGITS):
        raise ConfigError(f"{column} must be a whole number of years or {ANY}, got {cell!r}")
    return int(cell)

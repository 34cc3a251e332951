"""Files beside the networks: written complete or not at all, and checked against the card when read.

``from_json`` and ``to_json`` turn frozen dataclasses into JSON and back, so that no report needs a reader of its own.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import types
import typing
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactCorruptError, ArtifactMissingError

T = TypeVar("T")
FileEntries = Mapping[str, Mapping[str, Any]]
"""File name -> its ``bytes`` and ``sha256``, as listed on a card."""
JSON_KEY = "json_key"
"""In a dataclass field's metadata: the field's name in JSON, where it differs from the attribute's."""

_DAMAGED_NPZ = (
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Yield a path beside ``file`` to write to; it replaces ``file`` unless the block raises."""
    file = Path(file)
    partial = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        yield partial
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def sha256_of(file: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's content."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def save_json(file: Path, content: Any, indent: int = 1) -> None:
    """Write a frozen dataclass, or anything that ``to_json`` accepts, as JSON."""
    text = json.dumps(to_json(content), allow_nan=False, indent=indent) + "\n"
    with replacing(file) as partial:
        partial.write_text(text, encoding="utf-8")


def load_json(file: Path, kind: type[T], advice: str) -> T:
    """Read a JSON file as ``kind``, see ``from_json``.

    Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file and ending with ``advice``.
    """
    if not Path(file).is_file():
        raise ArtifactMissingError(f"{file} is missing. {advice}")
    try:
        return from_json(kind, json.loads(Path(file).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ArtifactCorruptError(f"{file} cannot be used ({type(error).__name__}: {error}). {advice}") from error


def load_verified_json(file: Path, listed: FileEntries, kind: type[T], advice: str) -> T:
    """Read a JSON file as ``load_json`` does, after checking that its SHA-256 is the one in ``listed``."""
    check_listed(file, listed, advice)
    return load_json(file, kind, advice)


def check_listed(file: Path, listed: FileEntries, advice: str) -> None:
    """Compare a file's size and SHA-256 with those in ``listed``.

    Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file and ending with ``advice``.
    """
    file = Path(file)
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {advice}")
    if file.name not in listed:
        raise ArtifactCorruptError(f"{file} is not listed on the card. {advice}")
    entry = listed[file.name]
    try:
        size, sha256 = file.stat().st_size, sha256_of(file)
    except OSError as error:
        raise ArtifactCorruptError(f"{file} cannot be read ({error.strerror}). {advice}") from error
    if size != entry["bytes"]:
        raise ArtifactCorruptError(
            f"{file} is truncated or altered: {size} bytes instead of {entry['bytes']}. {advice}"
        )
    if sha256 != entry["sha256"]:
        raise ArtifactCorruptError(f"{file} does not match the SHA-256 on its card. {advice}")


def to_json(value: Any) -> Any:
    """Convert dataclasses, mappings and sequences to what ``json`` can write; NaN becomes ``None``."""
    if is_dataclass(value) and not isinstance(value, type):
        return {_key(item): to_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def from_json(kind: type[T], value: Any, where: str = "") -> T:
    """Build a ``kind`` from parsed JSON: the inverse of ``to_json``.

    ``kind`` may be a dataclass, ``Mapping[str, X]``, ``tuple[X, ...]``, ``tuple[X, Y]``, ``X | None``, ``Literal``,
    ``str``, ``bool``, ``int``, ``float`` or ``Any``. Numbers must be finite; ``None`` is NaN where a float is expected.
    Keys that the dataclass does not have are ignored; fields with a default may be absent.

    Raises ``ValueError``, saying where in ``value`` the first mistake is.
    """
    return typing.cast(T, _read(kind, value, where))


def save_npz(file: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name, compressed. Raises ``ValueError`` for an array that needs pickle."""
    with replacing(file) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def load_npz(file: Path) -> dict[str, NDArray[Any]]:
    """Read all arrays by name. Raises ``ValueError`` for a damaged archive, ``OSError`` for one that cannot be
    opened."""
    # Opened here: NumPy leaves a file open that turns out to be none of its own.
    with Path(file).open("rb") as stream:
        try:
            archive = np.load(stream, allow_pickle=False)
            return {name: archive[name] for name in archive.files}
        # An altered archive can fail at any layer: container, compression, array header. A single array has no files.
        except _DAMAGED_NPZ as error:
            raise ValueError(f"truncated, altered or no npz archive ({type(error).__name__}: {error})") from error


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _read(arguments[0], value, where)
    if origin is typing.Literal:
        _expect(value in arguments, f"one of {', '.join(map(str, arguments))}", value, where)
        return value
    if origin is tuple:
        return _read_tuple(arguments, value, where)
    if is_dataclass(kind):
        return _read_dataclass(kind, value, where)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _expect(isinstance(value, Mapping), "an object", value, where)
        return {str(key): _read(arguments[1], item, _inside(where, str(key))) for key, item in value.items()}
    if kind is float:
        _expect(value is None or _is_finite(value), "a finite number", value, where)
        return math.nan if value is None else value
    names = {str: "text", bool: "true or false", int: "a whole number"}
    if kind not in names:
        raise TypeError(f"no JSON form is known for {kind}")
    _expect(isinstance(value, kind) and (kind is bool or not isinstance(value, bool)), names[kind], value, where)
    return value


def _read_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list | tuple), "a list", value, where)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    _expect(len(value) == len(kinds), f"{len(kinds)} items", value, where)
    return tuple(_read(kinds[row], item, f"{where}[{row}]") for row, item in enumerate(value))


def _read_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, Mapping), "an object", value, where)
    hints = _type_hints(kind)
    arguments = {}
    for item in fields(kind):
        key = _key(item)
        if key in value:
            arguments[item.name] = _read(hints[item.name], value[key], _inside(where, key))
        elif item.default is MISSING and item.default_factory is MISSING:
            raise ValueError(f"{_inside(where, key)} is missing")
    return kind(**arguments)


@functools.cache
def _type_hints(kind: Any) -> dict[str, Any]:
    # They are compiled anew at each call: most of what reading a report of many rows would take.
    return typing.get_type_hints(kind)


def _expect(holds: bool, expected: str, value: Any, where: str) -> None:
    if not holds:
        raise ValueError(f"{where or 'the content'} must be {expected}, got {value!r:.100}")


def _is_finite(value: Any) -> bool:
    # Whole numbers beyond the range of float are no figures either.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _key(item: Field[Any]) -> str:
    return str(item.metadata.get(JSON_KEY, item.name))

"""NumPy archives that appear complete or not at all, and that say in one kind of error when they are damaged."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DAMAGED = (
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def save_npz(file: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write ``arrays``, none of which needs pickle, compressed."""
    file = Path(file)
    partial = file.with_name(file.name + ".partial")
    with partial.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    partial.replace(file)


def load_npz(file: Path) -> dict[str, NDArray[Any]]:
    """All arrays by name. Raises ``ValueError`` for a file that is no such archive, or a damaged one, and ``OSError``
    for one that cannot be opened."""
    # Opened here: NumPy leaves a file open that turns out to be none of its own.
    with Path(file).open("rb") as stream:
        try:
            archive = np.load(stream, allow_pickle=False)
            return {name: archive[name] for name in archive.files}
        # An altered archive can fail at any layer: container, compression, array header. A single array has no files.
        except _DAMAGED as error:
            raise ValueError(f"truncated, altered or no npz archive ({type(error).__name__}: {error})") from error

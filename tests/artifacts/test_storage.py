"""Archives of arrays, complete or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.artifacts.storage import load_npz, save_npz


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 0xFF
    file.write_bytes(bytes(content))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-30]),
    "empty": lambda file: file.write_bytes(b""),
    "an array": lambda file: (np.save(file.with_suffix(".npy"), np.zeros(3)), file.with_suffix(".npy").replace(file)),
    "compressed bytes altered": lambda file: flip(file, 60),
    "names altered": lambda file: file.write_bytes(file.read_bytes().replace(b"a/one", b"a/two", 1)),
}


def test_arrays_come_back(tmp_path: Path) -> None:
    arrays = {"a/one": np.arange(6, dtype=np.float32).reshape(2, 3), "ids": np.array(["x", "yz"])}
    save_npz(tmp_path / "some.npz", arrays)
    loaded = load_npz(tmp_path / "some.npz")
    assert list(loaded) == list(arrays)
    for name, values in arrays.items():
        assert loaded[name].dtype == values.dtype
        np.testing.assert_array_equal(loaded[name], values)
    assert [file.name for file in tmp_path.iterdir()] == ["some.npz"]


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_refused(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    file = tmp_path / "some.npz"
    save_npz(file, {"a/one": np.arange(1000)})
    damage(file)
    with pytest.raises(ValueError, match="truncated, altered"):
        load_npz(file)


def test_what_needs_pickle_is_neither_written_nor_read(tmp_path: Path) -> None:
    objects = np.array([{}], dtype=object)
    with pytest.raises(ValueError, match="allow_pickle"):
        save_npz(tmp_path / "some.npz", {"a": objects})
    assert not (tmp_path / "some.npz").exists()
    np.savez(tmp_path / "other.npz", a=objects)
    with pytest.raises(ValueError, match="truncated, altered"):
        load_npz(tmp_path / "other.npz")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_npz(tmp_path / "none.npz")

"""Files that appear complete or not at all, and readers that say what is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from core.artifacts.storage import (
    JSON_KEY,
    from_json,
    load_json,
    load_npz,
    load_verified_json,
    replacing,
    save_json,
    save_npz,
    sha256_of,
    to_json,
)
from core.errors import ArtifactCorruptError, ArtifactMissingError


@dataclass(frozen=True)
class Part:
    value: float
    n: int = 0


@dataclass(frozen=True)
class Whole:
    split: str = field(metadata={JSON_KEY: "side"})
    part: Part
    parts: tuple[Part, ...] = ()
    pair: tuple[float, float] | None = None
    by_name: Mapping[str, bool] = field(default_factory=dict)
    kind: Literal["all", "some"] = "all"
    rest: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.split:
            raise ValueError("a split needs a name")


WHOLE = Whole("test", Part(0.5, 3), (Part(1.0), Part(2.0)), (0.0, 1.0), {"a": True}, "some", {"x": [1]})
RAW = {"side": "test", "part": {"value": 1}}


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 0xFF
    file.write_bytes(bytes(content))


CORRUPTIONS: dict[str, Callable[[Path], object]] = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-30]),
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("<html>"),
    "an array": lambda file: (np.save(file.with_suffix(".npy"), np.zeros(3)), file.with_suffix(".npy").replace(file)),
    "compressed bytes altered": lambda file: flip(file, 60),
    "names altered": lambda file: file.write_bytes(file.read_bytes().replace(b"a/one", b"a/two", 1)),
}


def test_arrays_come_back(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_npz(tmp_path / "some.npz")
    arrays = {"a/one": np.arange(6, dtype=np.float32).reshape(2, 3), "ids": np.array(["x", "yz"])}
    save_npz(tmp_path / "some.npz", arrays)
    loaded = load_npz(tmp_path / "some.npz")
    assert list(loaded) == list(arrays)
    for name, values in arrays.items():
        assert loaded[name].dtype == values.dtype
        np.testing.assert_array_equal(loaded[name], values)
    assert [file.name for file in tmp_path.iterdir()] == ["some.npz"]


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_corrupt_archives_are_refused(tmp_path: Path, corrupt: Callable[[Path], object]) -> None:
    file = tmp_path / "some.npz"
    save_npz(file, {"a/one": np.arange(1000)})
    corrupt(file)
    with pytest.raises(ValueError, match="truncated, altered"):
        load_npz(file)


def test_what_needs_pickle_is_neither_written_nor_read(tmp_path: Path) -> None:
    objects = np.array([{}], dtype=object)
    with pytest.raises(ValueError, match="allow_pickle"):
        save_npz(tmp_path / "some.npz", {"a": objects})
    assert not list(tmp_path.iterdir())
    np.savez(tmp_path / "other.npz", a=objects)
    with pytest.raises(ValueError, match="truncated, altered"):
        load_npz(tmp_path / "other.npz")


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_text("old")

    def write() -> None:
        with replacing(file) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"some.txt": "old"}


def test_dataclasses_come_back_from_json(tmp_path: Path) -> None:
    file = tmp_path / "whole.json"
    save_json(file, WHOLE)
    assert json.loads(file.read_text())["side"] == "test"
    assert load_json(file, Whole, "") == WHOLE
    assert [path.name for path in tmp_path.iterdir()] == ["whole.json"]


def test_null_is_nan_and_absent_fields_have_their_default() -> None:
    part = from_json(Part, {"value": None, "unknown": "ignored"})
    assert math.isnan(part.value)
    assert part.n == 0
    assert to_json(part) == {"value": None, "n": 0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": 3}, r"side must be text, got 3"),
        ({"side": ""}, r"a split needs a name"),
        ({"part": {}}, r"part\.value is missing"),
        ({"part": []}, r"part must be an object"),
        ({"part": {"value": True}}, r"part\.value must be a finite number"),
        ({"part": {"value": 1e400}}, r"part\.value must be a finite number"),
        ({"part": {"value": 1, "n": 1.5}}, r"part\.n must be a whole number"),
        ({"part": {"value": 1, "n": False}}, r"part\.n must be a whole number"),
        ({"parts": {}}, r"parts must be a list"),
        ({"parts": [{"value": 1}, {"value": "x"}]}, r"parts\[1\]\.value must be a finite number"),
        ({"pair": [1]}, r"pair must be 2 items"),
        ({"by_name": {"a": 1}}, r"by_name\.a must be true or false"),
        ({"kind": "none"}, r"kind must be one of all, some, got 'none'"),
        ({"rest": None}, r"rest must be an object"),
    ],
    ids=str,
)
def test_the_first_invalid_value_is_named(changes: dict[str, Any], message: str) -> None:
    assert from_json(Whole, RAW).part == Part(1.0)
    with pytest.raises(ValueError, match=message):
        from_json(Whole, RAW | changes)


def test_a_type_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        from_json(set, [])


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"value": "many"}'])
def test_a_file_that_cannot_be_read_ends_with_advice(tmp_path: Path, text: str) -> None:
    file = tmp_path / "part.json"
    file.write_text(text)
    with pytest.raises(ArtifactCorruptError, match=r"part\.json cannot be used .*\. Do this\."):
        load_json(file, Part, "Do this.")
    file.unlink()
    with pytest.raises(ArtifactMissingError, match=r"part\.json is missing\. Do this\."):
        load_json(file, Part, "Do this.")


def test_only_the_listed_content_is_read(tmp_path: Path) -> None:
    file = tmp_path / "part.json"
    save_json(file, Part(1.0))
    listed = {file.name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)}}
    assert load_verified_json(file, listed, Part, "") == Part(1.0)
    with pytest.raises(ArtifactCorruptError, match=r"not listed on the card\. Do this\."):
        load_verified_json(file, {}, Part, "Do this.")
    file.write_text(file.read_text().replace("1.0", "2.0"))
    with pytest.raises(ArtifactCorruptError, match=r"does not match the SHA-256 on its card\. Do this\."):
        load_verified_json(file, listed, Part, "Do this.")
    file.write_text("{}")
    with pytest.raises(ArtifactCorruptError, match=r"truncated or altered: 2 bytes instead of \d+\. Do this\."):
        load_verified_json(file, listed, Part, "Do this.")
    file.unlink()
    with pytest.raises(ArtifactMissingError, match=r"missing\. Do this\."):
        load_verified_json(file, listed, Part, "Do this.")

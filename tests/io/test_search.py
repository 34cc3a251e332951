from __future__ import annotations

import os
from pathlib import Path, PurePath

import pytest

from core.io.search import find_images, unique_paths


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    names = ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "._a.png", "sub/c.webp", "sub/deep/d.tif", ".git/e.jpg")
    for name in names:
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


def found(*arguments: str, recursive: bool = False, skip: Path | None = None) -> list[str]:
    return [PurePath(file.path).as_posix() for file in find_images(arguments, recursive, skip).files]


@pytest.mark.parametrize(
    ("arguments", "recursive", "expected"),
    [
        (["photos"], False, ["photos/a.png", "photos/b.JPG"]),
        (["photos"], True, ["photos/a.png", "photos/b.JPG", "photos/sub/c.webp", "photos/sub/deep/d.tif"]),
        (["photos/*.png", "photos/s*"], False, ["photos/a.png", "photos/sub/c.webp"]),
        (["photos/**/*.tif"], True, ["photos/sub/deep/d.tif"]),
        (["absent.jpg", "photos/notes.txt"], False, ["absent.jpg", "photos/notes.txt"]),
        (["photos/b.JPG", "photos", "photos/b.JPG"], False, ["photos/b.JPG", "photos/a.png"]),
    ],
    ids=["folder", "recursive", "pattern", "pattern of any depth", "files of any name", "each file once"],
)
def test_files_of_arguments(folder: Path, arguments: list[str], recursive: bool, expected: list[str]) -> None:
    assert found(*arguments, recursive=recursive) == expected


def test_name_that_looks_like_a_pattern(folder: Path) -> None:
    (folder / "a[1].jpg").touch()
    assert found("a[1].jpg") == ["a[1].jpg"]


def test_skipped_folder(folder: Path) -> None:
    assert found("photos", recursive=True, skip=Path("photos/sub")) == ["photos/a.png", "photos/b.JPG"]


def test_relative_path_is_below_the_searched_folder(folder: Path) -> None:
    files = find_images(["photos", "empty/x.jpg"], recursive=True).files
    assert [file.relative.as_posix() for file in files] == ["a.png", "b.JPG", "sub/c.webp", "sub/deep/d.tif", "x.jpg"]


def test_what_is_left_out_is_told(folder: Path) -> None:
    search = find_images(["photos", "empty", "*.bmp"])
    assert search.notes == (
        "photos: left out 1 file without an image's extension",
        "empty holds no images; --recursive searches its subfolders too",
        "no file matches *.bmp",
    )


def test_unique_paths() -> None:
    paths = [PurePath(name) for name in ("a.jpg", "A.jpg", "a (2).jpg", "b/a.jpg", "a.jpg")]
    names = [path.as_posix() for path in unique_paths(paths)]
    assert names == ["a.jpg", "A (2).jpg", "a (2) (2).jpg", "b/a.jpg", "a (3).jpg"]
    assert len({os.path.normcase(name) for name in names}) == len(paths)

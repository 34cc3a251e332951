"""Find image files by path, folder or pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from core.io.images import EXTENSIONS
from core.labels import pluralize

NO_EXTENSION = "without an image's extension"
"""Why a file is left out."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """``path``: as the user wrote it, or below the folder that was searched. ``relative``: the part below it."""

    path: str
    relative: PurePath


@dataclass(frozen=True, slots=True)
class Search:
    """The files, each once, in the order of the arguments and by name within a folder. ``notes``: what was left out."""

    files: tuple[FoundFile, ...]
    notes: tuple[str, ...]


def is_image_name(name: str) -> bool:
    """Return whether a file's name has an image's extension and is not hidden, as are copies of metadata by macOS."""
    return PurePath(name).suffix[1:].lower() in EXTENSIONS and not PurePath(name).name.startswith(".")


def find_images(arguments: Sequence[str], recursive: bool = False, skip: Path | None = None) -> Search:
    """Find the files that ``arguments`` name: files, folders, and patterns such as ``photos/*.jpg``.

    Files count whatever their name, also absent ones; in folders only image names do. ``recursive`` searches the
    folders inside folders, and lets ``**`` match them in patterns; ``skip`` is a folder that is left out.
    """
    found: dict[str, FoundFile] = {}
    notes: list[str] = []
    for argument in _expand(arguments, recursive, notes):
        if not Path(argument).is_dir():
            found.setdefault(argument, FoundFile(argument, PurePath(PurePath(argument).name)))
            continue
        names = list(_walk(argument, recursive, skip))
        images = [name for name in names if is_image_name(name)]
        if len(images) < len(names):
            others = pluralize(len(names) - len(images), "file")
            notes.append(f"{argument}: left out {others} {NO_EXTENSION}")
        if not images:
            hint = "" if recursive else "; --recursive searches its subfolders too"
            notes.append(f"{argument} holds no images{hint}")
        for name in images:
            path = str(Path(argument, name))
            found.setdefault(path, FoundFile(path, PurePath(name)))
    return Search(tuple(found.values()), tuple(notes))


def unique_paths(paths: Iterable[PurePath]) -> Iterator[PurePath]:
    """Yield ``paths``, numbered where one was there before, also if only capitals differ."""
    used: set[str] = set()
    for path in paths:
        candidate, number = path, 1
        while str(candidate).casefold() in used:
            number += 1
            candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
        used.add(str(candidate).casefold())
        yield candidate


def _expand(arguments: Sequence[str], recursive: bool, notes: list[str]) -> Iterator[str]:
    """Replace patterns, which some shells do not expand, by what they match."""
    for argument in arguments:
        if not glob.has_magic(argument) or os.path.lexists(argument):
            yield argument
            continue
        matches = sorted(glob.glob(argument, recursive=recursive))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            notes.append(f"no file matches {argument}")
        yield from matches


def _walk(folder: str, recursive: bool, skip: Path | None) -> Iterator[str]:
    """Yield the names of files below ``folder``, relative to it, without hidden ones."""
    skipped = skip and skip.resolve()
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if recursive and not name.startswith(".") and Path(parent, name).resolve() != skipped
        )
        for name in sorted(files):
            if not name.startswith("."):
                yield str(Path(parent, name).relative_to(folder))

"""The photographs that the detector learns from: which files, of which split, with which annotations."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import assign_faces_split
from core.datasets.fairface import list_fairface
from core.datasets.samples import hash_position
from core.datasets.splits import load_utkface
from models.cli import report_left_out, report_rejected

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """``zooms``: of the views that pseudo-labels are the mean of; ``max_files``: of its training split."""

    longest_side_px: int
    zooms: tuple[float, ...] = (1.0, 0.6)
    max_files: int | None = None


SOURCES = {
    "groups": Source(448, (1.0, 1.6)),
    "fairface": Source(224, max_files=12_000),
    "utkface": Source(200, max_files=5_000),
    "aaf": Source(320),
    "natural": Source(384, (1.0,)),
}
"""Beside ``faces``, whose pseudo-labels are part of the data set. ``natural`` shows anything but people."""
FAIRFACE_VALIDATION, UTKFACE_VALIDATION = 500, 300
AAF_LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
THUMBNAIL_PX = 80
_GROUPS_TEST_EVERY = 5


@dataclass(frozen=True)
class PhotoFile:
    """``boxes`` (N, 4) are by people, ``landmarks`` (5, 2) those of a portrait's face, by its data set."""

    path: Path
    source: str
    split: str
    boxes: Floats | None = None
    landmarks: Floats | None = None


def list_files(data_dir: Path, natural: Path | None, limit: int | None = None) -> list[PhotoFile]:
    """List the files of ``SOURCES`` in the training and validation splits, at most ``limit`` per source and split."""
    files = [*_groups(data_dir), *_fairface(data_dir), *_utkface(data_dir), *_aaf(data_dir)]
    for number, path in enumerate(sorted(natural.glob("*.JPEG")) if natural else ()):
        files.append(PhotoFile(path, "natural", "validation" if number % 10 == 0 else "train"))
    taken: Counter[tuple[str, str]] = Counter()
    listed = []
    for file in files:
        taken[file.source, file.split] += 1
        if limit is None or taken[file.source, file.split] <= limit:
            listed.append(file)
    return listed


def test_thumbnails(data_dir: Path) -> Iterator[Image]:
    """Read every photograph of a test split, small, to compare the others with."""
    paths = [path for path in (data_dir / "faces" / "images").glob("*.jpg") if assign_faces_split(path.name) == "test"]
    paths += _group_paths(data_dir)[::_GROUPS_TEST_EVERY]
    paths += (data_dir / "fairface" / "val").glob("*.jpg")
    paths += [data_dir / "aaf" / row["file"] for row in _rows(data_dir / "aaf" / "labels.csv", "val")]
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2)
        if image is not None:
            yield shrink(np.asarray(image, np.uint8), THUMBNAIL_PX)


def shrink(image: Image, longest_side_px: int) -> Image:
    """Reduce (H, W, 3) to a longer side of at most ``longest_side_px``."""
    zoom = longest_side_px / max(image.shape[:2])
    if zoom >= 1:
        return image
    width, height = (max(1, round(side * zoom)) for side in image.shape[1::-1])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _groups(data_dir: Path) -> Iterator[PhotoFile]:
    """By the order of names, every fifth is for the test, and the one after it in every 20 for validation."""
    boxes: dict[str, list[list[float]]] = {}
    for row in _rows(data_dir / "groups" / "boxes.csv"):
        boxes.setdefault(row["file"], []).append([float(row[name]) for name in ("x1", "y1", "x2", "y2")])
    for position, path in enumerate(_group_paths(data_dir)):
        if position % _GROUPS_TEST_EVERY:
            split = "validation" if position % 20 == 1 else "train"
            yield PhotoFile(path, "groups", split, np.array(boxes.get(path.name, ()), np.float64).reshape(-1, 4))


def _fairface(data_dir: Path) -> Iterator[PhotoFile]:
    listed, rejected = list_fairface(data_dir)
    report_rejected(rejected)
    images = [image for image in listed if image.split == "train"]
    images.sort(key=lambda image: hash_position(image.id))
    for number, image in enumerate(images[: SOURCES["fairface"].max_files]):
        yield PhotoFile(image.file, "fairface", "validation" if number < FAIRFACE_VALIDATION else "train")


def _utkface(data_dir: Path) -> Iterator[PhotoFile]:
    data = load_utkface(data_dir, THUMBNAIL_PX)
    report_left_out(data)
    for split, count in (("train", SOURCES["utkface"].max_files), ("validation", UTKFACE_VALIDATION)):
        for name in sorted(data.splits[split].ids.tolist(), key=hash_position)[:count]:
            yield PhotoFile(data.files[name], "utkface", split)


def _aaf(data_dir: Path) -> Iterator[PhotoFile]:
    for row in _rows(data_dir / "aaf" / "labels.csv", "train"):
        landmarks = np.array([[float(row[f"{name}_{axis}"]) for axis in "xy"] for name in AAF_LANDMARKS])
        split = "validation" if hash_position(row["file"]) < 0.05 else "train"
        yield PhotoFile(data_dir / "aaf" / row["file"], "aaf", split, landmarks=landmarks)


def _group_paths(data_dir: Path) -> list[Path]:
    return sorted((data_dir / "groups" / "images").glob("*.webp"))


def _rows(file: Path, split: str | None = None) -> Iterator[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        yield from (row for row in csv.DictReader(stream) if split is None or row["split"] == split)

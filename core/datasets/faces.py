"""Photographs with annotated faces, for training and evaluating the detector.

``DIR/faces/images/*.jpg`` with three tables: ``landmarks.csv`` (eyes, nose and mouth, annotated by people),
``mask_boxes.csv`` (tight boxes, annotated by people) and ``boxes.csv`` (pseudo-labels: boxes, five landmarks and scores
of YuNet). Left and right are the viewer's here; ``boxes.csv`` names the subject's left and right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.copies import list_folder, read_table
from core.datasets.near_duplicates import near_duplicate_pairs
from core.datasets.samples import Rejected, describe_rejected, fingerprint, hash_position, subsample
from core.detection.base import FaceArrays
from core.errors import DatasetError

FACES_SPLITS = ("train", "validation", "test")
_EXPECTED = "expected DIR/faces/ with images/*.jpg, landmarks.csv, mask_boxes.csv and boxes.csv"
_BOX = ("x", "y", "w", "h")
_LANDMARKS = ("left_eye", "right_eye", "nose", "mouth")
_PSEUDO_LANDMARKS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
_COLUMNS = {
    "landmarks": [f"{name}_{axis}" for name in _LANDMARKS for axis in "xy"],
    "mask_boxes": _BOX,
    "boxes": [*_BOX, "score", *(f"{name}_{axis}" for name in _PSEUDO_LANDMARKS for axis in "xy")],
}
"""Table -> the columns that are read, beside ``file``."""

Rows = Mapping[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Annotations:
    """What is annotated on one image, in its pixels: ``landmarks`` (N, 4, 2), left eye, right eye, nose and centre of
    the mouth, and ``boxes`` (K, 4) as x1, y1, x2, y2 by people; ``pseudo_labels`` by YuNet."""

    id: str
    resolution_wh: tuple[int, int]
    landmarks: NDArray[np.float64]
    boxes: NDArray[np.float64]
    pseudo_labels: FaceArrays


@dataclass(frozen=True)
class FacePhoto:
    """A photograph, ``image`` (H, W, 3) uint8 BGR, with its annotations."""

    image: NDArray[np.uint8]
    annotations: Annotations

    @property
    def id(self) -> str:
        return self.annotations.id


@dataclass(frozen=True)
class FacePhotos:
    """Photographs by split, and the files that were left out and why."""

    splits: Mapping[str, tuple[FacePhoto, ...]]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...] = ()

    def limit(self, count: int) -> FacePhotos:
        """Take at most ``count`` photographs of each split, always the same ones."""
        splits = {name: tuple(photos[row] for row in subsample(photos, count)) for name, photos in self.splits.items()}
        return replace(self, splits=splits)

    def metadata(self) -> dict[str, Any]:
        """Describe the data for a run or a card."""
        return {
            "samples": {split: len(photos) for split, photos in self.splits.items()},
            "fingerprints": {split: fingerprint(photo.id for photo in photos) for split, photos in self.splits.items()},
            "rejected": len(self.rejected),
        }


def assign_faces_split(file_name: str) -> str:
    """Return the split of a photograph by the hash of its name: 85 % train, 5 % validation, 10 % test."""
    position = hash_position(file_name)
    return "train" if position < 0.85 else "validation" if position < 0.9 else "test"


def load_faces(data_dir: Path, only: str | None = None) -> FacePhotos:
    """Read the photographs of ``data_dir/faces`` and split them; with ``only`` just one split.

    Raises ``DatasetError`` when nothing usable is found.
    """
    folder = Path(data_dir) / "faces"
    tables = {name: _rows(folder / f"{name}.csv", columns) for name, columns in _COLUMNS.items()}
    splits: dict[str, list[FacePhoto]] = {split: [] for split in FACES_SPLITS}
    files = list_folder(folder / "images").files
    # Of a copy without some of its images, the boxes would otherwise be missed without a word.
    rejected = [
        Rejected(name, "annotated, but not in images/")
        for name in sorted(set().union(*tables.values()) - set(files))
        if only in (None, assign_faces_split(name))
    ]
    for path in (folder / "images" / name for name in files):
        split = assign_faces_split(path.name)
        if only is not None and split != only:
            continue
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            rejected.append(Rejected(path.name, "unreadable image"))
            continue
        try:
            splits[split].append(_photo(path.name, np.asarray(image, np.uint8), tables))
        except ValueError as error:
            rejected.append(Rejected(path.name, f"malformed annotations: {error}"))
    if not any(splits.values()):
        raise DatasetError(f"no usable image in {folder}: {describe_rejected(rejected) or 'it is empty'}; {_EXPECTED}")
    return FacePhotos({split: tuple(photos) for split, photos in splits.items()}, tuple(rejected))


def drop_near_duplicates(photos: Sequence[FacePhoto], others: Sequence[FacePhoto]) -> tuple[FacePhoto, ...]:
    """Drop those of ``photos`` that show the same picture as one of ``others``."""
    pairs = near_duplicate_pairs([photo.image for photo in (*photos, *others)])
    crossing = set(pairs[(pairs[:, 0] < len(photos)) & (pairs[:, 1] >= len(photos)), 0].tolist())
    return tuple(photo for row, photo in enumerate(photos) if row not in crossing)


def _rows(file: Path, columns: Sequence[str]) -> Rows:
    if not file.is_file():
        raise DatasetError(f"no {file}: {_EXPECTED}")
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read_table(file, {"file", *columns}, _EXPECTED):
        rows[row["file"]].append(row)
    return rows


def _photo(name: str, image: NDArray[np.uint8], tables: Mapping[str, Rows]) -> FacePhoto:
    landmarks, boxes, pseudo = (tables[table].get(name, []) for table in ("landmarks", "mask_boxes", "boxes"))
    height, width = image.shape[:2]
    scores = _round(_numbers(pseudo, ("score",))[:, 0])
    pseudo_labels = FaceArrays(_xyxy(pseudo), scores, _points(pseudo, _PSEUDO_LANDMARKS))
    annotations = Annotations(name, (width, height), _points(landmarks, _LANDMARKS), _xyxy(boxes), pseudo_labels)
    return FacePhoto(image, annotations)


def _points(rows: list[dict[str, str]], names: tuple[str, ...]) -> NDArray[np.float64]:
    points = _numbers(rows, [f"{name}_{axis}" for name in names for axis in "xy"])
    return _round(points.reshape(-1, len(names), 2))


def _xyxy(rows: list[dict[str, str]]) -> NDArray[np.float64]:
    xywh = _numbers(rows, _BOX)
    return _round(np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1))


def _numbers(rows: list[dict[str, str]], columns: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[float(row[name]) for name in columns] for row in rows], np.float64).reshape(-1, len(columns))


def _round(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to float32, which is what stored results hold."""
    return values.astype(np.float32).astype(np.float64)

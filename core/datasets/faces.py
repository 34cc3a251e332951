"""Photographs with marked faces, for training and judging the detector.

``DIR/faces/images/*.jpg`` with three tables of marks: ``landmarks.csv`` (eyes, nose and mouth, marked by people),
``mask_boxes.csv`` (tight boxes, drawn by people) and ``boxes.csv`` (boxes and five points that YuNet found, and its
score). Left and right are the viewer's here; ``boxes.csv`` names the subject's side.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.near_duplicates import near_duplicate_pairs
from core.datasets.samples import Rejected, fingerprint, hash_position, subsample
from core.errors import DatasetError

FACES_SPLITS = ("train", "validation", "test")
_EXPECTED = "expected DIR/faces/ with images/*.jpg, landmarks.csv, mask_boxes.csv and boxes.csv"
_BOX = ("x", "y", "w", "h")
_HUMAN_POINTS = ("left_eye", "right_eye", "nose", "mouth")
_MACHINE_POINTS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
_COLUMNS = {
    "landmarks": [f"{name}_{axis}" for name in _HUMAN_POINTS for axis in "xy"],
    "mask_boxes": _BOX,
    "boxes": [*_BOX, "score", *(f"{name}_{axis}" for name in _MACHINE_POINTS for axis in "xy")],
}
"""Table -> what is read of it, beside ``file``."""

Rows = Mapping[str, list[dict[str, str]]]


@dataclass(frozen=True)
class FacePhoto:
    """One photograph and everything that is marked on it, in its own pixels.

    ``image`` (H, W, 3) uint8 BGR; ``human_points`` (N, 4, 2): left eye, right eye, nose, centre of the mouth;
    ``human_boxes`` (K, 4) and ``machine_boxes`` (M, 4) as x1, y1, x2, y2; ``machine_points`` (M, 5, 2) in the order of
    ``core.types.Landmarks``; ``machine_scores`` (M,).
    """

    id: str
    image: NDArray[np.uint8]
    human_points: NDArray[np.float64]
    human_boxes: NDArray[np.float64]
    machine_boxes: NDArray[np.float64]
    machine_points: NDArray[np.float64]
    machine_scores: NDArray[np.float64]


@dataclass(frozen=True)
class FacePhotos:
    """Photographs by side, and what was left out and why."""

    splits: Mapping[str, tuple[FacePhoto, ...]]
    rejected: tuple[Rejected, ...]

    def limit(self, count: int) -> FacePhotos:
        """At most ``count`` photographs of each side, always the same ones, to try things out."""
        splits = {name: tuple(photos[row] for row in subsample(photos, count)) for name, photos in self.splits.items()}
        return replace(self, splits=splits)

    def metadata(self) -> dict[str, Any]:
        """What a run or a card records about the data."""
        return {
            "samples": {split: len(photos) for split, photos in self.splits.items()},
            "fingerprints": {split: fingerprint(photo.id for photo in photos) for split, photos in self.splits.items()},
            "rejected": len(self.rejected),
        }


def faces_split(file_name: str) -> str:
    """Side of a photograph by the hash of its name: 85 % train, 5 % validation, 10 % test."""
    position = hash_position(file_name)
    return "train" if position < 0.85 else "validation" if position < 0.9 else "test"


def load_faces(data_dir: Path, only: str | None = None) -> FacePhotos:
    """Read the photographs of ``data_dir/faces`` and split them; with ``only`` the images of one side alone.

    Raises ``DatasetError`` when nothing usable is found.
    """
    folder = Path(data_dir) / "faces"
    tables = {name: _rows(folder / f"{name}.csv", columns) for name, columns in _COLUMNS.items()}
    splits: dict[str, list[FacePhoto]] = {split: [] for split in FACES_SPLITS}
    rejected: list[Rejected] = []
    for path in sorted((folder / "images").glob("*.jpg")):
        split = faces_split(path.name)
        if only is not None and split != only:
            continue
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            rejected.append(Rejected(path.name, "unreadable image"))
            continue
        try:
            splits[split].append(_photo(path.name, np.asarray(image, np.uint8), tables))
        except (TypeError, ValueError) as error:
            # TypeError: the row of its marks is shorter than the table's heading.
            rejected.append(Rejected(path.name, f"malformed marks: {error}"))
    if not any(splits.values()):
        raise DatasetError(f"nothing usable in {folder} ({len(rejected)} files rejected): {_EXPECTED}")
    return FacePhotos({split: tuple(photos) for split, photos in splits.items()}, tuple(rejected))


def without_near_duplicates(photos: Sequence[FacePhoto], others: Sequence[FacePhoto]) -> tuple[FacePhoto, ...]:
    """Those of ``photos`` that show another picture than all ``others``."""
    pairs = near_duplicate_pairs([photo.image for photo in (*photos, *others)])
    crossing = set(pairs[(pairs[:, 0] < len(photos)) & (pairs[:, 1] >= len(photos)), 0].tolist())
    return tuple(photo for row, photo in enumerate(photos) if row not in crossing)


def _rows(file: Path, columns: Sequence[str]) -> Rows:
    if not file.is_file():
        raise DatasetError(f"no {file}: {_EXPECTED}")
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if missing := {"file", *columns} - set(reader.fieldnames or ()):
            raise DatasetError(f"{file} lacks the columns {', '.join(sorted(missing))}")
        for row in reader:
            rows[row["file"]].append(row)
    return rows


def _photo(name: str, image: NDArray[np.uint8], tables: Mapping[str, Rows]) -> FacePhoto:
    human, boxes, machine = (tables[table].get(name, []) for table in ("landmarks", "mask_boxes", "boxes"))
    return FacePhoto(
        name,
        image,
        human_points=_points(human, _HUMAN_POINTS),
        human_boxes=_xyxy(boxes),
        machine_boxes=_xyxy(machine),
        machine_points=_points(machine, _MACHINE_POINTS),
        machine_scores=np.array([float(row["score"]) for row in machine]),
    )


def _points(rows: list[dict[str, str]], names: tuple[str, ...]) -> NDArray[np.float64]:
    values = [[(float(row[f"{name}_x"]), float(row[f"{name}_y"])) for name in names] for row in rows]
    return np.array(values, np.float64).reshape(-1, len(names), 2)


def _xyxy(rows: list[dict[str, str]]) -> NDArray[np.float64]:
    xywh = np.array([[float(row[name]) for name in _BOX] for row in rows], np.float64).reshape(-1, 4)
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)

"""Labelled photographs in one file that is mapped into memory, and the hard negatives among them.

``images.bin`` has the pixels, ``index.npz`` a row for each photograph and, in their order, their faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.detection.base import FaceArrays
from core.errors import DatasetError
from models.detection.labels import FACE

IMAGES_FILE, INDEX_FILE = "images.bin", "index.npz"

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class PhotoLabels:
    """A photograph without its pixels. ``exact``: (5, 2) landmarks of its only face, by the data set."""

    id: str
    source: str
    split: str
    faces: FaceArrays
    exact: NDArray[np.float64] | None = None


class PhotoCache:
    """The photographs of some splits and sources (all if there are none); images are views of the mapped file."""

    def __init__(self, folder: Path, splits: Sequence[str] = ("train",), sources: Sequence[str] = ()) -> None:
        """Raises ``DatasetError`` if there is no such cache."""
        if not (folder / INDEX_FILE).is_file():
            raise DatasetError(f"no {folder / INDEX_FILE}: make it with python -m models detector-photos")
        with np.load(folder / INDEX_FILE) as index:
            chosen = np.isin(index["splits"], splits)
            if sources:
                chosen &= np.isin(index["sources"], sources)
            self._rows = np.nonzero(chosen)[0]
            self.sources, self.ids = index["sources"][self._rows], index["ids"][self._rows]
            self._shapes, self._starts, self._counts = index["shapes"], index["starts"], index["face_counts"]
            self._ends = np.cumsum(self._counts)
            self._faces = FaceArrays(index["boxes"], index["sure"].astype(np.float64), index["landmarks"])
        self._bytes = np.memmap(folder / IMAGES_FILE, np.uint8, "r")

    def __len__(self) -> int:
        return len(self._rows)

    def image(self, row: int) -> Image:
        """Return (H, W, 3) uint8 BGR, read only."""
        place = self._rows[row]
        height, width = self._shapes[place]
        start = self._starts[place]
        return np.asarray(self._bytes[start : start + height * width * 3]).reshape(height, width, 3)

    def faces(self, row: int) -> FaceArrays:
        """Return the faces, each scored ``FACE`` or ``IGNORED``."""
        end = self._ends[self._rows[row]]
        return self._faces.take(np.arange(end - self._counts[self._rows[row]], end))


def write_index(
    folder: Path, photos: Sequence[PhotoLabels], shapes: Sequence[tuple[int, ...]], starts: Sequence[int]
) -> None:
    """Write ``index.npz``; ``starts``: first byte of each photograph in ``images.bin``."""
    faces = FaceArrays.merge([photo.faces for photo in photos])
    np.savez(
        folder / INDEX_FILE,
        ids=np.array([photo.id for photo in photos]),
        sources=np.array([photo.source for photo in photos]),
        splits=np.array([photo.split for photo in photos]),
        shapes=np.array([shape[:2] for shape in shapes]),
        starts=np.array(starts),
        face_counts=np.array([len(photo.faces) for photo in photos]),
        boxes=faces.xyxy,
        landmarks=faces.landmarks,
        sure=faces.scores == FACE,
    )


@dataclass(frozen=True)
class HardNegatives:
    """N places that a network takes for faces: ``ids`` (N,) of their photographs, ``xyxy`` (N, 4) in their pixels,
    ``sizes_px`` (N,), sqrt(w h) in the zoomed copy that was searched, and ``scores`` (N,)."""

    ids: NDArray[np.str_]
    xyxy: NDArray[np.float64]
    sizes_px: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def load(cls, file: Path) -> HardNegatives:
        """Read what ``save`` wrote."""
        with np.load(file) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})

    def save(self, file: Path) -> None:
        """Write an ``.npz`` with an array for each field."""
        np.savez(file, ids=self.ids, xyxy=self.xyxy, sizes_px=self.sizes_px, scores=self.scores)

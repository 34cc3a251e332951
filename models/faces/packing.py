"""Pack labelled faces for training: ``python -m models pack DIR --data DIR``.

Every face is cut out once, in one framing and with a margin, and written to files that training reads through memory
maps: ``images.npy`` (N, SIDE, SIDE, 3) uint8 BGR, ``landmarks.npy`` (N, 5, 2) float32, and ``faces.npz`` with the other
columns of ``PackedFaces``. Training images that are near-duplicates of a validation or test image are dropped, and so
are validation images that are near-duplicates of a test image.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifacts.model_card import AlignmentSpec
from core.artifacts.storage import replacing
from core.attributes.alignment import align_faces, alignment_square
from core.datasets.near_duplicates import near_duplicate_pairs
from core.detection import DEFAULT_DETECTOR, DETECTORS, FaceDetector, create_detector
from core.errors import DatasetError
from core.settings import LIVE_DETECTOR
from core.types import Box, Detection, Landmarks
from core.warping import rotation_matrix
from models.cli import add_data, run
from models.faces.sources import FRAMED, LabelledFace, list_faces

IMAGES_FILE, LANDMARKS_FILE, TABLE_FILE = "images.npy", "landmarks.npy", "faces.npz"
FACE_PX, MARGIN_PX = 128, 8
SIDE = FACE_PX + 2 * MARGIN_PX
REFERENCE = np.array([(0.299, 0.306), (0.701, 0.306), (0.5, 0.519), (0.33, 0.714), (0.67, 0.714)])
"""Median places of the landmarks in UTKFace's and FairFace's squares, as fractions of the side: (5, 2)."""
_MAX_OFFSET = 0.15
"""Landmarks of squares further away than this from the reference, in sides and on average, are another face's."""
_SEARCHED_PX, _SEARCHED_MARGIN_PX = 98, 15
_PHOTO_PX = 224
_COMPARED_PX = 64

Image = NDArray[np.uint8]
Points = NDArray[np.float64]


class Rows:
    """Rows of a memory map, each read from disk as it is used."""

    def __init__(self, values: NDArray, rows: NDArray[np.int64]) -> None:
        self._values, self._rows = values, rows

    def __getitem__(self, row: int) -> NDArray:
        return self._values[self._rows[row]]

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Return the rows at ``rows``, in that order."""
        return Rows(self._values, self._rows[rows])


@dataclass(frozen=True)
class PackedFaces:
    """N packed faces; the columns are (N,) arrays named as in ``LabelledFace``.

    ``images``: (SIDE, SIDE, 3) uint8 BGR each. ``landmarks``: (5, 2) float32 each, in pixels of the packed image, NaN
    where the detector found none.
    """

    images: Rows
    landmarks: Rows
    source: NDArray[np.str_]
    name: NDArray[np.str_]
    split: NDArray[np.str_]
    age_low: NDArray[np.int64]
    age_high: NDArray[np.int64]
    gender: NDArray[np.int64]
    group: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.source)

    def take(self, rows: NDArray[np.int64]) -> PackedFaces:
        """Return the faces at ``rows``, in that order."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return PackedFaces(**{name: _take(values, rows) for name, values in columns.items()})


def _take(values: Any, rows: NDArray[np.int64]) -> Any:
    return values.take(rows) if isinstance(values, Rows) else values[rows]


def load_packed(folder: Path) -> PackedFaces:
    """Open what ``pack`` wrote to ``folder``. Raises ``DatasetError`` if there is nothing."""
    if not (folder / TABLE_FILE).is_file():
        raise DatasetError(f"{folder} holds no packed faces: run python -m models pack {folder} --data DIR")
    with np.load(folder / TABLE_FILE) as table:
        columns = {name: table[name] for name in table.files}
    rows = columns.pop("row")
    images, landmarks = (np.load(folder / name, mmap_mode="r") for name in (IMAGES_FILE, LANDMARKS_FILE))
    return PackedFaces(Rows(images, rows), Rows(landmarks, rows), **columns)


def pack(data_dir: Path, folder: Path, detector: FaceDetector) -> dict[str, int]:
    """Pack all faces of ``data_dir`` into ``folder``; count those listed, packed, and dropped as duplicates."""
    listed = list_faces(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TABLE_FILE).unlink(missing_ok=True)
    images = np.lib.format.open_memmap(folder / IMAGES_FILE, "w+", np.uint8, (len(listed), SIDE, SIDE, 3))
    landmarks = np.lib.format.open_memmap(folder / LANDMARKS_FILE, "w+", np.float32, (len(listed), 5, 2))
    found = np.zeros(len(listed), bool)
    small = np.zeros((len(listed), _COMPARED_PX, _COMPARED_PX, 1), np.uint8)
    for row, face in enumerate(tqdm(listed, desc="cut", mininterval=10)):
        image = cv2.imread(str(face.file), cv2.IMREAD_COLOR)
        cut = None if image is None else cut_face(np.asarray(image, np.uint8), face, detector)
        if cut is not None:
            images[row], landmarks[row] = cut
            found[row] = True
            grey = cv2.cvtColor(_square_of(cut[0]), cv2.COLOR_BGR2GRAY)
            small[row, ..., 0] = _resize(np.asarray(grey, np.uint8), _COMPARED_PX)
    split = np.array([face.split for face in listed])
    leaking = _leaking(small, split, found)
    kept = np.nonzero(found & ~leaking & (split != "test"))[0]
    columns = {
        column: np.array([getattr(listed[row], column) for row in kept])
        for column in ("source", "name", "split", "age_low", "age_high", "gender", "group")
    }
    with replacing(folder / TABLE_FILE) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, row=kept, **columns)
    return {"listed": len(listed), "packed": len(kept), "dropped": int(leaking.sum())}


def find_landmarks(folder: Path, detector: FaceDetector) -> float:
    """Search the packed squares whose landmarks are unknown, validation first; returns the share of faces with some.

    Training may begin meanwhile: it reads landmarks as they are found.
    """
    faces = load_packed(folder)
    with np.load(folder / TABLE_FILE) as table:
        rows = table["row"]
    landmarks = np.load(folder / LANDMARKS_FILE, mmap_mode="r+")
    order = np.argsort(faces.split != "validation", kind="stable")
    for index in tqdm(order, desc="landmarks", mininterval=10):
        if np.isnan(landmarks[rows[index]]).any():
            searched = _pad(_resize(_square_of(faces.images[index]), _SEARCHED_PX), _SEARCHED_MARGIN_PX)
            landmarks[rows[index]] = _packed(_search_square(searched, detector))
    return float(np.isfinite(landmarks[rows]).all(axis=(1, 2)).mean())


def cut_face(image: Image, face: LabelledFace, detector: FaceDetector) -> tuple[Image, Points] | None:
    """Cut a face out: (SIDE, SIDE, 3), and its landmarks in it, NaN if unknown. ``None`` if a photograph shows none."""
    if face.source in FRAMED:
        return _pad(_resize(image, FACE_PX), MARGIN_PX), np.full((5, 2), np.nan)
    labelled = None if face.landmarks is None else detection_around(face.landmarks)
    detection = labelled or _search_photo(image, detector)
    if detection is None or detection.landmarks is None:
        return None
    spec = AlignmentSpec(points=tuple((x, y) for x, y in _packed(REFERENCE) / SIDE))
    crop = align_faces(image, [detection], spec, SIDE, 3).crops[0]
    center, side, angle = alignment_square(detection, spec)
    turn = rotation_matrix(angle)
    points = (np.array(detection.landmarks.points) - center) @ turn * (SIDE / side) + SIDE / 2
    return crop, points


def _search_square(padded: Image, detector: FaceDetector) -> Points:
    """Find the face that fills a padded square; its landmarks as fractions of the square, NaN if there is none."""
    best, least = np.full((5, 2), np.nan), _MAX_OFFSET
    for face in detector.detect(padded):
        if face.landmarks is not None:
            points = (np.array(face.landmarks.points) - _SEARCHED_MARGIN_PX) / _SEARCHED_PX
            offset = float(np.hypot(*(points - REFERENCE).T).mean())
            if offset < least:
                best, least = points, offset
    return best


def _search_photo(image: Image, detector: FaceDetector) -> Detection | None:
    """Find the largest face of a photograph, in its pixels."""
    zoom = min(1.0, _PHOTO_PX / max(image.shape[:2]))
    small = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
    faces = [face for face in detector.detect(small) if face.landmarks is not None]
    if not faces:
        return None
    largest = max(faces, key=lambda face: face.box.width * face.box.height)
    box = Box(*(edge / zoom for edge in largest.box.xyxy))
    scaled = largest.landmarks.scaled(1 / zoom, 1 / zoom) if largest.landmarks else None
    return replace(largest, box=box, landmarks=scaled)


def detection_around(landmarks: Points) -> Detection:
    """Return the face that has these (5, 2) landmarks, in a box that reaches half their extent beyond them."""
    (left, top), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    reach = max(right - left, bottom - top) / 2
    box = Box(float(left - reach), float(top - reach), float(right + reach), float(bottom + reach))
    return Detection(box, 1.0, Landmarks(*((float(x), float(y)) for x, y in landmarks)))


def _packed(points: Points) -> Points:
    """Fractions of a face's square -> pixels of the packed image."""
    return points * FACE_PX + MARGIN_PX


def _square_of(packed: Image) -> Image:
    return packed[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]


def _resize(image: Image, side: int) -> Image:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _pad(image: Image, margin_px: int) -> Image:
    return np.asarray(cv2.copyMakeBorder(image, *(margin_px,) * 4, cv2.BORDER_REPLICATE), np.uint8)


def _leaking(small: Image, split: NDArray[np.str_], found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of training that also show a validation or test image, and rows of validation that show a test image."""
    rows = np.nonzero(found)[0]
    rank = np.searchsorted(("test", "train", "validation"), split)
    order = np.array([2, 0, 1])[rank]
    leaking = np.zeros(len(split), bool)
    for pair in rows[near_duplicate_pairs(small[rows])]:
        low, high = sorted(pair, key=lambda row: order[row])
        leaking[low] |= bool(order[low] < order[high])
    return leaking


def portrait_detector(name: str = DEFAULT_DETECTOR) -> FaceDetector:
    """Create a detector for squares and portraits."""
    # The images are small: a second thread takes longer to wake than to help.
    cv2.setNumThreads(1)
    return create_detector(name, replace(LIVE_DETECTOR, min_face_px=_SEARCHED_PX // 4))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models pack", description="Pack faces for training.")
    parser.add_argument("folder", type=Path, help="where to write them; about 5 GB")
    add_data(parser, "UTKFace/ and, where there are, fairface/, aaf/ and appa_real/")
    parser.add_argument("--detector", choices=DETECTORS, default=DEFAULT_DETECTOR)
    return run(parser, _pack, arguments)


def _pack(options: argparse.Namespace) -> None:
    detector = portrait_detector(options.detector)
    print(pack(options.data, options.folder, detector), flush=True)
    print({"with_landmarks": find_landmarks(options.folder, detector)})


if __name__ == "__main__":
    sys.exit(main())

"""All photographs that the detector may learn from, labelled, and decoded into one file that is mapped into memory.

    python -m models.detection.training_photos --data data --yunet FILE --natural FOLDER --cache FOLDER

``faces`` and ``groups`` carry marks by people, All-Age-Faces exact landmarks; everything else is pseudo-labelled. What
looks like a photograph of a test split is left out. ``--natural`` are photographs of anything but people.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.boxes import iou_matrix
from core.datasets.faces import faces_side, load_faces
from core.datasets.near_duplicates import near_duplicate_pairs
from core.datasets.samples import hash_position
from core.datasets.splits import load_utkface
from core.errors import DatasetError
from models.detection.labels import MACHINE_BIAS, LabelledFaces, labelled_faces
from models.detection.pseudo_labels import PseudoLabeller, PseudoLabels

IMAGES_FILE, INDEX_FILE = "images.bin", "index.npz"
LONGEST_SIDE_PX = {"groups": 448, "fairface": 224, "utkface": 200, "aaf": 320, "natural": 384, "faces": 256}
_ZOOMS = {"groups": (1.0, 1.6), "fairface": (1.0, 0.6), "utkface": (1.0, 0.6), "aaf": (1.0, 0.6), "natural": (1.0,)}
SURE_SCORE, UNMARKED_SURE_SCORE = 0.6, 0.75
"""Mean over the views of YuNet; the second where people marked faces and left this one out."""
_MOST = {"fairface": 12_000, "utkface": 5_000}
_TEST_EVERY = 5
"""Every fifth photograph of ``groups``, by name, is kept for reporting, the next of every 20 for validation."""


@dataclass(frozen=True)
class TrainingPhoto:
    """``convention`` says whose landmarks they are: ``human``, ``yunet`` or ``aaf``."""

    id: str
    source: str
    split: str
    convention: str
    image: NDArray[np.uint8]
    faces: LabelledFaces


@dataclass(frozen=True)
class _File:
    path: Path
    source: str
    split: str
    boxes: NDArray[np.float64] | None = None
    landmarks: NDArray[np.float64] | None = None


class PhotoCache:
    """What ``write_cache`` wrote; images are views of the mapped file."""

    def __init__(self, folder: Path, splits: Sequence[str] = ("train",), sources: Sequence[str] = ()) -> None:
        with np.load(folder / INDEX_FILE) as index:
            keep = np.isin(index["splits"], splits)
            if sources:
                keep &= np.isin(index["sources"], sources)
            self._rows = np.nonzero(keep)[0]
            self.sources, self.ids = index["sources"][self._rows], index["ids"][self._rows]
            self._shapes, self._starts = index["shapes"], index["starts"]
            self._ends = np.cumsum(index["face_counts"])
            self._counts = index["face_counts"]
            self._boxes, self._landmarks, self._sure = index["boxes"], index["landmarks"], index["sure"]
        self._bytes = np.memmap(folder / IMAGES_FILE, np.uint8, "r")

    def __len__(self) -> int:
        return len(self._rows)

    def image(self, row: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 BGR, read only."""
        place = self._rows[row]
        height, width = self._shapes[place]
        start = self._starts[place]
        return np.asarray(self._bytes[start : start + height * width * 3]).reshape(height, width, 3)

    def faces(self, row: int) -> LabelledFaces:
        place = self._rows[row]
        part = slice(self._ends[place] - self._counts[place], self._ends[place])
        return LabelledFaces(self._boxes[part], self._landmarks[part], self._sure[part])


def fit(image: NDArray[np.uint8], longest_side_px: int) -> NDArray[np.uint8]:
    """Made smaller if it is larger."""
    zoom = longest_side_px / max(image.shape[:2])
    if zoom >= 1:
        return image
    wide, high = (max(1, round(side * zoom)) for side in image.shape[1::-1])
    return np.asarray(cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)


def group_split(position: int) -> str:
    """Split of the photograph of ``groups`` at ``position`` in the order of names."""
    return "test" if position % _TEST_EVERY == 0 else "validation" if position % 20 == 1 else "train"


def files_of(data: Path, natural: Path | None) -> Iterator[_File]:
    """Every file to label, test splits left out."""
    names, boxes = sorted(path.name for path in (data / "groups" / "images").glob("*.webp")), group_boxes(data)
    for position, name in enumerate(names):
        if (split := group_split(position)) != "test":
            yield _File(data / "groups" / "images" / name, "groups", split, boxes.get(name, np.zeros((0, 4))))
    with (data / "fairface" / "labels.csv").open(newline="") as stream:
        train = sorted((row["file"] for row in csv.DictReader(stream) if row["split"] == "train"), key=hash_position)
    for number, name in enumerate(train[: _MOST["fairface"]]):
        yield _File(data / "fairface" / name, "fairface", "validation" if number < 500 else "train")
    utkface = load_utkface(data, 80).sides
    for split, most in (("train", _MOST["utkface"]), ("validation", 300)):
        for name in sorted(utkface[split].ids.tolist(), key=hash_position)[:most]:
            yield _File(data / "UTKFace" / name, "utkface", split)
    with (data / "aaf" / "labels.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["split"] == "train":
                points = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
                five = np.array([[float(row[f"{point}_{axis}"]) for axis in "xy"] for point in points])
                split = "validation" if hash_position(row["file"]) < 0.05 else "train"
                yield _File(data / "aaf" / row["file"], "aaf", split, landmarks=five)
    for number, path in enumerate(sorted(natural.glob("*.JPEG")) if natural else ()):
        yield _File(path, "natural", "validation" if number % 10 == 0 else "train")


def labelled(file: _File, yunet: Path) -> TrainingPhoto | None:
    """One photograph with its faces, or ``None`` where a portrait shows no face that is sure."""
    image = cv2.imread(str(file.path), cv2.IMREAD_COLOR)
    if image is None:
        return None
    zoom = min(1.0, LONGEST_SIDE_PX[file.source] / max(image.shape[:2]))
    image = fit(np.asarray(image, np.uint8), LONGEST_SIDE_PX[file.source])
    found = _labeller(yunet, file.source).label(image)
    faces, convention = LabelledFaces(found.xyxy, found.landmarks, found.scores >= SURE_SCORE), "yunet"
    if file.source == "natural":
        faces = replace(faces, sure=np.zeros(len(faces.sure), bool))
    elif file.boxes is not None:
        faces = _with_marked(file.boxes * zoom, found)
    elif file.landmarks is not None:
        convention, five = "aaf", file.landmarks * zoom
        inside = np.all((found.xyxy[:, :2] < five.mean(axis=0)) & (five.mean(axis=0) < found.xyxy[:, 2:]), axis=1)
        row = int(np.argmax(inside & faces.sure)) if np.any(inside & faces.sure) else None
        if row is None:
            return None
        faces.points[row] = five
        faces = replace(faces, sure=np.arange(len(faces.sure)) == row)
    if not faces.sure.any() and file.source in ("fairface", "utkface"):
        return None
    return TrainingPhoto(file.path.name, file.source, file.split, convention, image, faces)


def _with_marked(marked: NDArray[np.float64], found: PseudoLabels) -> LabelledFaces:
    """People's boxes say that a face is there, YuNet where its landmarks are and how large its box is."""
    overlaps = iou_matrix(marked, found.xyxy)
    boxes, points, sure = list(found.xyxy), list(found.landmarks), list(found.scores >= UNMARKED_SURE_SCORE)
    for row, box in enumerate(marked):
        best = int(overlaps[row].argmax()) if len(found.scores) else -1
        if best >= 0 and overlaps[row, best] >= 0.35:
            sure[best] = True
        else:
            boxes.append(box)
            points.append(np.full((5, 2), np.nan))
            sure.append(True)
    return LabelledFaces(np.array(boxes).reshape(-1, 4), np.array(points).reshape(-1, 5, 2), np.array(sure, bool))


def eye_frame(landmarks: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 5, 2) -> (N, 2, 2) axes as rows, each one inter-ocular distance long: along the eyes, and down from them."""
    along = landmarks[:, 1] - landmarks[:, 0]
    down = np.stack([-along[:, 1], along[:, 0]], axis=1)
    return np.stack([along, down], axis=1), np.hypot(*along.T)


def convention_offset(from_landmarks: NDArray[np.float64], to_landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 5, 2) twice -> (5, 2) median difference in the frame of the eyes."""
    axes, iod = eye_frame(from_landmarks)
    difference = np.einsum("npc,nac->npa", to_landmarks - from_landmarks, axes) / iod[:, None, None] ** 2
    return np.asarray(np.median(difference, axis=0))


def shifted(landmarks: NDArray[np.float64], offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Landmarks of one convention in another, see ``convention_offset``."""
    axes, _ = eye_frame(landmarks)
    return np.asarray(landmarks + np.einsum("pa,nac->npc", offset, axes))


def group_boxes(data: Path) -> dict[str, NDArray[np.float64]]:
    boxes: dict[str, list[list[float]]] = {}
    with (data / "groups" / "boxes.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            boxes.setdefault(row["file"], []).append([float(row[name]) for name in ("x1", "y1", "x2", "y2")])
    return {name: np.array(rows) for name, rows in boxes.items()}


_labellers: dict[tuple[Path, str], PseudoLabeller] = {}


def _labeller(yunet: Path, source: str) -> PseudoLabeller:
    key = (yunet, source)
    if key not in _labellers:
        cv2.setNumThreads(1)
        _labellers[key] = PseudoLabeller(yunet, _ZOOMS[source])
    return _labellers[key]


def _labelled(arguments: tuple[_File, Path]) -> TrainingPhoto | None:
    return labelled(*arguments)


def _face_photos(data: Path) -> Iterator[TrainingPhoto]:
    photos = load_faces(data).sides
    for split in ("train", "validation"):
        for photo in photos[split]:
            yield TrainingPhoto(photo.id, "faces", split, "human", photo.image, labelled_faces(photo))


def _read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path} cannot be read")
    return np.asarray(image, np.uint8)


def test_images(data: Path) -> Iterator[NDArray[np.uint8]]:
    """Every photograph of a test split, small, to compare with."""
    paths = [path for path in sorted((data / "faces" / "images").glob("*.jpg")) if faces_side(path.name) == "test"]
    paths += sorted((data / "groups" / "images").glob("*.webp"))[::_TEST_EVERY]
    paths += sorted((data / "fairface" / "val").glob("*.jpg"))
    with (data / "aaf" / "labels.csv").open(newline="") as stream:
        paths += [data / "aaf" / row["file"] for row in csv.DictReader(stream) if row["split"] == "val"]
    for path in paths:
        yield fit(np.asarray(cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_2), np.uint8), 80)


def in_one_convention(photos: Sequence[TrainingPhoto], yunet_offset: NDArray[np.float64]) -> list[TrainingPhoto]:
    """The same with all landmarks where All-Age-Faces would have them, whose own are exact."""
    offsets = {"yunet": yunet_offset, "human": yunet_offset + MACHINE_BIAS}
    changed = []
    for photo in photos:
        if (offset := offsets.get(photo.convention)) is not None:
            photo = replace(photo, faces=replace(photo.faces, points=shifted(photo.faces.points, offset)))
        changed.append(photo)
    return changed


def aaf_offset(files: Sequence[_File], yunet: Path) -> NDArray[np.float64]:
    """(5, 2) from YuNet's landmarks to All-Age-Faces', of every eighth of its training photographs."""
    found, exact = [], []
    for file in [file for file in files if file.source == "aaf" and file.split == "train"][::8]:
        labels, five = _labeller(yunet, "aaf").label(_read(file.path)), file.landmarks
        if five is None:
            continue
        middle = five.mean(axis=0)
        inside = np.all((labels.xyxy[:, :2] < middle) & (middle < labels.xyxy[:, 2:]), axis=1)
        if inside.any():
            found.append(labels.landmarks[int(inside.argmax())])
            exact.append(five)
    return convention_offset(np.array(found), np.array(exact))


def write_cache(photos: Sequence[TrainingPhoto], folder: Path) -> None:
    """``images.bin`` and ``index.npz``."""
    sizes = [photo.image.size for photo in photos]
    with (folder / IMAGES_FILE).open("wb") as stream:
        for photo in photos:
            stream.write(photo.image.tobytes())
    np.savez(
        folder / INDEX_FILE,
        ids=np.array([photo.id for photo in photos]),
        sources=np.array([photo.source for photo in photos]),
        splits=np.array([photo.split for photo in photos]),
        shapes=np.array([photo.image.shape[:2] for photo in photos]),
        starts=np.cumsum([0, *sizes[:-1]]),
        face_counts=np.array([len(photo.faces.sure) for photo in photos]),
        boxes=np.concatenate([photo.faces.boxes for photo in photos]),
        landmarks=np.concatenate([photo.faces.points for photo in photos]),
        sure=np.concatenate([photo.faces.sure for photo in photos]),
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.detection.training_photos", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--yunet", type=Path, required=True, help="OpenCV's YuNet, ONNX")
    parser.add_argument("--natural", type=Path, help="photographs of anything but people, *.JPEG")
    parser.add_argument("--cache", type=Path, required=True, help="folder to write to")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    files = list(files_of(options.data, options.natural))
    print(len(files), "files to label", file=sys.stderr, flush=True)
    photos = list(_face_photos(options.data))
    with multiprocessing.get_context("fork").Pool(options.workers) as pool:
        results = pool.imap(_labelled, [(file, options.yunet) for file in files], chunksize=32)
        for number, photo in enumerate(results):
            if photo is not None:
                photos.append(photo)
            if number % 2000 == 0:
                print(number, len(photos), file=sys.stderr, flush=True)
    known = list(test_images(options.data))
    pairs = near_duplicate_pairs([*(fit(photo.image, 80) for photo in photos), *known])
    crossing = set(pairs[(pairs[:, 0] < len(photos)) & (pairs[:, 1] >= len(photos)), 0].tolist())
    kept = [photo for row, photo in enumerate(photos) if row not in crossing]
    print(f"{len(photos)} photographs, {len(crossing)} near-duplicates of test photographs left out", file=sys.stderr)
    write_cache(in_one_convention(kept, aaf_offset(files, options.yunet)), options.cache)
    return 0


if __name__ == "__main__":
    sys.exit(main())

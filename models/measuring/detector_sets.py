"""The test sets of ``models.measuring.detector``, read one image at a time.

Every reader raises ``DatasetError`` where its data is absent.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import Annotations, FacePhoto, drop_near_duplicates, load_faces
from core.datasets.fairface import list_fairface
from core.datasets.samples import hash_position, subsample
from core.datasets.splits import load_utkface
from core.detection.base import FaceArrays, FaceDetector
from core.errors import DatasetError
from core.evaluation.detection import variants
from core.evaluation.detection.conditions import (
    CLOSE_UPS,
    FACES,
    GROUPS,
    LANDMARKS,
    NOBODY,
    PORTRAITS,
    ROTATED,
    SHIFTED,
    VIDEO_WH,
)
from core.evaluation.detection.matching import UNMATCHED, match_portrait
from core.evaluation.detection.store import quantize
from core.evaluation.detection.variants import Image
from models.cli import report_left_out, report_rejected

EVERY_GROUP = 5
"""Every fifth image of ``groups``, by name, is kept for testing."""
MAX_PORTRAITS, MAX_ROTATED, MAX_SHIFTED, MAX_CLOSE_UPS, MAX_LANDMARKS = 2500, 300, 60, 300, 600
REFERENCE_SCORE = 0.6
"""Of the reference detector's face on a portrait."""
WITHOUT_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "skimage/data": (
        "brick.png",
        "cell.png",
        "chelsea.png",
        "chessboard_GRAY.png",
        "clock_motion.png",
        "coffee.png",
        "coins.png",
        "color.png",
        "grass.png",
        "gravel.png",
        "horse.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "microaneurysms.png",
        "moon.png",
        "motorcycle_left.png",
        "page.png",
        "phantom.png",
        "retina.jpg",
        "rocket.jpg",
        "text.png",
    ),
    "sklearn/datasets/images": ("china.jpg", "flower.jpg"),
}
"""Folder of a package -> its photographs and drawings that show nobody."""
_CLOSE_UP_MARGIN = 0.05
_SHIFTED_MARGIN = 0.25
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
_NO_FACES = FaceArrays(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))

Item = TypeVar("Item")
Photos = Sequence[FacePhoto] | Iterator[FacePhoto]


class TestSets:
    """The test sets in ``data``, of each at most ``limit`` images. ``reference``: the detector whose faces on portraits
    give their yaw and cut close-ups."""

    __test__ = False

    def __init__(self, data: Path, reference: FaceDetector | None, limit: int | None = None) -> None:
        self._data, self._reference, self._limit = data, reference, limit
        self.readers: Mapping[str, Callable[[], Photos]] = {
            FACES: self.faces,
            GROUPS: self.groups,
            PORTRAITS: lambda: self.portraits(MAX_PORTRAITS),
            ROTATED: lambda: self.portraits(MAX_ROTATED),
            SHIFTED: self.shifted,
            CLOSE_UPS: self.close_ups,
            LANDMARKS: self.landmarks,
            NOBODY: self.nobody,
        }

    def faces(self) -> Photos:
        """Read the test split of ``faces`` without near-duplicates of training images."""
        data = load_faces(self._data)
        report_left_out(data)
        photos = drop_near_duplicates(data.splits["test"], data.splits["train"])
        # A sample, since the first images are all of one kind.
        return [photos[row] for row in subsample(photos, self._limit)] if self._limit else photos

    def groups(self) -> Photos:
        """Read every fifth image of ``groups`` with its hand-drawn boxes."""
        folder = self._data / "groups"
        boxes: dict[str, list[list[float]]] = {}
        for row in _rows(folder / "boxes.csv"):
            boxes.setdefault(row["file"], []).append([float(row[name]) for name in ("x1", "y1", "x2", "y2")])
        names = self._take(sorted(path.name for path in (folder / "images").glob("*.webp"))[::EVERY_GROUP])
        for_name = {name: np.array(boxes.get(name, []), np.float64).reshape(-1, 4) for name in names}
        return (_photo(name, read_image(folder / "images" / name), boxes=for_name[name]) for name in names)

    def portraits(self, count: int) -> Photos:
        """Read ``count`` FairFace portraits of the test rows, each with the face that the reference detector finds."""
        files = self._portrait_files
        images = ((name, read_image(files[name])) for name in self._sample(list(files), count))
        return (_photo(name, image, pseudo_labels=self._reference_face(image)) for name, image in images)

    def shifted(self) -> Photos:
        """Read portraits with a margin, so that shifts do not cut faces."""
        portraits = self.portraits(MAX_SHIFTED)
        return (_photo(photo.id, variants.pad(photo.image, _SHIFTED_MARGIN).image) for photo in portraits)

    def close_ups(self) -> Photos:
        """Read UTKFace chips of the test split, which shares no near-duplicates with training, cut to their faces."""
        if self._reference is None:
            raise DatasetError("close-ups are cut by the boxes of YuNet, whose file is not here")
        utkface = load_utkface(self._data, 80)
        report_left_out(utkface)
        ids = utkface.splits["test"].ids.tolist()
        chips = ((name, read_image(self._data / "UTKFace" / name)) for name in self._sample(ids, MAX_CLOSE_UPS))
        faces = ((name, chip, self._reference_face(chip)) for name, chip in chips)
        return (_photo(name, cut_face(chip, face.xyxy[0])) for name, chip, face in faces if len(face))

    def landmarks(self) -> Photos:
        """Read All-Age-Faces' rows ``val`` with their five landmarks."""
        folder = self._data / "aaf"
        rows = {row["file"]: row for row in _rows(folder / "labels.csv") if row["split"] == "val"}
        names = self._sample(list(rows), MAX_LANDMARKS)
        five = {name: [[float(rows[name][f"{point}_{axis}"]) for axis in "xy"] for point in _POINTS] for name in names}
        return (_photo(name, read_image(folder / name), pseudo_labels=_marked(np.array(five[name]))) for name in names)

    def nobody(self) -> Photos:
        """Read scikit-image's and scikit-learn's images without a person."""
        files = self._take(
            [package_file(f"{folder}/{name}") for folder, names in WITHOUT_PEOPLE.items() for name in names]
        )
        return (_photo(file.name, read_image(file)) for file in files)

    @cached_property
    def _portrait_files(self) -> dict[str, Path]:
        """Three test sets are parts of it; rows that cannot be used are told once."""
        listed, rejected = list_fairface(self._data)
        report_rejected(rejected)
        return {image.id: image.file for image in listed if image.split == "test"}

    def _reference_face(self, image: Image) -> FaceArrays:
        """Find the reference face of a portrait; no face where it is not sure."""
        if self._reference is None:
            return _NO_FACES
        faces = FaceArrays.from_detections(self._reference.detect(image))
        row = match_portrait(faces.xyxy, (image.shape[1], image.shape[0]))
        sure = row != UNMATCHED and faces.scores[row] >= REFERENCE_SCORE
        return quantize(faces.take(np.array([row]))) if sure else _NO_FACES

    def _sample(self, names: Sequence[str], count: int) -> list[str]:
        return self._take(sorted(names, key=hash_position)[:count])

    def _take(self, items: list[Item]) -> list[Item]:
        return items if self._limit is None else [items[row] for row in sorted(subsample(items, self._limit))]


def cut_face(image: Image, xyxy: NDArray[np.float64]) -> Image:
    """Cut a portrait to the box (4,) of its face, 5 % wider on each side."""
    grown = (xyxy[2:] - xyxy[:2]) * _CLOSE_UP_MARGIN
    x1, y1 = np.maximum(xyxy[:2] - grown, 0).astype(int)
    x2, y2 = np.minimum(np.ceil(xyxy[2:] + grown), image.shape[1::-1]).astype(int)
    return np.ascontiguousarray(image[y1:y2, x1:x2])


def three_face_scene() -> Image:
    """Make a frame of 640x480 with three faces from two portraits in the public domain, scikit-image's astronaut() and
    matplotlib's grace_hopper.jpg. Raises ``DatasetError`` without these packages."""
    astronaut = read_image(package_file("skimage/data/astronaut.png"))[:260, 110:340]
    hopper = read_image(package_file("matplotlib/mpl-data/sample_data/grace_hopper.jpg"))[:440, 60:450]
    width, height = VIDEO_WH
    shade = np.linspace(60, 180, width, dtype=np.uint8)
    scene = np.ascontiguousarray(np.broadcast_to(shade[None, :, None], (height, width, 3)))
    for x, y, high, portrait in (
        (20, 150, 220, astronaut),
        (230, 60, 240, hopper),
        (460, 200, 160, astronaut[:, ::-1]),
    ):
        small = variants.zoom(np.ascontiguousarray(portrait), high / portrait.shape[0]).image
        scene[y : y + small.shape[0], x : x + small.shape[1]] = small
    return scene


def package_file(path: str) -> Path:
    """Find a file of an installed package without importing it. Raises ``DatasetError`` if it is not there."""
    package, _, inside = path.partition("/")
    spec = find_spec(package)
    file = Path(spec.origin).parent / inside if spec is not None and spec.origin else Path(path)
    if not file.is_file():
        raise DatasetError(f"{path} is not installed: pip install scikit-image scikit-learn matplotlib")
    return file


def read_image(file: Path) -> Image:
    """Read a file as (H, W, 3) uint8 BGR. Raises ``DatasetError``."""
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{file} cannot be read")
    return np.asarray(image, np.uint8)


def _photo(
    name: str, image: Image, boxes: NDArray[np.float64] | None = None, pseudo_labels: FaceArrays = _NO_FACES
) -> FacePhoto:
    boxes = np.zeros((0, 4)) if boxes is None else _round(boxes)
    resolution_wh = (image.shape[1], image.shape[0])
    return FacePhoto(image, Annotations(name, resolution_wh, np.zeros((0, 4, 2)), boxes, pseudo_labels))


def _marked(landmarks: NDArray[np.float64]) -> FaceArrays:
    """One face with (5, 2) landmarks and their bounding box."""
    landmarks = _round(landmarks)
    xyxy = np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)])
    return FaceArrays(xyxy[None], np.ones(1), landmarks[None])


def _round(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to float32, which is what stored results hold."""
    return values.astype(np.float32).astype(np.float64)


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        raise DatasetError(f"no {file}")
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))

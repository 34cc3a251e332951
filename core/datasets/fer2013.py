"""FER2013 (Goodfellow et al. 2013): 48x48 grey faces with one of seven emotions.

Two forms are read: the folder layout (``train/<class>/``, ``test/<class>/`` with ``PublicTest_`` and
``PrivateTest_`` names) and the original ``fer2013.csv`` with the columns ``emotion,pixels,Usage``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.samples import Dataset, Rejected, Samples
from core.errors import DatasetError
from core.types import EMOTIONS

IMAGE_SIZE = 48
USAGES = ("Training", "PublicTest", "PrivateTest")
_EXPECTED = (
    "expected DIR/fer2013/train/<class>/Training_*.png with DIR/fer2013/test/<class>/PublicTest_*.jpg and "
    "PrivateTest_*.jpg, or DIR/fer2013.csv (columns emotion,pixels,Usage); classes: " + ", ".join(EMOTIONS)
)


@dataclass(frozen=True, slots=True)
class _Face:
    where: str
    id: str
    image: NDArray[np.uint8]
    emotion: int
    usage: str


def read_fer2013(data_dir: Path) -> Dataset:
    """Read FER2013 from ``data_dir`` in either form.

    Labels: ``emotion`` (index into ``EMOTIONS``) and ``usage`` (one of ``USAGES``). Images are (48, 48, 1).
    Raises ``DatasetError`` if no usable image is found.
    """
    data_dir = Path(data_dir)
    for folder in (data_dir / "fer2013", data_dir):
        if (folder / "train").is_dir() or (folder / "test").is_dir():
            return _collect(folder, _read_folder(folder))
    for file in (data_dir / "fer2013.csv", data_dir / "fer2013" / "fer2013.csv", data_dir):
        if file.is_file() and file.suffix == ".csv":
            return _collect(file, _read_csv(file))
    raise DatasetError(f"no FER2013 in {data_dir}: {_EXPECTED}")


def _collect(source: Path, entries: Iterable[_Face | Rejected]) -> Dataset:
    faces: dict[str, _Face] = {}
    rejected: list[Rejected] = []
    for entry in entries:
        if isinstance(entry, Rejected):
            rejected.append(entry)
        elif entry.id in faces:
            rejected.append(Rejected(entry.where, "name occurs twice"))
        else:
            faces[entry.id] = entry
    if not faces:
        raise DatasetError(f"no usable image in {source} ({len(rejected)} entries rejected): {_EXPECTED}")
    labels = {
        "emotion": np.array([face.emotion for face in faces.values()], np.int64),
        "usage": np.array([face.usage for face in faces.values()]),
    }
    images = np.stack([face.image for face in faces.values()])[..., None]
    return Dataset("fer2013", Samples(np.array(list(faces)), images, labels), tuple(rejected))


def _read_folder(folder: Path) -> Iterator[_Face | Rejected]:
    for path in sorted(folder.glob("t*/*/*")):
        if path.parts[-3] in ("train", "test") and path.is_file():
            yield _read_file(path, path.relative_to(folder).as_posix())


def _read_file(path: Path, where: str) -> _Face | Rejected:
    split, class_name = path.parts[-3], path.parts[-2]
    usage = path.name.partition("_")[0]
    if class_name not in set(EMOTIONS):
        return Rejected(where, "unknown class folder")
    if usage not in USAGES or (usage == "Training") != (split == "train"):
        return Rejected(where, "name does not fit the folder")
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        return Rejected(where, "unreadable image")
    if image.shape != (IMAGE_SIZE, IMAGE_SIZE):
        return Rejected(where, "wrong size")
    return _Face(where, path.stem, np.asarray(image, np.uint8), EMOTIONS.index(class_name), usage)


def _read_csv(file: Path) -> Iterator[_Face | Rejected]:
    csv.field_size_limit(1 << 20)
    with file.open(newline="", encoding="utf-8", errors="replace") as stream:
        reader = csv.DictReader(stream)
        try:
            if missing := {"emotion", "pixels", "Usage"} - set(reader.fieldnames or ()):
                raise DatasetError(f"{file} lacks the columns {sorted(missing)}: {_EXPECTED}")
            for number, row in enumerate(reader):
                yield _read_row(number, row)
        except csv.Error as error:
            raise DatasetError(f"{file} is not CSV after line {reader.line_num} ({error}): {_EXPECTED}") from error


def _read_row(number: int, row: Mapping[str, str | None]) -> _Face | Rejected:
    where = f"row {number}"
    emotion, usage = row["emotion"] or "", row["Usage"] or ""
    try:
        pixels = np.array((row["pixels"] or "").split(), dtype=np.int64)
    except OverflowError:
        return Rejected(where, "pixels outside 0-255")
    except ValueError:
        return Rejected(where, "pixels are not numbers")
    if emotion not in tuple("0123456"):
        return Rejected(where, "unknown emotion label")
    if usage not in USAGES:
        return Rejected(where, "unknown usage")
    if pixels.size != IMAGE_SIZE**2:
        return Rejected(where, "wrong size")
    if pixels.min() < 0 or pixels.max() > 255:
        return Rejected(where, "pixels outside 0-255")
    image = pixels.astype(np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
    return _Face(where, f"{usage}_{number}", image, int(emotion), usage)

"""FER2013 (Goodfellow et al. 2013): 48x48 grey faces with one of seven emotions.

Two forms are read: the folder layout (``train/<class>/``, ``test/<class>/`` with ``PublicTest_`` and
``PrivateTest_`` names) and the original ``fer2013.csv`` with the columns ``emotion,pixels,Usage``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from core.datasets.samples import Dataset, Rejected, Samples
from core.errors import DatasetError
from core.types import EMOTIONS

IMAGE_SIZE = 48
USAGES = ("Training", "PublicTest", "PrivateTest")
_EXPECTED = (
    "expected DIR/fer2013/train/<class>/Training_*.png with DIR/fer2013/test/<class>/PublicTest_*.jpg and "
    "PrivateTest_*.jpg, or DIR/fer2013.csv (columns emotion,pixels,Usage); classes: " + ", ".join(EMOTIONS)
)


def read_fer2013(data_dir: Path) -> Dataset:
    """Read FER2013 from ``data_dir``, whichever of the two forms is there.

    Labels: ``emotion`` (index into ``EMOTIONS``) and ``usage`` (one of ``USAGES``). Images are (48, 48, 1).
    Raises ``DatasetError`` when nothing usable is found.
    """
    data_dir = Path(data_dir)
    for folder in (data_dir / "fer2013", data_dir):
        if (folder / "train").is_dir() or (folder / "test").is_dir():
            return _read_folder(folder)
    for file in (data_dir / "fer2013.csv", data_dir / "fer2013" / "fer2013.csv", data_dir):
        if file.is_file() and file.suffix == ".csv":
            return _read_csv(file)
    raise DatasetError(f"no FER2013 in {data_dir}: {_EXPECTED}")


class _Collector:
    def __init__(self) -> None:
        self.ids: list[str] = []
        self.images: list[np.ndarray] = []
        self.emotions: list[int] = []
        self.usages: list[str] = []
        self.rejected: list[Rejected] = []

    def add(self, sample_id: str, image: np.ndarray, emotion: int, usage: str) -> None:
        self.ids.append(sample_id)
        self.images.append(image)
        self.emotions.append(emotion)
        self.usages.append(usage)

    def reject(self, where: str, reason: str) -> None:
        self.rejected.append(Rejected(where, reason))

    def dataset(self, source: Path) -> Dataset:
        if not self.ids:
            raise DatasetError(f"nothing usable in {source} ({len(self.rejected)} entries rejected): {_EXPECTED}")
        samples = Samples(
            np.array(self.ids),
            np.stack(self.images)[..., None],
            {"emotion": np.array(self.emotions, np.int64), "usage": np.array(self.usages)},
        )
        return Dataset("fer2013", samples, tuple(self.rejected))


def _read_folder(folder: Path) -> Dataset:
    found = _Collector()
    seen: set[str] = set()
    for path in sorted(folder.glob("t*/*/*")):
        where = path.relative_to(folder).as_posix()
        split, class_name = path.parts[-3], path.parts[-2]
        usage = path.name.partition("_")[0]
        if split not in ("train", "test") or not path.is_file():
            continue
        if class_name not in set(EMOTIONS):
            found.reject(where, "unknown class folder")
        elif usage not in USAGES or (usage == "Training") != (split == "train"):
            found.reject(where, "name does not fit the folder")
        elif path.stem in seen:
            found.reject(where, "name occurs twice")
        else:
            image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if image is None:
                found.reject(where, "unreadable image")
            elif image.shape != (IMAGE_SIZE, IMAGE_SIZE):
                found.reject(where, "wrong size")
            else:
                seen.add(path.stem)
                found.add(path.stem, image, EMOTIONS.index(class_name), usage)
    return found.dataset(folder)


def _read_csv(file: Path) -> Dataset:
    found = _Collector()
    csv.field_size_limit(1 << 20)
    with file.open(newline="", encoding="utf-8", errors="replace") as stream:
        reader = csv.DictReader(stream)
        try:
            missing = {"emotion", "pixels", "Usage"} - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(f"{file} lacks the columns {sorted(missing)}: {_EXPECTED}")
            for number, row in enumerate(reader):
                _add_row(found, number, row)
        except csv.Error as error:
            raise DatasetError(f"{file} is no CSV after line {reader.line_num} ({error}): {_EXPECTED}") from error
    return found.dataset(file)


def _add_row(found: _Collector, number: int, row: Mapping[str, str | None]) -> None:
    where = f"row {number}"
    try:
        pixels = np.array((row["pixels"] or "").split(), dtype=np.int64)
    except OverflowError:
        found.reject(where, "pixels outside 0-255")
        return
    except ValueError:
        found.reject(where, "pixels are not numbers")
        return
    emotion, usage = row["emotion"] or "", row["Usage"] or ""
    if emotion not in tuple("0123456"):
        found.reject(where, "unknown emotion label")
    elif usage not in USAGES:
        found.reject(where, "unknown usage")
    elif pixels.size != IMAGE_SIZE**2:
        found.reject(where, "wrong size")
    elif pixels.min() < 0 or pixels.max() > 255:
        found.reject(where, "pixels outside 0-255")
    else:
        image = pixels.astype(np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
        found.add(f"{usage}_{number}", image, int(emotion), usage)

"""FER2013 (Goodfellow et al. 2013): 48x48 grey faces with one of seven emotions, in the forms that people have it in.

Class folders: ``train/<class>/`` with ``test/<class>/``, ``validation/<class>/`` or both. Files with official names
(``Training_``, ``PublicTest_``, ``PrivateTest_``) keep their official split, others get that of their folder.
Tables: ``fer2013.csv`` or Kaggle's ``icml_face_data.csv`` (columns emotion, pixels, Usage), or Kaggle's ``train.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.copies import list_folder, read_columns, read_table, walk_folders
from core.datasets.samples import Dataset, Rejected, Samples, describe_rejected
from core.errors import DatasetError
from core.types import EMOTIONS, Emotion

IMAGE_SIZE = 48
USAGES = ("Training", "PublicTest", "PrivateTest")
_SPELLINGS = {
    **{str(emotion): emotion for emotion in EMOTIONS},
    "anger": Emotion.ANGRY,
    "disgusted": Emotion.DISGUST,
    "fearful": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "sadness": Emotion.SAD,
    "surprised": Emotion.SURPRISE,
}
_SPLITS = {
    **dict.fromkeys(("train", "training", "fer2013train"), "Training"),
    **dict.fromkeys(("val", "valid", "validation", "public", "publictest", "fer2013valid"), "PublicTest"),
    **dict.fromkeys(("test", "testing", "private", "privatetest", "fer2013test"), "PrivateTest"),
}
"""Name of a folder or table, in small letters -> the official split that its files without official names go to."""
_OFFICIAL_NAME = re.compile(rf"({'|'.join(USAGES)})_", re.IGNORECASE)
_TABLES = re.compile(r"(fer2013(?!new)|icml_face_data).*\.csv", re.IGNORECASE)
_EXPECTED = (
    "expected DIR/fer2013/train/<class>/Training_*.png with DIR/fer2013/test/<class>/PublicTest_*.jpg and "
    "PrivateTest_*.jpg, or fer2013.csv or icml_face_data.csv (columns emotion, pixels, Usage), of 48x48 pixels; "
    f"classes: {', '.join(EMOTIONS)}"
)


@dataclass(frozen=True, slots=True)
class _Face:
    where: str
    id: str
    image: NDArray[np.uint8]
    emotion: int
    usage: str
    file: Path | None = None


def read_fer2013(data_dir: Path) -> Dataset:
    """Read FER2013 from ``data_dir``, at most a few folders down: class folders if there are any, or else tables.

    Labels: ``emotion`` (index into ``EMOTIONS``) and ``usage`` (one of ``USAGES``). Images are (48, 48, 1).
    Raises ``DatasetError`` if no usable image is found.
    """
    data_dir = Path(data_dir)
    if folder := _find_class_folders(data_dir):
        return _collect(folder, _read_folder(folder))
    if tables := _find_tables(data_dir):
        return _collect(tables[0], (entry for table in tables for entry in _read_csv(table)))
    raise DatasetError(f"no FER2013 in {data_dir}: {_EXPECTED}")


def has_fer2013(data_dir: Path) -> bool:
    """Return whether ``data_dir`` seems to hold FER2013, judged by names of folders and files only."""
    return bool(_find_class_folders(Path(data_dir)) or _find_tables(Path(data_dir)))


def _find_class_folders(data_dir: Path) -> Path | None:
    """Find the folder that holds ``train`` and so on with at least one folder called as an emotion."""
    for folder in walk_folders(data_dir, first="fer"):
        for split in folder.folders:
            if _key(split) in _SPLITS and any(map(parse_emotion, list_folder(folder.path / split).folders)):
                return folder.path
    return None


def _find_tables(data_dir: Path) -> list[Path]:
    """Find the table of all splits, or else those of single splits in one folder."""
    if data_dir.is_file():
        return [data_dir] if data_dir.suffix.lower() == ".csv" else []
    parts: list[Path] = []
    for folder in walk_folders(data_dir, first="fer"):
        tables = [folder.path / name for name in folder.files if name.lower().endswith(".csv")]
        if complete := [file for file in tables if _TABLES.fullmatch(file.name)]:
            return complete[:1]
        parts = parts or [file for file in tables if _key(file.stem) in _SPLITS and "pixels" in read_columns(file)]
    return parts


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
        raise DatasetError(f"no usable image in {source}: {describe_rejected(rejected) or 'it is empty'}; {_EXPECTED}")
    labels = {
        "emotion": np.array([face.emotion for face in faces.values()], np.int64),
        "usage": np.array([face.usage for face in faces.values()]),
    }
    images = np.stack([face.image for face in faces.values()])[..., None]
    files = {face.id: face.file for face in faces.values() if face.file}
    unofficial = sum(not _OFFICIAL_NAME.match(file.name) for file in files.values())
    notes = (_note_unofficial(unofficial),) if unofficial else ()
    return Dataset("fer2013", Samples(np.array(list(faces)), images, labels), tuple(rejected), files, notes)


def _note_unofficial(count: int) -> str:
    return (
        f"{count:,} images have no official names (Training_*, PublicTest_*, PrivateTest_*): their splits are those of "
        "their folders, so networks trained on the official splits may have learnt from images that are tested on here"
    )


def _read_folder(root: Path) -> Iterator[_Face | Rejected]:
    for split in list_folder(root).folders:
        if usage := _SPLITS.get(_key(split)):
            content = list_folder(root / split)
            yield from (Rejected(f"{split}/{name}", "not in a class folder") for name in content.files)
            for class_name in content.folders:
                yield from _read_class_folder(root, f"{split}/{class_name}", usage, parse_emotion(class_name))


def _read_class_folder(root: Path, where: str, usage: str, emotion: Emotion | None) -> Iterator[_Face | Rejected]:
    content = list_folder(root / where)
    yield from (Rejected(f"{where}/{name}", "folder inside a class folder") for name in content.folders)
    for name in content.files:
        if emotion is None:
            yield Rejected(f"{where}/{name}", f"unknown class folder {where.partition('/')[2]}")
        else:
            yield _read_file(root / where / name, f"{where}/{name}", usage, emotion)


def _read_file(file: Path, where: str, usage: str, emotion: Emotion) -> _Face | Rejected:
    sample_id = f"{usage}_{emotion}_{file.stem}"
    if match := _OFFICIAL_NAME.match(file.name):
        official = next(name for name in USAGES if name.lower() == match[1].lower())
        if (official == "Training") != (usage == "Training"):
            return Rejected(where, "name does not fit the folder")
        usage, sample_id = official, f"{official}_{file.stem[match.end() :]}"
    image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if image is None:
        return Rejected(where, "unreadable image")
    if image.shape != (IMAGE_SIZE, IMAGE_SIZE):
        return Rejected(where, f"size is not {IMAGE_SIZE}x{IMAGE_SIZE}")
    return _Face(where, sample_id, np.asarray(image, np.uint8), EMOTIONS.index(emotion), usage, file)


def _read_csv(file: Path) -> Iterator[_Face | Rejected]:
    columns, usage = read_columns(file), _SPLITS.get(_key(file.stem), "")
    if usage and "emotion" not in columns:
        yield Rejected(file.name, "table without labels (no column emotion)")
        return
    required = {"emotion", "pixels"} | (set() if usage else {"usage"})
    for number, row in enumerate(read_table(file, required, _EXPECTED)):
        yield _read_row(number, {"usage": usage} | row)


def _read_row(number: int, row: Mapping[str, str]) -> _Face | Rejected:
    where, emotion, usage = f"row {number}", row["emotion"], row["usage"]
    try:
        pixels = np.array(row["pixels"].split(), dtype=np.int64)
    except OverflowError:
        return Rejected(where, "pixels outside 0-255")
    except ValueError:
        return Rejected(where, "pixels are not numbers")
    if emotion not in tuple("0123456"):
        return Rejected(where, "unknown emotion label")
    if usage not in USAGES:
        return Rejected(where, "unknown usage")
    if pixels.size != IMAGE_SIZE**2:
        return Rejected(where, f"size is not {IMAGE_SIZE}x{IMAGE_SIZE}")
    if pixels.min() < 0 or pixels.max() > 255:
        return Rejected(where, "pixels outside 0-255")
    image = pixels.astype(np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
    return _Face(where, f"{usage}_{number}", image, int(emotion), usage)


def _key(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def parse_emotion(class_name: str) -> Emotion | None:
    """Return the emotion that a class folder or a cell names, in usual spellings; ``None`` for other names."""
    return _SPELLINGS.get(class_name.strip().lower())

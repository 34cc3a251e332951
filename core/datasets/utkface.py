"""UTKFace (Zhang et al. 2017), aligned and cropped: faces whose labels are in the file names.

``[age]_[gender]_[race]_[datetime].jpg.chip.jpg``; gender 0 male, 1 female; race 0 White, 1 Black, 2 Asian,
3 Indian, 4 Other. Race is read for errors by group only; no served network predicts it.
Renamed copies (without ``.chip``, as PNG, in capitals) give the same ids, which are the original file names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.datasets.copies import IMAGE_ENDINGS, walk_folders
from core.datasets.samples import Dataset, Rejected, Samples, describe_rejected
from core.errors import DatasetError

RACES = ("White", "Black", "Asian", "Indian", "Other")
SOURCE_SIZE = 200
OLDEST_LABEL = 116
_NAME = re.compile(
    r"(?P<age>\d{1,3})_(?P<gender>[01])_(?P<race>[0-4])_(?P<time>\d+)(\.jpg)?(?P<chip>\.chip)?\.(jpe?g|png)",
    re.IGNORECASE,
)
_EXPECTED = "expected DIR/UTKFace/[age]_[gender]_[race]_[datetime].jpg.chip.jpg, the aligned and cropped 200x200 images"


def parse_name(name: str) -> tuple[int, int, int] | None:
    """Parse (age, gender, race) from a file name; ``None`` if the name does not follow the pattern."""
    match = _NAME.fullmatch(name)
    if match is None or int(match["age"]) > OLDEST_LABEL:
        return None
    return int(match["age"]), int(match["gender"]), int(match["race"])


def canonical_name(name: str) -> str:
    """Return the name of the same image in the original data set; other names stay as they are."""
    match = _NAME.fullmatch(name)
    return f"{name[: match.end('time')]}.jpg.chip.jpg" if match else name


def has_utkface(data_dir: Path) -> bool:
    """Return whether ``data_dir`` seems to hold UTKFace, judged by file names only."""
    return next(_find_folders(data_dir), None) is not None


def read_utkface(data_dir: Path, image_size: int = SOURCE_SIZE, names: Iterable[str] | None = None) -> Dataset:
    """Read UTKFace from ``data_dir``, at most a few folders down, resized to ``image_size`` by area.

    ``names``: the ids to read, in this order (default: all, sorted). Labels: ``age`` (years), ``gender`` (index into
    ``GENDERS``), ``race`` (index into ``RACES``). Images are (image_size, image_size, 3) BGR; ids are the original file
    names. Raises ``DatasetError`` if no usable image is found.
    """
    data_dir = Path(data_dir)
    files, rejected = _find_files(data_dir)
    if not files and not rejected:
        raise DatasetError(f"no UTKFace in {data_dir}: {_EXPECTED}")
    wanted = sorted(files) if names is None else list(dict.fromkeys(names))
    if names is not None:
        # What else this copy holds does not matter then.
        rejected = []
    images: dict[str, NDArray[np.uint8]] = {}
    for name in wanted:
        image = _read_image(files[name]) if name in files else "not in this copy of the data set"
        if isinstance(image, str):
            rejected.append(Rejected(files[name].relative_to(data_dir).as_posix() if name in files else name, image))
        else:
            # At the source size this copies the pixels as they are.
            resized = cv2.resize(image, (image_size, image_size), interpolation=cv2.INTER_AREA)
            images[name] = np.asarray(resized, np.uint8)
    if not images:
        raise DatasetError(f"no usable image in {data_dir}: {describe_rejected(rejected)}; {_EXPECTED}")
    age, gender, race = np.array([parse_name(name) for name in images], np.int64).T
    samples = Samples(
        np.array(list(images)), np.stack(list(images.values())), {"age": age, "gender": gender, "race": race}
    )
    return Dataset("utkface", samples, tuple(rejected), {name: files[name] for name in images})


def _find_folders(data_dir: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Find the folders that hold images called as UTKFace's, with the names of all images in each."""
    for folder in walk_folders(data_dir, first="utk"):
        images = tuple(name for name in folder.files if Path(name).suffix.lower() in IMAGE_ENDINGS)
        if any(map(parse_name, images)):
            yield folder.path, images


def _find_files(data_dir: Path) -> tuple[dict[str, Path], list[Rejected]]:
    """Find the image files by id, and those that have no usable name."""
    files: dict[str, Path] = {}
    rejected: list[Rejected] = []
    for folder, names in _find_folders(data_dir):
        for name in names:
            where, sample_id = (folder / name).relative_to(data_dir).as_posix(), canonical_name(name)
            if parse_name(name) is None:
                rejected.append(Rejected(where, "name is not [age]_[gender]_[race]_[datetime]"))
            elif sample_id in files:
                rejected.append(Rejected(where, "name occurs twice"))
            else:
                files[sample_id] = folder / name
    return files, rejected


def _read_image(file: Path) -> NDArray[np.uint8] | str:
    """Read an aligned and cropped image, or return the reason why it is none."""
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        return "unreadable image"
    height, width = image.shape[:2]
    if (height, width) == (SOURCE_SIZE, SOURCE_SIZE):
        return np.asarray(image, np.uint8)
    is_chip = ".chip" in file.name.lower() or height == width < SOURCE_SIZE
    return "size is not 200x200: a resized copy" if is_chip else "size is not 200x200: an uncropped picture"

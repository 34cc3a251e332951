"""UTKFace (Zhang et al. 2017), aligned and cropped: faces whose labels are in the file names.

``[age]_[gender]_[race]_[datetime].jpg.chip.jpg``; gender 0 male, 1 female; race 0 White, 1 Black, 2 Asian,
3 Indian, 4 Other. Race is read for error figures by group only; no served network answers it.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from core.datasets.samples import Dataset, Rejected, Samples
from core.errors import DatasetError

RACES = ("White", "Black", "Asian", "Indian", "Other")
SOURCE_SIZE = 200
OLDEST_LABEL = 116
_NAME = re.compile(r"(?P<age>\d{1,3})_(?P<gender>[01])_(?P<race>[0-4])_(?P<time>\d+)\.jpg\.chip\.jpg")
_EXPECTED = "expected DIR/UTKFace/[age]_[gender]_[race]_[datetime].jpg.chip.jpg, the aligned and cropped 200x200 images"


def parse_name(name: str) -> tuple[int, int, int] | None:
    """(age, gender, race) from a file name, or ``None`` if it does not follow the pattern."""
    match = _NAME.fullmatch(name)
    if match is None or int(match["age"]) > OLDEST_LABEL:
        return None
    return int(match["age"]), int(match["gender"]), int(match["race"])


def utkface_folder(data_dir: Path) -> Path:
    """Where the images are: ``data_dir/UTKFace``, or where there is none, ``data_dir`` itself."""
    folder = Path(data_dir) / "UTKFace"
    return folder if folder.is_dir() else Path(data_dir)


def read_utkface(data_dir: Path, image_size: int = SOURCE_SIZE) -> Dataset:
    """Read UTKFace from ``data_dir/UTKFace`` (or ``data_dir`` itself), resized to ``image_size`` by area.

    Labels: ``age`` (years), ``gender`` (index into ``GENDERS``), ``race`` (index into ``RACES``). Images are
    (image_size, image_size, 3) BGR; ids are file names. Raises ``DatasetError`` when nothing usable is found.
    """
    folder = utkface_folder(data_dir)
    if not folder.is_dir():
        raise DatasetError(f"no UTKFace in {data_dir}: {_EXPECTED}")
    ids: list[str] = []
    images: list[np.ndarray] = []
    labels: list[tuple[int, int, int]] = []
    rejected: list[Rejected] = []
    for path in sorted(folder.glob("*.jpg")):
        parsed = parse_name(path.name)
        if parsed is None:
            rejected.append(Rejected(path.name, "name is not [age]_[gender]_[race]_[datetime]"))
            continue
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            rejected.append(Rejected(path.name, "unreadable image"))
        elif image.shape[:2] != (SOURCE_SIZE, SOURCE_SIZE):
            rejected.append(Rejected(path.name, "wrong size"))
        else:
            if image_size != SOURCE_SIZE:
                image = cv2.resize(image, (image_size, image_size), interpolation=cv2.INTER_AREA)
            ids.append(path.name)
            images.append(image)
            labels.append(parsed)
    if not ids:
        raise DatasetError(f"nothing usable in {folder} ({len(rejected)} files rejected): {_EXPECTED}")
    columns = np.array(labels, np.int64)
    samples = Samples(
        np.array(ids), np.stack(images), {"age": columns[:, 0], "gender": columns[:, 1], "race": columns[:, 2]}
    )
    return Dataset("utkface", samples, tuple(rejected))

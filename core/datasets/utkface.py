"""UTKFace (Zhang et al. 2017), aligned and cropped: faces whose labels are in the file names.

``[age]_[gender]_[race]_[datetime].jpg.chip.jpg``; gender 0 male, 1 female; race 0 White, 1 Black, 2 Asian,
3 Indian, 4 Other. Race is read for errors by group only; no served network predicts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    """Parse (age, gender, race) from a file name; ``None`` if the name does not follow the pattern."""
    match = _NAME.fullmatch(name)
    if match is None or int(match["age"]) > OLDEST_LABEL:
        return None
    return int(match["age"]), int(match["gender"]), int(match["race"])


def utkface_folder(data_dir: Path) -> Path:
    """Return ``data_dir/UTKFace``, or ``data_dir`` itself if there is no such folder."""
    folder = Path(data_dir) / "UTKFace"
    return folder if folder.is_dir() else Path(data_dir)


def read_utkface(data_dir: Path, image_size: int = SOURCE_SIZE, names: Iterable[str] | None = None) -> Dataset:
    """Read UTKFace from ``data_dir/UTKFace`` (or ``data_dir`` itself), resized to ``image_size`` by area.

    ``names``: the files to read, in this order (default: all, sorted). Labels: ``age`` (years), ``gender`` (index into
    ``GENDERS``), ``race`` (index into ``RACES``). Images are (image_size, image_size, 3) BGR; ids are file names.
    Raises ``DatasetError`` if no usable image is found.
    """
    folder = utkface_folder(data_dir)
    if not folder.is_dir():
        raise DatasetError(f"no UTKFace in {data_dir}: {_EXPECTED}")
    images: dict[str, np.ndarray] = {}
    labels: dict[str, tuple[int, int, int]] = {}
    rejected: list[Rejected] = []
    for name in sorted(path.name for path in folder.glob("*.jpg")) if names is None else names:
        # The pattern also keeps names from an altered predictions file inside the folder.
        parsed = parse_name(name)
        if parsed is None:
            rejected.append(Rejected(name, "name is not [age]_[gender]_[race]_[datetime]"))
            continue
        image = cv2.imread(str(folder / name), cv2.IMREAD_COLOR) if (folder / name).is_file() else None
        if image is None:
            rejected.append(Rejected(name, "unreadable image"))
        elif image.shape[:2] != (SOURCE_SIZE, SOURCE_SIZE):
            rejected.append(Rejected(name, "wrong size"))
        else:
            # At the source size this copies the pixels as they are.
            images[name] = cv2.resize(image, (image_size, image_size), interpolation=cv2.INTER_AREA)
            labels[name] = parsed
    if not images:
        raise DatasetError(f"no usable image in {folder} ({len(rejected)} files rejected): {_EXPECTED}")
    age, gender, race = np.array(list(labels.values()), np.int64).T
    samples = Samples(
        np.array(list(images)), np.stack(list(images.values())), {"age": age, "gender": gender, "race": race}
    )
    return Dataset("utkface", samples, tuple(rejected))

"""Training images in one small file, for machines that are lent for minutes; ``python -m models.pack`` writes it.

``DATASET.pack.npz`` holds the side that networks learn from and the one that training chooses on, as WebP. The side
for reporting is never in it: figures are measured on the original images.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.storage import load_npz, save_npz
from core.datasets.samples import Rejected, Samples, few, resized
from core.datasets.splits import SplitDataset
from core.errors import ConfigError, DatasetError
from core.tasks import DATASET_SIDES

QUALITIES = (95, 90, 85, 80, 75, 70, 60, 50, 40)
"""On WebP's scale of 100; the first at which everything fits is taken."""
_TRIED = 300
"""Images of each side that the size of all is estimated from ..."""
_MARGIN = 0.95
"""... and the share of what is allowed that the estimate may take: the rest is for names, labels and luck."""
_MIB = 2**20


@dataclass(frozen=True)
class PackedDataset(SplitDataset):
    """Without the side for reporting, and with images that lost a little: ``quality`` as in ``QUALITIES``."""

    quality: int

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"packed_quality": self.quality}


def has_pack(folder: Path, dataset: str) -> bool:
    return _file(folder, dataset).is_file()


def without_reporting(data: SplitDataset, image_size: int) -> SplitDataset:
    """What training may see of ``data``, at ``image_size``."""
    sides = {
        name: Samples(samples.ids, resized(samples.images, image_size), samples.labels)
        for name, samples in data.sides.items()
        if name != DATASET_SIDES[data.name].reporting
    }
    return replace(data, sides=sides)


def best_quality(data_sets: Sequence[SplitDataset], most_bytes: float) -> int:
    """The best at which the images of all fit into ``most_bytes``. Raises ``ConfigError`` if they do not fit at all."""
    for quality in QUALITIES:
        estimate = sum(_estimated_bytes(data, quality) for data in data_sets)
        if estimate <= _MARGIN * most_bytes:
            return quality
    raise ConfigError(
        f"the images take {estimate / _MIB:.1f} MiB even in quality {quality}, only {most_bytes / _MIB:.1f} are left"
    )


def write_pack(folder: Path, data: SplitDataset, quality: int) -> Path:
    """Write ``data``, which must be without its side for reporting."""
    content: dict[str, Any] = {}
    for name, samples in data.sides.items():
        if name == DATASET_SIDES[data.name].reporting:
            raise ValueError(f"the side {name} of {data.name} is for reporting and not for training")
        encoded = [_encoded(image, quality) for image in samples.images]
        content[f"{name}/images"] = np.concatenate(encoded)
        content[f"{name}/lengths"] = np.array([len(one) for one in encoded])
        content[f"{name}/ids"] = samples.ids
        content |= {f"{name}/label/{label}": values for label, values in samples.labels.items()}
    about = {
        "sides": list(data.sides),
        "channels": samples.images.shape[3],
        "quality": quality,
        "rejected": [[one.where, one.reason] for one in data.rejected],
        "near_duplicate_pairs": data.near_duplicate_pairs,
        "dropped": data.dropped,
    }
    file = _file(folder, data.name)
    folder.mkdir(parents=True, exist_ok=True)
    # Compression is for names and labels: as arrays of text they take as much as a tenth of the images.
    save_npz(file, {"about": np.array(json.dumps(about)), **content})
    return file


def read_pack(folder: Path, dataset: str, image_size: int) -> PackedDataset:
    """All sides, at ``image_size``. Raises ``DatasetError`` for a file that is no pack, and for one whose images are
    smaller than that."""
    file = _file(folder, dataset)
    try:
        content = load_npz(file)
        about = json.loads(str(content["about"]))
        sides = {name: _side(content, name, about["channels"]) for name in about["sides"]}
        rejected = tuple(Rejected(where, reason) for where, reason in about["rejected"])
        pairs, dropped, quality = about["near_duplicate_pairs"], about["dropped"], about["quality"]
    except (OSError, ValueError, TypeError, KeyError, IndexError, cv2.error) as error:
        raise DatasetError(f"{file} is no pack of training images ({error}): make it with models.pack") from error
    size = next(iter(sides.values())).images.shape[1]
    if size < image_size:
        raise DatasetError(f"{file} holds images of {size} px, {image_size} are needed: pack them for this config too")
    sides = {name: Samples(one.ids, resized(one.images, image_size), one.labels) for name, one in sides.items()}
    return PackedDataset(dataset, sides, rejected, pairs, dropped, quality)


def _file(folder: Path, dataset: str) -> Path:
    return Path(folder) / f"{dataset}.pack.npz"


def _side(content: Mapping[str, NDArray[Any]], name: str, channels: int) -> Samples:
    starts = np.cumsum(content[f"{name}/lengths"])[:-1]
    pieces = np.split(content[f"{name}/images"], starts)
    # WebP knows no grey: such images come back with three channels that are equal, but for rounding.
    flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
    images = np.stack([np.asarray(cv2.imdecode(piece, flag), np.uint8) for piece in pieces])
    prefix = f"{name}/label/"
    labels = {key.removeprefix(prefix): content[key] for key in content if key.startswith(prefix)}
    return Samples(content[f"{name}/ids"], images.reshape(*images.shape[:3], channels), labels)


def _encoded(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, encoded = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    return np.asarray(encoded, np.uint8)


def _estimated_bytes(data: SplitDataset, quality: int) -> float:
    """From a few images of each side."""
    return sum(
        len(samples) * float(np.mean([len(_encoded(image, quality)) for image in samples.images[few(samples, _TRIED)]]))
        for samples in data.sides.values()
    )

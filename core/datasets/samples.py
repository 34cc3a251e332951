"""Images with labels, and the files that were left out and why."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rejected:
    """One file or row that was left out. ``where`` is relative to the data folder."""

    where: str
    reason: str


_SHOWN_REASONS = 8
_SHOWN_EXAMPLES = 2


def describe_rejected(rejected: Sequence[Rejected]) -> str:
    """Describe in one line how many files or rows were left out, by reason with examples; empty if none were."""
    if not rejected:
        return ""
    by_reason: dict[str, list[str]] = {}
    for entry in rejected:
        by_reason.setdefault(entry.reason, []).append(entry.where)
    groups = sorted(by_reason.items(), key=lambda group: -len(group[1]))
    parts = [
        f"{len(places):,} {reason} ({', '.join(places[:_SHOWN_EXAMPLES])}{', ...' * (len(places) > _SHOWN_EXAMPLES)})"
        for reason, places in groups[:_SHOWN_REASONS]
    ]
    if others := groups[_SHOWN_REASONS:]:
        parts.append(f"{sum(len(places) for _, places in others):,} for {len(others)} other reasons")
    return f"left out: {len(rejected):,} files or rows: {'; '.join(parts)}"


@dataclass(frozen=True)
class Samples:
    """N images of one size with their labels.

    ``ids``: (N,) str, unique; ``images``: (N, H, W, C) uint8, C = 1 grey or 3 BGR;
    ``labels``: name -> (N,) array.
    """

    ids: NDArray[np.str_]
    images: NDArray[np.uint8]
    labels: Mapping[str, NDArray]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise ValueError(f"images must be (N, H, W, C) uint8, got {self.images.shape} {self.images.dtype}")
        lengths = {"ids": len(self.ids), "images": len(self.images)} | {k: len(v) for k, v in self.labels.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"all parts of Samples must have one length, got {lengths}")
        if len(np.unique(self.ids)) != len(self.ids):
            repeated = [i for i, n in Counter(self.ids.tolist()).items() if n > 1][:3]
            raise ValueError(f"sample ids must be unique, repeated: {repeated}")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray) -> Samples:
        """Return the samples at ``rows`` (indices or a boolean mask), in that order."""
        return Samples(self.ids[rows], self.images[rows], {k: v[rows] for k, v in self.labels.items()})


@dataclass(frozen=True)
class Dataset:
    """The usable samples of a data set, and the files or rows that its reader left out.

    ``files``: sample id -> image file, for those that are files. ``notes``: sentences about this copy of the data set
    that everybody who reports figures on it must know.
    """

    name: str
    samples: Samples
    rejected: tuple[Rejected, ...]
    files: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_resized(
    names: Iterable[str], readers: Mapping[str, Callable[[], NDArray[np.uint8] | str]], image_size: int
) -> tuple[dict[str, NDArray[np.uint8]], list[Rejected]]:
    """Read images by name, resized to (image_size, image_size, C) by area; and those that cannot be used.

    ``readers``: name -> function that returns (H, W, C) uint8, or the reason why there is no such image.
    """
    images: dict[str, NDArray[np.uint8]] = {}
    rejected = []
    for name in names:
        pixels = readers[name]() if name in readers else "not in this copy of the data set"
        if isinstance(pixels, str):
            rejected.append(Rejected(name, pixels))
        else:
            resized = cv2.resize(pixels, (image_size, image_size), interpolation=cv2.INTER_AREA)
            images[name] = np.asarray(resized, np.uint8)
    return images, rejected


def fingerprint(ids: Iterable[str]) -> str:
    """Hash sample ids, in any order: the first 16 hex digits of a SHA-256."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def hash_position(text: str) -> float:
    """Map ``text`` to [0, 1) by SHA-256, the same on every machine: splits are drawn by it."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


def subsample(split: Sized, count: int) -> NDArray[np.int64]:
    """Draw the rows of at most ``count`` members of a split, always the same ones."""
    return np.random.default_rng(0).permutation(len(split))[:count]


def resize_images(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize (N, H, W, C) to (N, size, size, C) by area; returns the same array if it has that size."""
    if images.shape[1:3] == (size, size):
        return images
    out = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for row, image in enumerate(images):
        out[row] = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).reshape(size, size, -1)
    return out

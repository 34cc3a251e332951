"""Near-duplicate images by perceptual hash.

The 64-bit hash (signs of the 8x8 lowest DCT frequencies of a 32x32 grey copy against their median, "pHash") finds
candidates; a pair counts when the 16x16 thumbnails also correlate, because aligned faces of different people share
their low frequencies and would otherwise collide.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MAX_DISTANCE = 8
"""Bits of 64 that the hashes of a pair may differ in."""
MIN_CORRELATION = 0.95
"""Correlation that the thumbnails of a pair must reach."""
_CHUNK = 512

Images = NDArray[np.uint8] | Sequence[NDArray[np.uint8]]


def perceptual_hashes(images: Images) -> NDArray[np.uint64]:
    """Hash N images (H, W, C) uint8 into (N,) 64 bits each."""
    hashes = np.zeros(len(images), np.uint64)
    weights = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for row, image in enumerate(images):
        small = cv2.resize(_grey(image), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
        low = cv2.dct(small)[:8, :8].ravel()
        hashes[row] = weights[low > np.median(low[1:])].sum(dtype=np.uint64)
    return hashes


def near_duplicate_pairs(images: Images) -> NDArray[np.int64]:
    """Find the (P, 2) row pairs i < j of N images (H, W, C) uint8 that show the same picture."""
    hashes = perceptual_hashes(images)
    thumbnails = _normalised_thumbnails(images)
    pairs = [np.empty((0, 2), np.int64)]
    for start in range(0, len(images), _CHUNK):
        block = hashes[start : start + _CHUNK, None]
        distance = np.bitwise_count(block ^ hashes[None, start:])
        i, j = np.nonzero(distance <= MAX_DISTANCE)
        i, j = i + start, j + start
        i, j = i[i < j], j[i < j]
        alike = np.einsum("nd,nd->n", thumbnails[i], thumbnails[j]) >= MIN_CORRELATION
        pairs.append(np.stack([i[alike], j[alike]], axis=1))
    return np.concatenate(pairs)


def group_pairs(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Group ``count`` rows by (P, 2) pairs into (count,) group numbers; a row without a pair is a group of its own."""
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = image[..., 0] if image.shape[-1] == 1 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return grey.astype(np.uint8, copy=False)


def _normalised_thumbnails(images: Images) -> NDArray[np.float32]:
    small = np.stack([cv2.resize(_grey(im), (16, 16), interpolation=cv2.INTER_AREA).ravel() for im in images])
    centred = small.astype(np.float32) - small.mean(axis=1, keepdims=True, dtype=np.float32)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)

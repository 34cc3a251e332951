"""Levels of the pyramid detector and what their cells answer, shared by training and search.

A cell answers for its centre. With s = sqrt(w h) and r = 4 strides: ``geometry[0:2]`` = (box centre - cell centre) / s,
``geometry[2:4]`` = log(w / r), log(h / r), ``geometry[4:14]`` = (landmark - cell centre) / s for the five landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 5
_LARGEST_LOG = 4.0


@dataclass(frozen=True, slots=True)
class Level:
    """``sizes_px``: sqrt(w h) of the faces that this level must find; ``tolerated_px``: that it may find."""

    stride: int
    sizes_px: tuple[float, float]
    tolerated_px: tuple[float, float]

    @property
    def reference_px(self) -> float:
        return 4.0 * self.stride


LEVELS = (
    Level(8, (9.5, 42.0), (0.0, 58.0)),
    Level(16, (28.0, 112.0), (20.0, 150.0)),
    Level(32, (78.0, np.inf), (56.0, np.inf)),
)


@dataclass(frozen=True)
class FaceArrays:
    """``xyxy`` (N, 4), ``scores`` (N,), ``landmarks`` (N, 5, 2); best score first, in pixels."""

    xyxy: NDArray[np.float64]
    scores: NDArray[np.float64]
    landmarks: NDArray[np.float64]

    def sizes(self) -> NDArray[np.float64]:
        """(N,) sqrt(w h)."""
        return np.sqrt(np.clip(self.xyxy[:, 2:] - self.xyxy[:, :2], 0, None).prod(axis=1))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> FaceArrays:
        return FaceArrays(self.xyxy[rows], self.scores[rows], self.landmarks[rows])

    def scaled(self, scale_xy: NDArray[np.float64]) -> FaceArrays:
        return FaceArrays(self.xyxy * np.tile(scale_xy, 2), self.scores, self.landmarks * scale_xy)


def cell_centers(rows: int, columns: int, stride: int) -> NDArray[np.float64]:
    """(rows, columns, 2) centres (x, y) in input pixels."""
    y, x = np.mgrid[:rows, :columns]
    return (np.stack([x, y], axis=-1) + 0.5) * stride


def decode(
    scores: NDArray[np.float32], geometry: NDArray[np.float32], level: Level, min_score: float, most: int = 400
) -> FaceArrays:
    """(H, W) and (H, W, 14) of one level -> what its cells of at least ``min_score`` answer, at most the ``most``
    best."""
    rows, columns = np.nonzero(scores >= min_score)
    found = scores[rows, columns].astype(np.float64)
    order = np.argsort(-found, kind="stable")[:most]
    rows, columns, found = rows[order], columns[order], found[order]
    cells = (np.stack([columns, rows], axis=1) + 0.5) * float(level.stride)
    numbers = geometry[rows, columns].astype(np.float64)
    sides = level.reference_px * np.exp(np.clip(numbers[:, 2:4], -_LARGEST_LOG, _LARGEST_LOG))
    size = np.sqrt(sides.prod(axis=1, keepdims=True))
    centers = cells + numbers[:, :2] * size
    xyxy = np.concatenate([centers - sides / 2, centers + sides / 2], axis=1)
    landmarks = cells[:, None] + numbers[:, 4:].reshape(-1, LANDMARKS, 2) * size[:, None]
    return FaceArrays(xyxy, found, landmarks)


def joined(parts: list[FaceArrays]) -> FaceArrays:
    """All of ``parts`` (at least one), best first."""
    together = FaceArrays(
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
    )
    return together.take(np.argsort(-together.scores, kind="stable"))

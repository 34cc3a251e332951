"""Cells of the compact detector -> boxes and points: vectorised, and the inverse of what training encodes.

A cell answers for its centre. With s = sqrt(w h): geometry[0:2] = (box centre - cell centre) / s, geometry[2:4] =
log(w / 32 px), log(h / 32 px), geometry[4:14] = (point - cell centre) / s for the five points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.geometry import iou_matrix

CELL_PX = 8
UNIT_PX = 32.0
POINTS = 5
SAME_FACE_IOU = 0.4
_LARGEST_LOG = 4.0
"""exp(4) x 32 px = 1,747 px: keeps a wild cell from overflowing."""


@dataclass(frozen=True)
class FoundCells:
    """Faces as cells answer them or as they are left after blending: ``xyxy`` (N, 4), ``points`` (N, 5, 2), ``scores``
    (N,), best first; in pixels."""

    xyxy: NDArray[np.float64]
    points: NDArray[np.float64]
    scores: NDArray[np.float64]

    def sizes(self) -> NDArray[np.float64]:
        """(N,) sqrt(w h)."""
        return np.sqrt((self.xyxy[:, 2:] - self.xyxy[:, :2]).prod(axis=1))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> FoundCells:
        return FoundCells(self.xyxy[rows], self.points[rows], self.scores[rows])

    def divided(self, zoom_xy: NDArray[np.float64]) -> FoundCells:
        """The same in the pixels of the picture that was zoomed by ``zoom_xy`` (x, y)."""
        return FoundCells(self.xyxy / np.tile(zoom_xy, 2), self.points / zoom_xy, self.scores)


def cell_centers(rows: int, columns: int) -> NDArray[np.float64]:
    """(rows, columns, 2) centres (x, y) in input pixels."""
    y, x = np.mgrid[:rows, :columns]
    return (np.stack([x, y], axis=-1) + 0.5) * CELL_PX


def decode(score: NDArray[np.float32], geometry: NDArray[np.float32], min_score: float, most: int = 512) -> FoundCells:
    """(H, W, 1) and (H, W, 14) -> what the cells of at least ``min_score`` answer, at most the ``most`` best."""
    rows, columns = np.nonzero(score[..., 0] >= min_score)
    scores = score[rows, columns, 0].astype(np.float64)
    order = np.argsort(-scores, kind="stable")[:most]
    rows, columns, scores = rows[order], columns[order], scores[order]
    cells = np.stack([columns, rows], axis=1) * float(CELL_PX) + CELL_PX / 2
    numbers = geometry[rows, columns].astype(np.float64)
    sides = UNIT_PX * np.exp(np.clip(numbers[:, 2:4], -_LARGEST_LOG, _LARGEST_LOG))
    size = np.sqrt(sides.prod(axis=1, keepdims=True))
    centers = cells + numbers[:, :2] * size
    xyxy = np.concatenate([centers - sides / 2, centers + sides / 2], axis=1)
    points = cells[:, None] + numbers[:, 4:].reshape(-1, POINTS, 2) * size[:, None]
    return FoundCells(xyxy, points, scores)


def joined(parts: Sequence[FoundCells]) -> FoundCells:
    """All of ``parts`` (at least one), best first."""
    scores = np.concatenate([part.scores for part in parts])
    together = FoundCells(
        np.concatenate([part.xyxy for part in parts]), np.concatenate([part.points for part in parts]), scores
    )
    return together.take(np.argsort(-scores, kind="stable"))


def blended(cells: FoundCells, max_iou: float = SAME_FACE_IOU, blend_iou: float = 0.6) -> FoundCells:
    """One face for all cells that found the same one.

    The best cell is kept, and its box and points become the mean, weighted by score, of all that overlap it by
    ``blend_iou`` (Bazarevsky et al. 2019), which steadies them from frame to frame.
    """
    overlaps = iou_matrix(cells.xyxy, cells.xyxy)
    count = len(cells.scores)
    free = np.ones(count, bool)
    kept, weights = [], []
    for best in range(count):
        if not free[best]:
            continue
        kept.append(best)
        weight = np.where((overlaps[best] >= blend_iou) & free, cells.scores, 0.0)
        weights.append(weight / weight.sum())
        free &= overlaps[best] <= max_iou
    mixing = np.array(weights).reshape(len(kept), count)
    flat = mixing @ np.concatenate([cells.xyxy, cells.points.reshape(count, 2 * POINTS)], axis=1)
    return FoundCells(flat[:, :4], flat[:, 4:].reshape(-1, POINTS, 2), cells.scores[kept])


@dataclass(frozen=True)
class SearchedCopy:
    """Faces of one copy of a picture, blended and in the picture's pixels; ``known_px`` are the smallest and the
    largest face, sqrt(w h), that the copy shows well."""

    faces: FoundCells
    known_px: tuple[float, float]


def agreed(copies: Sequence[SearchedCopy], faintest: float) -> FoundCells:
    """One face for all copies that show it, best first.

    Its score is the mean, on the logit scale, over the copies that should show it; one that does not votes with
    ``faintest``, the lowest score that was looked at. What looks like a face in one size only is rarely one.
    """
    faces = blended(joined([copy.faces for copy in copies]))
    if len(copies) == 1:
        return faces
    sizes = faces.sizes()
    total, votes = np.zeros(len(sizes)), np.zeros(len(sizes))
    for copy in copies:
        knows = (copy.known_px[0] <= sizes) & (sizes <= copy.known_px[1])
        same = iou_matrix(faces.xyxy, copy.faces.xyxy) >= SAME_FACE_IOU
        scores = np.where(same, copy.faces.scores, faintest).max(axis=1, initial=faintest)
        total += np.where(knows, logit(scores), 0.0)
        votes += knows
    scores = np.where(votes > 0, sigmoid(total / np.maximum(votes, 1)), faces.scores)
    return joined([FoundCells(faces.xyxy, faces.points, scores)])


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """log(p / (1 - p)), finite at 0 and 1 too."""
    p = np.clip(np.asarray(probability, np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def sigmoid(logits: ArrayLike) -> NDArray[np.float64]:
    """The inverse of ``logit``."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(logits, np.float64))))

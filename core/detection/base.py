"""What every detector offers, and the arrays that detectors compute with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core import geometry
from core.types import Box, Detection, Landmarks

LANDMARKS = 5


class FaceDetector(Protocol):
    """Finds faces; safe to call from several threads."""

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections in frame pixels, best score first; empty when nobody is in view."""
        ...


@dataclass(frozen=True)
class FaceArrays:
    """N faces in pixels of one image: ``xyxy`` (N, 4), ``scores`` (N,) and ``landmarks`` (N, 5, 2) in the order of
    ``core.types.Landmarks``, NaN where a landmark is unknown."""

    xyxy: NDArray[np.float64]
    scores: NDArray[np.float64]
    landmarks: NDArray[np.float64]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.xyxy.shape != (count, 4) or self.landmarks.shape != (count, LANDMARKS, 2):
            raise ValueError(
                f"{count} scores need boxes ({count}, 4) and landmarks ({count}, {LANDMARKS}, 2), "
                f"got {self.xyxy.shape} and {self.landmarks.shape}"
            )

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def from_detections(cls, detections: Iterable[Detection]) -> FaceArrays:
        """Convert detections, in their order."""
        rows = list(detections)
        unknown = ((np.nan, np.nan),) * LANDMARKS
        landmarks = [row.landmarks.points if row.landmarks else unknown for row in rows]
        return cls(
            geometry.as_xyxy(row.box for row in rows),
            np.array([row.score for row in rows], np.float64),
            np.array(landmarks, np.float64).reshape(-1, LANDMARKS, 2),
        )

    def to_detections(self) -> tuple[Detection, ...]:
        """Convert to detections, in the order of the rows; a face with an unknown landmark has none."""
        rows = zip(self.xyxy.tolist(), self.scores.tolist(), self.landmarks.tolist(), strict=True)
        return tuple(Detection(Box(*box), score, _to_landmarks(five)) for box, score, five in rows)

    @classmethod
    def merge(cls, parts: Sequence[FaceArrays]) -> FaceArrays:
        """Concatenate at least one set of faces, in their order."""
        return cls(
            np.concatenate([part.xyxy for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> FaceArrays:
        """Select faces by index or mask."""
        return FaceArrays(self.xyxy[rows], self.scores[rows], self.landmarks[rows])

    def best_first(self) -> FaceArrays:
        """Sort by falling score; equal scores keep their order."""
        return self.take(np.argsort(-self.scores, kind="stable"))

    def scale(self, factor_xy: ArrayLike) -> FaceArrays:
        """Multiply all coordinates by the factors (x, y)."""
        return FaceArrays(self.xyxy * np.tile(factor_xy, 2), self.scores, self.landmarks * np.asarray(factor_xy))

    def sizes(self) -> NDArray[np.float64]:
        """Compute sqrt(w h) of each box, (N,); 0 for a box turned inside out."""
        return np.sqrt(geometry.areas(self.xyxy))


def _to_landmarks(points: list[list[float]]) -> Landmarks | None:
    left_eye, right_eye, nose, left_mouth, right_mouth = ((x, y) for x, y in points)
    return Landmarks(left_eye, right_eye, nose, left_mouth, right_mouth) if np.isfinite(points).all() else None

"""Boxes and landmarks by OpenCV's YuNet for photographs that nobody annotated: the mean over several views."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.boxes import iou_matrix
from core.types import MIRRORED_POINTS

LEAST_SCORE = 0.3
_SAME_FACE_IOU = 0.45
_COLUMNS = 15
"""Box (x, y, w, h), five landmarks (x, y), score."""


@dataclass(frozen=True)
class PseudoLabels:
    """``xyxy`` (N, 4), ``landmarks`` (N, 5, 2) in the order of ``core.types.Landmarks``, ``scores`` (N,), the mean over
    all views, 0 where a view shows nothing."""

    xyxy: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    scores: NDArray[np.float64]


class PseudoLabeller:
    """YuNet on the picture and its mirror image, each at every one of ``zooms``. Not for two threads at once."""

    def __init__(self, file: Path, zooms: tuple[float, ...]) -> None:
        self._network = cv2.FaceDetectorYN.create(str(file), "", (320, 320), LEAST_SCORE)
        self._zooms = zooms

    def label(self, image: NDArray[np.uint8]) -> PseudoLabels:
        """(H, W, 3) uint8 BGR -> faces in its pixels, best score first."""
        views = [self._view(image, zoom, mirrored) for zoom in self._zooms for mirrored in (False, True)]
        rows = np.concatenate(views)
        rows = rows[np.argsort(-rows[:, 14], kind="stable")]
        xyxy = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        overlaps, free = iou_matrix(xyxy, xyxy), np.ones(len(rows), bool)
        found = []
        for row in range(len(rows)):
            if free[row]:
                same = free & (overlaps[row] >= _SAME_FACE_IOU)
                free &= ~same
                mean = np.concatenate([xyxy[same].mean(axis=0), rows[same, 4:14].mean(axis=0)])
                found.append(np.append(mean, min(1.0, rows[same, 14].sum() / len(views))))
        faces = np.array(found).reshape(-1, _COLUMNS)
        faces = faces[np.argsort(-faces[:, 14], kind="stable")]
        return PseudoLabels(faces[:, :4], faces[:, 4:14].reshape(-1, 5, 2), faces[:, 14])

    def _view(self, image: NDArray[np.uint8], zoom: float, mirrored: bool) -> NDArray[np.float64]:
        kind = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        view = image if zoom == 1 else cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=kind)
        view = view[:, ::-1].copy() if mirrored else view
        self._network.setInputSize((view.shape[1], view.shape[0]))
        _, rows = self._network.detect(view)
        rows = np.empty((0, _COLUMNS)) if rows is None else np.asarray(rows, np.float64)
        rows = rows[np.isfinite(rows).all(axis=1)]
        if mirrored:
            landmarks = rows[:, 4:14].reshape(-1, 5, 2)
            landmarks[..., 0] = view.shape[1] - landmarks[..., 0]
            rows[:, 4:14] = landmarks[:, MIRRORED_POINTS].reshape(-1, 10)
            rows[:, 0] = view.shape[1] - rows[:, 0] - rows[:, 2]
        rows[:, :14] *= np.tile([image.shape[1] / view.shape[1], image.shape[0] / view.shape[0]], 7)
        return np.asarray(rows, np.float64)

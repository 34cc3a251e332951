"""Pseudo-labels of OpenCV's YuNet for photographs that nobody annotated: the mean over several views."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detection.base import LANDMARKS, FaceArrays
from core.detection.yunet import open_network
from core.geometry import iou_matrix
from core.types import MIRRORED_POINTS

MIN_VIEW_SCORE = 0.3
_SAME_FACE_IOU = 0.45
_COLUMNS = 15
"""Box (x, y, w, h), five landmarks (x, y), score."""


class PseudoLabeler:
    """YuNet on an image and its mirror image, each at every one of ``zooms``. Not thread-safe."""

    def __init__(self, yunet: Path, zooms: tuple[float, ...]) -> None:
        self._network = open_network(yunet.read_bytes(), MIN_VIEW_SCORE)
        self._zooms = zooms

    def label(self, image: NDArray[np.uint8]) -> FaceArrays:
        """(H, W, 3) uint8 BGR -> faces in its pixels, best first. A score is the mean over all views, 0 where a view
        shows nothing of at least ``MIN_VIEW_SCORE``."""
        views = [self._search(image, zoom, mirrored) for zoom in self._zooms for mirrored in (False, True)]
        rows = np.concatenate(views)
        rows = rows[np.argsort(-rows[:, 14], kind="stable")]
        xyxy = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        overlaps, free = iou_matrix(xyxy, xyxy), np.ones(len(rows), bool)
        found = []
        for row in range(len(rows)):
            if free[row]:
                same = free & (overlaps[row] >= _SAME_FACE_IOU)
                free &= ~same
                score = min(1.0, rows[same, 14].sum() / len(views))
                found.append([*xyxy[same].mean(axis=0), *rows[same, 4:14].mean(axis=0), score])
        faces = np.array(found).reshape(-1, _COLUMNS)
        return FaceArrays(faces[:, :4], faces[:, 14], faces[:, 4:14].reshape(-1, LANDMARKS, 2)).best_first()

    def _search(self, image: NDArray[np.uint8], zoom: float, mirrored: bool) -> NDArray[np.float64]:
        """Rows of ``_COLUMNS`` in pixels of ``image``."""
        interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        view = np.asarray(cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=interpolation), np.uint8)
        width = view.shape[1]
        view = view[:, ::-1].copy() if mirrored else view
        self._network.setInputSize((width, view.shape[0]))
        _, found = self._network.detect(view)
        rows = np.empty((0, _COLUMNS)) if found is None else np.asarray(found, np.float64)
        rows = rows[np.isfinite(rows).all(axis=1)]
        if mirrored:
            landmarks = rows[:, 4:14].reshape(-1, LANDMARKS, 2)[:, MIRRORED_POINTS]
            landmarks[..., 0] = width - landmarks[..., 0]
            rows[:, 4:14] = landmarks.reshape(-1, 10)
            rows[:, 0] = width - rows[:, 0] - rows[:, 2]
        rows[:, :14] *= np.tile([image.shape[1] / width, image.shape[0] / view.shape[0]], 7)
        return rows

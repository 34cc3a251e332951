"""Our detector on three levels: ``models/architectures/face_detector_pyramid.py`` served by LiteRT.

One pass finds faces from about 10 pixels to larger than a picture of 256. So a larger picture is read twice: in full
detail, and in an overview of 256 pixels where the largest faces are looked for. Where neither shows a face, the other
three ways up are tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.boxes import iou_matrix
from core.detection.pyramid_levels import LANDMARKS, LEVELS, FaceArrays, decode, joined
from core.litert import LiteRTRunners
from core.types import Box, Detection, Landmarks

_MULTIPLE = 32
_OVERVIEW_PX = 256
MIN_CANDIDATE_SCORE = 0.1
"""Cells below it take no part in the mean of those that found the same face."""
_SAME_FACE_IOU, _MEAN_IOU = 0.4, 0.55
_INSIDE, _INSIDE_SIZE = 0.85, 0.7

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PyramidSearch:
    """How a picture is searched.

    It is reduced to ``largest_side_px``; one of less than ``enlarged_side_px`` is enlarged to that, at most twofold.
    Pictures of more than ``one_pass_px`` are looked over at ``overview_px`` too, for faces of at least
    ``overview_face_px`` there; in full detail faces of up to ``detail_face_px`` are looked for then. Faces of less than
    ``min_face_px`` (sqrt(w h)) of the picture, or of the copy if that is smaller, do not count. With ``turned`` the
    other three ways up are tried where no face is found."""

    largest_side_px: int = 1920
    enlarged_side_px: int = 384
    one_pass_px: int = 352
    overview_px: int = _OVERVIEW_PX
    overview_face_px: float = 40.0
    detail_face_px: float = 300.0
    min_face_px: float = 13.0
    turned: bool = True


LIVE_SEARCH = PyramidSearch(largest_side_px=320, enlarged_side_px=320, turned=False)


class PyramidNetwork:
    """The network alone: an image in, decoded cells out. Safe to share between threads."""

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        """Raises ``ValueError`` or ``RuntimeError`` if ``content`` is no LiteRT model with ``serving_default``."""
        # A change of size makes LiteRT plan anew, which takes longer than the search: overviews have their own.
        self._overview, self._detail = (LiteRTRunners(content, num_threads) for _ in range(2))

    def cells(self, image: Image, min_score: float) -> FaceArrays:
        """(H, W, 3) uint8 BGR, H and W multiples of 32 -> what its cells answer, best first."""
        runners = self._overview if max(image.shape[:2]) <= _OVERVIEW_PX else self._detail
        return decode_levels(runners.run(image=image[None]), min_score)


def decode_levels(outputs: Mapping[str, NDArray[np.float32]], min_score: float) -> FaceArrays:
    """``score_s`` (1, H/s, W/s, 1) and ``geometry_s`` (1, H/s, W/s, 14) of all strides s -> faces, best first."""
    return joined(
        [
            decode(outputs[f"score_{one.stride}"][0, ..., 0], outputs[f"geometry_{one.stride}"][0], one, min_score)
            for one in LEVELS
        ]
    )


class PyramidDetector:
    """Faces from about 12 px in the searched copy to larger than the frame, in profile, and in photographs any way up.

    ``score`` is a confidence in [0, 1], not a calibrated probability.
    """

    def __init__(self, network: PyramidNetwork, min_score: float, search: PyramidSearch = PyramidSearch()) -> None:
        self._network, self._min_score, self._search = network, min_score, search

    def detect(self, frame: Image) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections with landmarks in frame pixels, best score first."""
        found, _ = self.faces(frame)
        rows = zip(found.xyxy.tolist(), found.scores.tolist(), found.landmarks.tolist(), strict=True)
        return tuple(Detection(Box(*box), score, _landmarks(five)) for box, score, five in rows)

    def faces(self, frame: Image) -> tuple[FaceArrays, int]:
        """Faces in frame pixels, and by how many quarter turns against the clock the frame had to be turned."""
        found = self._upright(frame)
        if len(found.scores) or not self._search.turned:
            return found, 0
        turned = [(self._upright(np.ascontiguousarray(np.rot90(frame, turns))), turns) for turns in (1, 2, 3)]
        best, turns = max(turned, key=lambda one: float(one[0].scores.max(initial=0.0)))
        return (turned_back(best, turns, frame.shape[1], frame.shape[0]), turns) if len(best.scores) else (found, 0)

    def _upright(self, frame: Image) -> FaceArrays:
        search, longest_px = self._search, max(frame.shape[:2])
        side_px = max(min(longest_px, search.largest_side_px), min(2 * longest_px, search.enlarged_side_px))
        faintest = min(MIN_CANDIDATE_SCORE, self._min_score)
        image, zoom_xy = letterbox(frame, side_px)
        cells = self._network.cells(image, faintest)
        cells = cells.take(cells.sizes() >= search.min_face_px * max(1.0, float(zoom_xy.max())))
        if side_px > search.one_pass_px:
            cells = cells.take(cells.sizes() <= search.detail_face_px)
            image, overview_xy = letterbox(frame, search.overview_px)
            overview = self._network.cells(image, faintest)
            overview = overview.take(overview.sizes() >= search.overview_face_px)
            cells = joined([cells.scaled(1 / zoom_xy), overview.scaled(1 / overview_xy)])
        else:
            cells = cells.scaled(1 / zoom_xy)
        return weighted_nms(cells, self._min_score)


def weighted_nms(cells: FaceArrays, min_score: float) -> FaceArrays:
    """One face for all cells that found the same one, if the best of them has ``min_score``.

    Its box and landmarks are the mean, weighted by score, of the cells that overlap it most (Bazarevsky et al. 2019). A
    smaller one that lies inside a better one is a part of it.
    """
    count = len(cells.scores)
    overlaps, inside = iou_matrix(cells.xyxy, cells.xyxy), _inside(cells.xyxy)
    sizes = cells.sizes()
    free = np.ones(count, bool)
    kept, means = [], []
    flat = np.concatenate([cells.xyxy, cells.landmarks.reshape(count, 2 * LANDMARKS)], axis=1)
    for best in range(count):
        if cells.scores[best] < min_score:
            break
        if not free[best]:
            continue
        weights = np.where(free & (overlaps[best] >= _MEAN_IOU), cells.scores, 0.0)
        kept.append(best)
        means.append(weights @ flat / weights.sum())
        part = (inside[:, best] >= _INSIDE) & (sizes <= _INSIDE_SIZE * sizes[best])
        free &= (overlaps[best] <= _SAME_FACE_IOU) & ~part
    mean = np.array(means).reshape(len(kept), flat.shape[1])
    return FaceArrays(mean[:, :4], cells.scores[kept], mean[:, 4:].reshape(-1, LANDMARKS, 2))


def letterbox(frame: Image, side_px: int) -> tuple[Image, NDArray[np.float64]]:
    """The frame with its longer side zoomed to ``side_px``, padded at the right and bottom to multiples of 32; and the
    zoom (x, y)."""
    height, width = frame.shape[:2]
    zoom = side_px / max(height, width)
    wide, high = max(1, round(width * zoom)), max(1, round(height * zoom))
    if zoom != 1.0:
        kind = cv2.INTER_AREA if zoom < 1.0 else cv2.INTER_LINEAR
        frame = np.asarray(cv2.resize(frame, (wide, high), interpolation=kind), np.uint8)
    right, bottom = -wide % _MULTIPLE, -high % _MULTIPLE
    if right or bottom:
        frame = np.asarray(cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_CONSTANT), np.uint8)
    return frame, np.array([wide / width, high / height])


def turned_back(faces: FaceArrays, turns: int, width: int, height: int) -> FaceArrays:
    """Faces of a ``width`` x ``height`` picture that was turned by ``np.rot90(picture, turns)``, in its own pixels."""

    def back(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points[..., 0], points[..., 1]
        if turns == 1:
            return np.stack([width - y, x], axis=-1)
        if turns == 2:
            return np.stack([width - x, height - y], axis=-1)
        return np.stack([y, height - x], axis=-1)

    corners = back(faces.xyxy.reshape(-1, 2, 2))
    xyxy = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return FaceArrays(xyxy, faces.scores, back(faces.landmarks))


def _inside(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, N): share of the first box that lies in the second."""
    low = np.maximum(xyxy[:, None, :2], xyxy[None, :, :2])
    high = np.minimum(xyxy[:, None, 2:], xyxy[None, :, 2:])
    area = (xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1)
    return np.clip(high - low, 0, None).prod(axis=2) / np.maximum(area, 1e-9)[:, None]


def _landmarks(five: list[list[float]]) -> Landmarks:
    left_eye, right_eye, nose, left_mouth, right_mouth = ((x, y) for x, y in five)
    return Landmarks(left_eye, right_eye, nose, left_mouth, right_mouth)

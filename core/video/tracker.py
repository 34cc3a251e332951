"""Track faces from frame to frame: each keeps its id, and its box and attributes are averaged over time.

Time is an argument of every call; nothing here reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from core import geometry
from core.geometry import Floats
from core.settings import TrackingSettings
from core.types import AgeEstimate, Analysis, Box, EmotionEstimate, Face, GenderEstimate
from core.video import smoothing

GATE = 0.6
"""Largest distance, in face sizes, between prediction and detection of the same face without overlap."""

GATE_PER_S = 4.0
"""Growth of the gate per second since the face was last seen, because it may have changed direction or speed."""

MAX_GATE = 1.6
"""Upper limit of the gate in face sizes."""

MAX_SIZE_RATIO = 2.0
"""Boxes without overlap match only if their sizes differ by less than this factor."""

MAX_PREDICTION_S = 0.5
"""A lost face is predicted to keep its velocity for this long; longer predictions are worse than none."""

VELOCITY_S = 0.3
"""Time constant of the velocity: long enough to average out noise of the detector."""

MAX_FRAME_GAP_S = 5.0
"""Faces of the previous frame are kept across longer gaps than ``max_age_s``, up to this one, for slow machines."""

_IMPOSSIBLE = 1e6


@dataclass(slots=True)
class _Track:
    """State of one face; boxes (x1, y1, x2, y2) in pixels and ``velocity`` of their sides in pixels per second."""

    track_id: int
    measured: Floats
    smoothed: Floats
    velocity: Floats
    seen_s: float
    updates: int = 0
    emotion: EmotionEstimate | None = None
    age: AgeEstimate | None = None
    gender: GenderEstimate | None = None

    def predict(self, now_s: float) -> Floats:
        """Return the (4,) box at ``now_s``, moved with constant velocity."""
        ahead_s = min(max(now_s - self.seen_s, 0.0), MAX_PREDICTION_S)
        return self.measured + np.tile((self.velocity[:2] + self.velocity[2:]) / 2 * ahead_s, 2)

    def speed(self) -> float:
        """Return the speed of the fastest side in face sizes per second."""
        return float(np.abs(self.velocity / np.tile(geometry.sizes([self.measured])[0], 2)).max())

    def update(self, measured: Floats, face: Face, now_s: float, smoothing_s: float) -> None:
        """Take in a new detection of this face."""
        elapsed_s = max(now_s - self.seen_s, 0.0)
        if elapsed_s > 0:
            self.updates += 1
            # Until there are enough updates for an average over VELOCITY_S, their mean counts.
            alpha = max(smoothing.ema_alpha(elapsed_s, VELOCITY_S), 1 / self.updates)
            self.velocity = self.velocity + ((measured - self.measured) / elapsed_s - self.velocity) * alpha
        self.measured = measured
        self.seen_s = max(now_s, self.seen_s)
        self.smoothed = smoothing.one_euro_step(self.smoothed, measured, self.speed(), elapsed_s, smoothing_s)
        alpha = smoothing.ema_alpha(elapsed_s, smoothing_s)
        self.emotion = smoothing.average_classes(self.emotion, face.emotion, alpha)
        self.age = smoothing.average_age(self.age, face.age, alpha)
        self.gender = smoothing.average_classes(self.gender, face.gender, alpha)

    def rescale(self, factors: Floats) -> None:
        """Multiply all coordinates by (4,) ``factors``."""
        self.measured, self.smoothed = self.measured * factors, self.smoothed * factors
        self.velocity = self.velocity * factors


class FaceTracker:
    """Assigns ids to the faces of a session, starting at 1; ids are never reused, not even after a reset.

    ``settings`` may be replaced between two calls. Not thread-safe.
    """

    def __init__(self, settings: TrackingSettings = TrackingSettings()) -> None:
        self.settings = settings
        self._tracks: list[_Track] = []
        self._before_reset: list[_Track] = []
        self._resolution_wh: tuple[int, int] | None = None
        self._updated_s = float("-inf")
        self._next_id = 1

    def reset(self) -> None:
        """Drop all tracks: faces in view get new ids. ``predict_lost`` still returns their boxes for a while."""
        self._before_reset, self._tracks = self._tracks, []

    def update(self, analysis: Analysis, now_s: float) -> Analysis:
        """Track the faces of the frame taken at ``now_s`` (seconds, any origin).

        Returns ``analysis`` with ``track_id`` set and with smoothed boxes and attributes; landmarks move along with
        their boxes. Lost faces are not in the result, see ``predict_lost``.
        """
        self._tracks = self._drop_old(self._tracks, now_s)
        self._before_reset = self._drop_old(self._before_reset, now_s)
        self._updated_s = now_s
        self._rescale(analysis.resolution_wh)
        matches = self._match(analysis.xyxy, now_s)
        faces = []
        for row, (xyxy, face) in enumerate(zip(analysis.xyxy, analysis.faces, strict=True)):
            track = matches.get(row)
            if track is None:
                track = self._start(xyxy, face, now_s)
            else:
                track.update(xyxy, face, now_s, self.settings.smoothing_s)
            faces.append(_smoothed_face(face, track))
        return replace(analysis, faces=tuple(faces))

    def predict_lost(self, now_s: float) -> Floats:
        """Return the predicted (N, 4) boxes of the faces that were last seen before ``now_s`` and are still tracked, in
        pixels of the latest frame."""
        lost = [track.predict(now_s) for track in self._tracks + self._before_reset if track.seen_s < now_s]
        return np.array(lost, np.float64).reshape(-1, 4)

    def _rescale(self, resolution_wh: tuple[int, int]) -> None:
        """Follow a camera that changes its resolution while streaming."""
        if self._resolution_wh not in (None, resolution_wh):
            factors = np.tile(np.divide(resolution_wh, self._resolution_wh), 2)
            for track in self._tracks + self._before_reset:
                track.rescale(factors)
        self._resolution_wh = resolution_wh

    def _drop_old(self, tracks: list[_Track], now_s: float) -> list[_Track]:
        return [track for track in tracks if now_s - track.seen_s < self._max_age_s(track)]

    def _max_age_s(self, track: _Track) -> float:
        in_previous_frame = track.seen_s >= self._updated_s
        return max(self.settings.max_age_s, MAX_FRAME_GAP_S) if in_previous_frame else self.settings.max_age_s

    def _match(self, detected: Floats, now_s: float) -> dict[int, _Track]:
        """Assign (N, 4) detected boxes to tracks with the least total cost; returns row -> track."""
        if not self._tracks or not len(detected):
            return {}
        costs = self._costs(detected, now_s)
        rows, columns = linear_sum_assignment(costs)
        return {
            int(column): self._tracks[row]
            for row, column in zip(rows, columns, strict=True)
            if costs[row, column] < _IMPOSSIBLE
        }

    def _costs(self, detected: Floats, now_s: float) -> Floats:
        """Return (tracks, detections) costs: 1 - IoU plus the distance of the centres in face sizes.

        Distance counts beside overlap because all pairs without overlap have the same IoU, and because it still
        separates two people whose boxes cover each other while they cross.
        """
        predicted = np.stack([track.predict(now_s) for track in self._tracks])
        gaps_s = np.array([max(now_s - track.seen_s, 0.0) for track in self._tracks])[:, None]
        overlap = geometry.iou_matrix(predicted, detected)
        mean_sizes = (geometry.sizes(predicted)[:, None] + geometry.sizes(detected)[None]) / 2
        shifts = (geometry.centers(predicted)[:, None] - geometry.centers(detected)[None]) / mean_sizes
        distance = np.linalg.norm(shifts, axis=2)
        ratio = np.sqrt(geometry.areas(predicted)[:, None] / geometry.areas(detected)[None])
        same_size = np.maximum(ratio, 1 / ratio) < MAX_SIZE_RATIO
        inside_gate = distance <= np.minimum(GATE + GATE_PER_S * gaps_s, MAX_GATE)
        possible = (overlap >= self.settings.min_iou) | (same_size & inside_gate)
        return np.where(possible, 1 - overlap + distance, _IMPOSSIBLE)

    def _start(self, xyxy: Floats, face: Face, now_s: float) -> _Track:
        track = _Track(self._next_id, xyxy, xyxy, np.zeros(4), now_s)
        track.emotion, track.age, track.gender = face.emotion, face.age, face.gender
        self._next_id += 1
        self._tracks.append(track)
        return track


def _smoothed_face(face: Face, track: _Track) -> Face:
    detection = smoothing.move_detection(face.detection, Box(*track.smoothed.tolist()))
    return replace(
        face,
        detection=detection,
        emotion=track.emotion,
        age=track.age,
        gender=track.gender,
        track_id=track.track_id,
    )

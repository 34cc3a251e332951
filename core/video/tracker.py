"""Faces keep their number from frame to frame, and what was read from each is averaged over time.

Boxes are kept as fractions of the frame, so a camera that changes its resolution while streaming changes
nothing here. Time comes in with every call; nothing reads a clock.
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

GATE_AT_ONCE = 0.6
"""How far, in face sizes, a face may be from where it is expected and still be the same one without overlap ..."""

GATE_PER_S = 4.0
"""... how much farther for each second since it was seen, as it may have turned, or started to run ..."""

MAX_GATE = 1.6
"""... and how far at most."""

MAX_SIZE_RATIO = 2.0
"""Boxes that do not overlap are the same face only if neither is this many times as large as the other."""

MAX_PREDICTION_S = 0.5
"""A face out of sight is expected to go on at its speed for this long; a longer guess is worse than none."""

VELOCITY_S = 0.3
"""Time constant of a face's velocity: long enough that noise of the detector does not look like walking."""

LONGEST_FRAME_S = 5.0
"""A face of the frame before is not forgotten on a machine so slow that more than ``max_age_s`` lie between two frames;
after a gap longer than this the picture had stopped, and anybody may be there now."""

_IMPOSSIBLE = 1e6


@dataclass(slots=True)
class _Track:
    """One face; boxes and the velocity of their sides (x1, y1, x2, y2) are in fractions of the frame, and of the
    frame per second."""

    track_id: int
    measured: Floats
    smoothed: Floats
    velocity: Floats
    seen_s: float
    moves: int = 0
    emotion: EmotionEstimate | None = None
    age: AgeEstimate | None = None
    gender: GenderEstimate | None = None

    def expected(self, now_s: float) -> Floats:
        """``(4,)`` box where the face should be now, had it kept its speed."""
        ahead_s = min(max(now_s - self.seen_s, 0.0), MAX_PREDICTION_S)
        return self.measured + np.tile((self.velocity[:2] + self.velocity[2:]) / 2 * ahead_s, 2)

    def speed(self) -> float:
        """Face sizes per second of the side that moves fastest."""
        return float(np.abs(self.velocity / np.tile(geometry.sizes([self.measured])[0], 2)).max())

    def move_to(self, measured: Floats, now_s: float) -> None:
        """Seen again, at ``measured``. Until there are enough moves for an average over ``VELOCITY_S``, the velocity is
        the mean of all."""
        elapsed_s = now_s - self.seen_s
        if elapsed_s > 0:
            self.moves += 1
            share = max(smoothing.weight(elapsed_s, VELOCITY_S), 1 / self.moves)
            self.velocity = self.velocity + ((measured - self.measured) / elapsed_s - self.velocity) * share
        self.measured = measured
        self.seen_s = max(now_s, self.seen_s)


class FaceTracker:
    """Gives every face of a session a number, first face 1; numbers are never used again, not even after a
    reset.

    ``settings`` may be replaced between two calls. Not for use by two threads at once.
    """

    def __init__(self, settings: TrackingSettings = TrackingSettings()) -> None:
        self.settings = settings
        self._tracks: list[_Track] = []
        self._before_reset: list[_Track] = []
        self._updated_s = float("-inf")
        self._next_id = 1

    def reset(self) -> None:
        """Forgets all faces: whoever is in view next gets a new number. Where they were is ``predict_lost`` for a while."""
        self._before_reset, self._tracks = self._tracks, []

    def update(self, analysis: Analysis, now_s: float) -> Analysis:
        """``analysis`` of the frame taken at ``now_s`` (seconds, any origin), with ``track_id`` set and
        everything averaged per face; landmarks move along with their boxes. Only faces found in this frame are
        in the result."""
        self._tracks = self._remembered(self._tracks, now_s)
        self._before_reset = self._remembered(self._before_reset, now_s)
        self._updated_s = now_s
        frame_wh = (analysis.width, analysis.height)
        found = geometry.scale(geometry.as_xyxy(face.box for face in analysis.faces), frame_wh, (1, 1))
        pairs = self._match(found, now_s)
        faces = []
        for index, face in enumerate(analysis.faces):
            track = pairs.get(index)
            if track is None:
                track = self._start(found[index], face, now_s)
            else:
                self._follow(track, found[index], face, now_s)
            faces.append(_face(face, track, frame_wh))
        return replace(analysis, faces=tuple(faces))

    def predict_lost(self, resolution_wh: tuple[int, int], now_s: float) -> tuple[Box, ...]:
        """Where the faces that were last seen before ``now_s``, and are not yet forgotten, should be now;
        pixels of a frame of ``resolution_wh``."""
        lost = [track.expected(now_s) for track in self._tracks + self._before_reset if track.seen_s < now_s]
        return tuple(_box(xyxy, resolution_wh) for xyxy in lost)

    def _remembered(self, tracks: list[_Track], now_s: float) -> list[_Track]:
        return [track for track in tracks if now_s - track.seen_s < self._limit_s(track)]

    def _limit_s(self, track: _Track) -> float:
        in_frame_before = track.seen_s >= self._updated_s
        return max(self.settings.max_age_s, LONGEST_FRAME_S) if in_frame_before else self.settings.max_age_s

    def _match(self, found: Floats, now_s: float) -> dict[int, _Track]:
        """Index of a found box -> its track, for the assignment with the least total cost."""
        if not self._tracks or not len(found):
            return {}
        costs = self._costs(found, now_s)
        rows, columns = linear_sum_assignment(costs)
        return {
            int(column): self._tracks[row]
            for row, column in zip(rows, columns, strict=True)
            if costs[row, column] < _IMPOSSIBLE
        }

    def _costs(self, found: Floats, now_s: float) -> Floats:
        """``(tracks, found)``: lack of overlap plus distance of centres in face sizes; impossible pairs cost
        a lot.

        Distance matters beside overlap because all pairs that do not overlap have the same IoU, and because
        it still tells apart two people whose boxes cover each other while they cross.
        """
        expected = np.stack([track.expected(now_s) for track in self._tracks])
        gaps_s = np.array([max(now_s - track.seen_s, 0.0) for track in self._tracks])[:, None]
        overlap = geometry.iou_matrix(expected, found)
        mean_sizes = (geometry.sizes(expected)[:, None] + geometry.sizes(found)[None]) / 2
        shifts = (geometry.centers(expected)[:, None] - geometry.centers(found)[None]) / mean_sizes
        distance = np.linalg.norm(shifts, axis=2)
        ratio = np.sqrt(geometry.areas(expected)[:, None] / geometry.areas(found)[None])
        alike = np.maximum(ratio, 1 / ratio) < MAX_SIZE_RATIO
        near = alike & (distance <= np.minimum(GATE_AT_ONCE + GATE_PER_S * gaps_s, MAX_GATE))
        possible = (overlap >= self.settings.min_iou) | near
        return np.where(possible, 1 - overlap + distance, _IMPOSSIBLE)

    def _start(self, measured: Floats, face: Face, now_s: float) -> _Track:
        track = _Track(self._next_id, measured, measured, np.zeros(4), now_s)
        track.emotion, track.age, track.gender = face.emotion, face.age, face.gender
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _follow(self, track: _Track, measured: Floats, face: Face, now_s: float) -> None:
        elapsed_s = max(now_s - track.seen_s, 0.0)
        smoothing_s = self.settings.smoothing_s
        track.move_to(measured, now_s)
        track.smoothed = smoothing.one_euro_step(track.smoothed, measured, track.speed(), elapsed_s, smoothing_s)
        share = smoothing.weight(elapsed_s, smoothing_s)
        track.emotion = smoothing.mean_emotion(track.emotion, face.emotion, share)
        track.age = smoothing.mean_age(track.age, face.age, share)
        track.gender = smoothing.mean_gender(track.gender, face.gender, share)


def _box(fractions: Floats, resolution_wh: tuple[int, int]) -> Box:
    x1, y1, x2, y2 = geometry.scale([fractions], (1, 1), resolution_wh)[0]
    return Box(float(x1), float(y1), float(x2), float(y2))


def _face(face: Face, track: _Track, frame_wh: tuple[int, int]) -> Face:
    detection = smoothing.moved(face.detection, _box(track.smoothed, frame_wh))
    return replace(
        face,
        detection=detection,
        emotion=track.emotion,
        age=track.age,
        gender=track.gender,
        track_id=track.track_id,
    )

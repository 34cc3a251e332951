"""Faces keep their number from frame to frame, and what was read from each is averaged over time.

Boxes are kept as fractions of the frame, so a camera that changes its resolution while streaming changes
nothing here. Time comes in with every call; nothing reads a clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from core import boxes
from core.boxes import Floats
from core.settings import TrackingSettings
from core.types import AgeEstimate, Analysis, Box, EmotionEstimate, Face, GenderEstimate

REACH_AT_ONCE = 0.6
"""How far, in face sizes, a face may jump between two frames and still be the same one without overlap ..."""

REACH_PER_S = 1.0
"""... and how much farther for each second that it was out of sight."""

MAX_SIZE_RATIO = 2.0
"""Boxes that do not overlap are the same face only if neither is this many times as large as the other."""

MAX_PREDICTION_S = 0.5
"""A face out of sight is expected to go on at its speed for this long; a longer guess is worse than none."""

JITTER = 0.25
"""A shift of this many face sizes is a movement, which the box follows at once; less is smoothed as
jitter."""

_IMPOSSIBLE = 1e6


@dataclass(slots=True)
class _Track:
    """One face; boxes and velocity (x, y) are in fractions of the frame, and of the frame per second."""

    track_id: int
    measured: Floats
    smoothed: Floats
    velocity: Floats
    seen_s: float
    emotion: EmotionEstimate | None = None
    age: AgeEstimate | None = None
    gender: GenderEstimate | None = None

    def expected(self, now_s: float) -> Floats:
        """``(4,)`` box where the face should be now, had it kept its speed."""
        ahead_s = min(max(now_s - self.seen_s, 0.0), MAX_PREDICTION_S)
        return self.measured + np.tile(self.velocity * ahead_s, 2)


class FaceTracker:
    """Gives every face of a session a number, first face 1; numbers are never used again, not even after a
    reset.

    ``settings`` may be replaced between two calls. Not for use by two threads at once.
    """

    def __init__(self, settings: TrackingSettings = TrackingSettings()) -> None:
        self.settings = settings
        self._tracks: list[_Track] = []
        self._next_id = 1

    def reset(self) -> None:
        """Forgets all faces: whoever is in view next gets a new number."""
        self._tracks = []

    def update(self, analysis: Analysis, now_s: float) -> Analysis:
        """``analysis`` of the frame taken at ``now_s`` (seconds, any origin), with ``track_id`` set and
        everything averaged per face. Only faces found in this frame are in the result."""
        self._tracks = [t for t in self._tracks if now_s - t.seen_s < self.settings.forget_s]
        frame_wh = (analysis.width, analysis.height)
        found = boxes.scale(boxes.as_xyxy(face.box for face in analysis.faces), frame_wh, (1, 1))
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

    def missing(self, resolution_wh: tuple[int, int], now_s: float) -> tuple[Box, ...]:
        """Where the faces that were last seen before ``now_s``, and are not yet forgotten, should be now;
        pixels of a frame of ``resolution_wh``."""
        lost = [track.expected(now_s) for track in self._tracks if track.seen_s < now_s]
        return tuple(_box(xyxy, resolution_wh) for xyxy in lost)

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
        overlap = boxes.iou_matrix(expected, found)
        mean_sizes = (boxes.sizes(expected)[:, None] + boxes.sizes(found)[None]) / 2
        shifts = (boxes.centers(expected)[:, None] - boxes.centers(found)[None]) / mean_sizes
        distance = np.linalg.norm(shifts, axis=2)
        ratio = np.sqrt(boxes.areas(expected)[:, None] / boxes.areas(found)[None])
        alike = np.maximum(ratio, 1 / ratio) < MAX_SIZE_RATIO
        near = alike & (distance <= REACH_AT_ONCE + REACH_PER_S * gaps_s)
        possible = (overlap >= self.settings.min_iou) | near
        return np.where(possible, 1 - overlap + distance, _IMPOSSIBLE)

    def _start(self, measured: Floats, face: Face, now_s: float) -> _Track:
        track = _Track(self._next_id, measured, measured, np.zeros(2), now_s, face.emotion, face.age, face.gender)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _follow(self, track: _Track, measured: Floats, face: Face, now_s: float) -> None:
        elapsed_s = max(now_s - track.seen_s, 0.0)
        weight = _weight(elapsed_s, self.settings.smoothing_s)
        if elapsed_s > 0:
            moved = boxes.centers([measured])[0] - boxes.centers([track.measured])[0]
            track.velocity = (track.velocity + moved / elapsed_s) / 2
        track.smoothed = _steadied(track.smoothed, measured, weight)
        track.measured = measured
        track.seen_s = max(now_s, track.seen_s)
        track.emotion = _mean_emotion(track.emotion, face.emotion, weight)
        track.age = _mean_age(track.age, face.age, weight)
        track.gender = _mean_gender(track.gender, face.gender, weight)


def _weight(elapsed_s: float, smoothing_s: float) -> float:
    """Weight of a new value in an exponential average with time constant ``smoothing_s``: independent of
    frame rate."""
    return 1.0 if smoothing_s <= 0 else 1.0 - math.exp(-elapsed_s / smoothing_s)


def _steadied(smoothed: Floats, measured: Floats, weight: float) -> Floats:
    """Average that gives way to movement: a box that trails behind a face is worse than one that trembles."""
    side = float(boxes.sizes([measured]).mean())
    shift = float(np.abs(measured - smoothed).max()) / side
    return np.asarray(smoothed + (measured - smoothed) * (weight + (1 - weight) * min(shift / JITTER, 1.0)))


def _mean(old: tuple[float, ...], new: tuple[float, ...], weight: float) -> tuple[float, ...]:
    mixed = [a + (b - a) * weight for a, b in zip(old, new, strict=True)]
    total = sum(mixed)
    return tuple(value / total for value in mixed)


# An attribute that is switched off is forgotten, so that it does not come back with an old value.
def _mean_emotion(old: EmotionEstimate | None, new: EmotionEstimate | None, weight: float) -> EmotionEstimate | None:
    if old is None or new is None:
        return new
    return EmotionEstimate(_mean(old.probabilities, new.probabilities, weight))


def _mean_gender(old: GenderEstimate | None, new: GenderEstimate | None, weight: float) -> GenderEstimate | None:
    if old is None or new is None:
        return new
    return GenderEstimate(_mean(old.probabilities, new.probabilities, weight))


def _mean_age(old: AgeEstimate | None, new: AgeEstimate | None, weight: float) -> AgeEstimate | None:
    if old is None or new is None:
        return new
    years = old.years + (new.years - old.years) * weight
    low = old.low + (new.low - old.low) * weight
    high = old.high + (new.high - old.high) * weight
    # Rounding may put a bound past the mean by the last bit, which the type refuses.
    return AgeEstimate(years, min(low, years), max(high, years))


def _box(fractions: Floats, resolution_wh: tuple[int, int]) -> Box:
    x1, y1, x2, y2 = boxes.scale([fractions], (1, 1), resolution_wh)[0]
    return Box(float(x1), float(y1), float(x2), float(y2))


def _face(face: Face, track: _Track, frame_wh: tuple[int, int]) -> Face:
    detection = replace(face.detection, box=_box(track.smoothed, frame_wh))
    return replace(
        face,
        detection=detection,
        emotion=track.emotion,
        age=track.age,
        gender=track.gender,
        track_id=track.track_id,
    )

"""Averages over time: of what is read from a face, and of its box, which must neither tremble nor trail behind.

Pure functions; time comes in as an argument.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from core.geometry import Floats
from core.types import AgeEstimate, Box, Detection, EmotionEstimate, GenderEstimate, Landmarks

BOX_SMOOTHING_S = 0.5
"""Boxes are never averaged over longer: half a second already takes three quarters of the trembling away."""

DEAD_ZONE = 0.1
"""Face sizes per second below which a movement is taken for noise of the detector ..."""

BETA = 50.0
"""... and how much faster, per second, the box follows for each face size per second above."""

Estimate = tuple[float, ...]


def weight(elapsed_s: float, smoothing_s: float) -> float:
    """Weight of a new value in an exponential average with time constant ``smoothing_s``: independent of
    frame rate."""
    return 1.0 if smoothing_s <= 0 else 1.0 - math.exp(-elapsed_s / smoothing_s)


def one_euro_step(smoothed: Floats, measured: Floats, speed: float, elapsed_s: float, smoothing_s: float) -> Floats:
    """``(4,)`` box between the one shown last and the one just found; ``speed`` in face sizes per second.

    The one-euro filter (Casiez, Roussel & Vogel 2012): an average over time that gets shorter with speed, so a face at
    rest does not tremble and a moving one is not trailed. Below ``DEAD_ZONE`` speed counts as none.
    """
    if smoothing_s <= 0:
        return measured
    rate = 1 / min(smoothing_s, BOX_SMOOTHING_S) + BETA * max(speed - DEAD_ZONE, 0.0)
    return np.asarray(smoothed + (measured - smoothed) * (1 - math.exp(-elapsed_s * rate)))


def moved(detection: Detection, box: Box) -> Detection:
    """``detection`` with its box, and its landmarks along with it, moved and scaled to ``box``."""
    if detection.landmarks is None:
        return replace(detection, box=box)
    old = detection.box
    zoom_x, zoom_y = box.width / old.width, box.height / old.height
    points = ((box.x1 + (x - old.x1) * zoom_x, box.y1 + (y - old.y1) * zoom_y) for x, y in detection.landmarks.points)
    return replace(detection, box=box, landmarks=Landmarks(*points))


# An attribute that is switched off is forgotten, so that it does not come back with an old value.
def mean_emotion(old: EmotionEstimate | None, new: EmotionEstimate | None, share: float) -> EmotionEstimate | None:
    """Average in which ``new`` weighs ``share``, in [0, 1]."""
    if old is None or new is None:
        return new
    return replace(new, probabilities=_mean(old.probabilities, new.probabilities, share))


def mean_gender(old: GenderEstimate | None, new: GenderEstimate | None, share: float) -> GenderEstimate | None:
    """Average in which ``new`` weighs ``share``, in [0, 1]."""
    if old is None or new is None:
        return new
    return replace(new, probabilities=_mean(old.probabilities, new.probabilities, share))


def mean_age(old: AgeEstimate | None, new: AgeEstimate | None, share: float) -> AgeEstimate | None:
    """Average in which ``new`` weighs ``share``, in [0, 1]."""
    if old is None or new is None:
        return new
    years = old.years + (new.years - old.years) * share
    low = old.low + (new.low - old.low) * share
    high = old.high + (new.high - old.high) * share
    # Rounding may put a bound past the mean by the last bit, which the type refuses.
    return AgeEstimate(years, min(low, years), max(high, years))


def _mean(old: Estimate, new: Estimate, share: float) -> Estimate:
    mixed = [a + (b - a) * share for a, b in zip(old, new, strict=True)]
    total = sum(mixed)
    return tuple(value / total for value in mixed)

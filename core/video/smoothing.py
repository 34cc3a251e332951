"""Temporal smoothing of boxes and attributes: pure functions, with time as an argument."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from core.geometry import Floats
from core.types import AgeEstimate, Box, ClassEstimate, Detection, Landmarks

MAX_BOX_SMOOTHING_S = 0.5
"""Longest time constant for boxes: half a second already removes three quarters of the jitter."""

DEAD_ZONE = 0.1
"""Face sizes per second; slower movement is treated as noise of the detector."""

BETA = 50.0
"""How much the smoothing rate (per second) grows with each face size per second above ``DEAD_ZONE``."""

AnyClassEstimate = TypeVar("AnyClassEstimate", bound=ClassEstimate[Any])


def ema_alpha(elapsed_s: float, smoothing_s: float) -> float:
    """Return the weight of a new value in an exponential moving average with time constant ``smoothing_s``, which makes
    the average independent of the frame rate."""
    return 1.0 if smoothing_s <= 0 else 1.0 - math.exp(-elapsed_s / smoothing_s)


def one_euro_step(smoothed: Floats, measured: Floats, speed: float, elapsed_s: float, smoothing_s: float) -> Floats:
    """Move the ``smoothed`` (4,) box towards the ``measured`` one; ``speed`` in face sizes per second.

    The one-euro filter (Casiez, Roussel & Vogel 2012): the average gets shorter with speed, so the box of a still face
    has no jitter and the box of a moving face no lag.
    """
    if smoothing_s <= 0:
        return measured
    rate = 1 / min(smoothing_s, MAX_BOX_SMOOTHING_S) + BETA * max(speed - DEAD_ZONE, 0.0)
    return np.asarray(smoothed + (measured - smoothed) * (1 - math.exp(-elapsed_s * rate)))


def move_detection(detection: Detection, box: Box) -> Detection:
    """Replace the box of ``detection``; its landmarks are moved and scaled along."""
    if detection.landmarks is None:
        return replace(detection, box=box)
    old = detection.box
    zoom_x, zoom_y = box.width / old.width, box.height / old.height
    points = ((box.x1 + (x - old.x1) * zoom_x, box.y1 + (y - old.y1) * zoom_y) for x, y in detection.landmarks.points)
    return replace(detection, box=box, landmarks=Landmarks(*points))


def average_classes(
    old: AnyClassEstimate | None, new: AnyClassEstimate | None, alpha: float
) -> AnyClassEstimate | None:
    """Average the probabilities with weight ``alpha``, in [0, 1], on ``new``, whose threshold is kept."""
    if old is None or new is None:
        return new
    mixed = [a + (b - a) * alpha for a, b in zip(old.probabilities, new.probabilities, strict=True)]
    total = sum(mixed)
    return replace(new, probabilities=tuple(value / total for value in mixed))


def average_age(old: AgeEstimate | None, new: AgeEstimate | None, alpha: float) -> AgeEstimate | None:
    """Average the age and both bounds with weight ``alpha``, in [0, 1], on ``new``."""
    if old is None or new is None:
        return new
    years = old.years + (new.years - old.years) * alpha
    low = old.low + (new.low - old.low) * alpha
    high = old.high + (new.high - old.high) * alpha
    # Rounding errors may move a bound past the mean, which the type rejects.
    return AgeEstimate(years, min(low, years), max(high, years))

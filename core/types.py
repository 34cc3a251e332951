"""Result types: frozen, validated, and independent of any framework.

A frame without faces gives an ``Analysis`` with an empty ``faces`` tuple, never ``None``. On a ``Face``, an attribute
that was not read is ``None``. Coordinates are pixels of the analysed frame, origin at the top left, x to the right.
Boxes are half-open: ``x2`` and ``y2`` are the first column and row outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

MAX_AGE = 100
"""Highest age that the networks can predict, in years; higher labels are treated as this one."""


class Emotion(StrEnum):
    """The seven classes of FER2013 in the order of its labels, which is part of every artifact."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"


class Gender(StrEnum):
    """UTKFace's two labels in the order of its codes. Networks predict *perceived* gender."""

    MALE = "male"
    FEMALE = "female"


EMOTIONS: tuple[Emotion, ...] = tuple(Emotion)
GENDERS: tuple[Gender, ...] = tuple(Gender)


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-aligned rectangle in pixels; may extend beyond the frame, never empty."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in self.xyxy):
            raise ValueError(f"box coordinates must be finite, got {self.xyxy}")
        if self.x2 <= self.x1 or self.y2 <= self.y1:
            raise ValueError(f"box must have x1 < x2 and y1 < y2, got {self.xyxy}")

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        return (self.x1, self.y1, self.x2, self.y2)

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def center(self) -> tuple[float, float]:
        return ((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    def scaled(self, x: float, y: float) -> Box:
        """Return the box in an image ``x`` times as wide and ``y`` times as high."""
        return Box(self.x1 * x, self.y1 * y, self.x2 * x, self.y2 * y)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Five points (x, y) in pixels; left and right as the viewer sees them."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    left_mouth: tuple[float, float]
    right_mouth: tuple[float, float]

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The points in the order of the fields."""
        return (self.left_eye, self.right_eye, self.nose, self.left_mouth, self.right_mouth)

    def scaled(self, x: float, y: float) -> Landmarks:
        """Return the points in an image ``x`` times as wide and ``y`` times as high."""
        return Landmarks(*((px * x, py * y) for px, py in self.points))


MIRRORED_POINTS = [1, 0, 2, 4, 3]
"""Order of the five landmarks after the image is flipped left to right."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found by a detector. ``score`` is in [0, 1]; not every detector finds landmarks."""

    box: Box
    score: float
    landmarks: Landmarks | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"detection score must be in [0, 1], got {self.score}")

    def scaled(self, x: float, y: float) -> Detection:
        """Return the detection in an image ``x`` times as wide and ``y`` times as high."""
        landmarks = None if self.landmarks is None else self.landmarks.scaled(x, y)
        return replace(self, box=self.box.scaled(x, y), landmarks=landmarks)


def _check_probabilities(name: str, probabilities: tuple[float, ...], count: int) -> None:
    if len(probabilities) != count:
        raise ValueError(f"{name} needs {count} probabilities, got {len(probabilities)}")
    if not all(math.isfinite(p) and -1e-6 <= p <= 1 + 1e-6 for p in probabilities):
        raise ValueError(f"{name} probabilities must be in [0, 1], got {probabilities}")
    if abs(sum(probabilities) - 1.0) > 1e-3:
        raise ValueError(f"{name} probabilities must sum to 1, got {sum(probabilities):.4f}")


Label = TypeVar("Label", Emotion, Gender)


@dataclass(frozen=True)
class ClassEstimate(Generic[Label]):
    """Class probabilities in the order of ``LABELS``; they sum to 1.

    ``min_confidence``, in [0, 1], is the confidence threshold: a lower best probability makes the prediction uncertain,
    but ``label`` remains the best class.
    """

    ATTRIBUTE: ClassVar[str]
    LABELS: ClassVar[tuple[Any, ...]]

    probabilities: tuple[float, ...]
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        _check_probabilities(self.ATTRIBUTE, self.probabilities, len(self.LABELS))
        if not 0.0 <= self.min_confidence <= 1.0:
            raise ValueError(f"{self.ATTRIBUTE} min_confidence must be in [0, 1], got {self.min_confidence}")

    @cached_property
    def top_two(self) -> tuple[tuple[Label, float], ...]:
        """The two most probable classes with their probabilities, highest first."""
        ranked = sorted(zip(self.LABELS, self.probabilities, strict=True), key=lambda pair: -pair[1])
        return tuple(ranked[:2])

    @property
    def label(self) -> Label:
        return self.top_two[0][0]

    @property
    def confidence(self) -> float:
        return self.top_two[0][1]

    @property
    def uncertain(self) -> bool:
        return self.confidence < self.min_confidence


@dataclass(frozen=True)
class EmotionEstimate(ClassEstimate[Emotion]):
    """Probabilities in the order of ``EMOTIONS``."""

    ATTRIBUTE = "emotion"
    LABELS = EMOTIONS

    def probability(self, emotion: Emotion) -> float:
        return self.probabilities[EMOTIONS.index(emotion)]

    @property
    def valence(self) -> float:
        """P(happy) + P(surprise)/2 - P(angry) - P(disgust) - P(fear) - P(sad), in [-1, 1]."""
        p = self.probability
        negative = p(Emotion.ANGRY) + p(Emotion.DISGUST) + p(Emotion.FEAR) + p(Emotion.SAD)
        return p(Emotion.HAPPY) + p(Emotion.SURPRISE) / 2 - negative


@dataclass(frozen=True)
class GenderEstimate(ClassEstimate[Gender]):
    """Probabilities in the order of ``GENDERS``."""

    ATTRIBUTE = "gender"
    LABELS = GENDERS


@dataclass(frozen=True, slots=True)
class AgeEstimate:
    """Mean of the age distribution and the interval [``low``, ``high``] around it, in years."""

    years: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.years <= self.high:
            raise ValueError(f"age must satisfy 0 <= low <= years <= high, got {self}")


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face with its attributes. ``track_id`` is set by the tracker in live video only."""

    detection: Detection
    emotion: EmotionEstimate | None = None
    age: AgeEstimate | None = None
    gender: GenderEstimate | None = None
    track_id: int | None = None

    @property
    def box(self) -> Box:
        return self.detection.box


@dataclass(frozen=True)
class Analysis:
    """All faces of one frame of ``width`` x ``height`` pixels, from left to right.

    ``rotation``: degrees clockwise, 0, 90, 180 or 270, by which the frame was rotated to find upright faces; boxes and
    landmarks are in pixels of the frame as it was given. ``views``: each attribute is the mean of so many crops.
    """

    width: int
    height: int
    faces: tuple[Face, ...] = ()
    elapsed_ms: float = 0.0
    stage_ms: dict[str, float] = field(default_factory=dict)
    rotation: int = 0
    views: int = 1

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"frame size must be positive, got {self.width}x{self.height}")
        if self.elapsed_ms < 0:
            raise ValueError(f"elapsed_ms must not be negative, got {self.elapsed_ms}")
        if self.rotation not in (0, 90, 180, 270):
            raise ValueError(f"rotation must be 0, 90, 180 or 270 degrees, got {self.rotation}")
        if self.views < 1:
            raise ValueError(f"views must be at least 1, got {self.views}")

    @property
    def resolution_wh(self) -> tuple[int, int]:
        return (self.width, self.height)

    @cached_property
    def xyxy(self) -> NDArray[np.float64]:
        """Boxes of the faces as a read-only (N, 4) array of x1, y1, x2, y2 in pixels."""
        xyxy = np.array([face.box.xyxy for face in self.faces], np.float64).reshape(-1, 4)
        xyxy.setflags(write=False)
        return xyxy

    def resized(self, resolution_wh: tuple[int, int]) -> Analysis:
        """Return the analysis in pixels of the same image at another size (``core.io.images.Picture``)."""
        width, height = resolution_wh
        x, y = width / self.width, height / self.height
        faces = tuple(replace(face, detection=face.detection.scaled(x, y)) for face in self.faces)
        return replace(self, width=width, height=height, faces=faces)

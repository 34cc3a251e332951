"""How much of an answer a crop can carry: from 1 for a usable face down to 0 for what shows none.

Four things are looked at: sharpness and size of the crop, the pose in the landmarks and the detector's score. Each has
a ramp between two limits that ``models.measuring.quality`` derives from data, and the worst of the four counts: a tiny face is
blurred as well, and must not be counted twice. The score's ramp is about the default detector; of the others, only
boxes that a high sensitivity lets through score so little that it concerns them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.artifacts.model_card import ARTIFACTS_DIR, artifacts_dir
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.types import Detection

QUALITY_FILE = "usability.json"
RESTORE_LIMITS = f"Restore it with: git restore models/artifacts/{QUALITY_FILE}"
_JUDGED_PX = 48
"""Sharpness is judged at the size of the smallest network's crop: the same face in another crop is as sharp."""
_REBLUR_PX = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Smoothstep:
    """1 at ``usable`` and beyond, 0 at ``unusable`` and beyond, whichever of them is larger; smooth between."""

    unusable: float
    usable: float

    def __post_init__(self) -> None:
        if not np.isfinite([self.unusable, self.usable]).all() or self.unusable == self.usable:
            raise ValueError(f"a ramp needs two different finite limits, got {self}")

    def share(self, values: ArrayLike) -> Floats:
        """Values of any shape -> shares in [0, 1]."""
        x = np.clip((np.asarray(values, np.float64) - self.unusable) / (self.usable - self.unusable), 0, 1)
        return np.asarray(x * x * (3 - 2 * x))


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """The limits; a pose of 0 must be usable. ``side_px`` is of the square that the crop is cut from, in pixels of the
    frame; ``points`` are the landmarks of a plain face that ``pose`` measures from, in any unit."""

    sharpness: Smoothstep
    side_px: Smoothstep
    pose: Smoothstep
    score: Smoothstep
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if np.shape(self.points) != (5, 2):
            raise ValueError(f"a face has five points (x, y), got {self.points}")
        if self.pose.share(0.0) != 1.0:
            raise ValueError(f"the pose of a plain face, 0, must be usable, got {self.pose}")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> QualitySettings:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` where ``raw`` holds no settings."""
        names = ("sharpness", "side_px", "pose", "score")
        ramps = {name: Smoothstep(float(raw[name]["unusable"]), float(raw[name]["usable"])) for name in names}
        return cls(**ramps, points=tuple((float(x), float(y)) for x, y in raw["points"]))


def installed_file() -> Path:
    """The one beside the artifacts, or if that folder has none, the one that comes with the repository."""
    own = artifacts_dir() / QUALITY_FILE
    return own if own.is_file() else ARTIFACTS_DIR / QUALITY_FILE


def installed_settings() -> QualitySettings:
    """Those of ``installed_file``. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``."""
    return load_settings(installed_file())


@lru_cache(maxsize=8)
def load_settings(file: Path) -> QualitySettings:
    """Read once for each file. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {RESTORE_LIMITS}")
    try:
        return QualitySettings.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (KeyError, OSError, TypeError, ValueError) as error:
        raise ArtifactCorruptError(
            f"{file} holds no limits of usable faces ({type(error).__name__}: {error}). {RESTORE_LIMITS}"
        ) from error


@dataclass(frozen=True)
class QualityMeasures:
    """What N faces are judged by, (N,) each; ``pose`` is 0 for a face without landmarks, which is not judged by it."""

    sharpness: Floats
    side_px: Floats
    pose: Floats
    score: Floats

    def share(self, settings: QualitySettings) -> Floats:
        """(N,) in [0, 1], by the worst sign."""
        names = ("sharpness", "side_px", "pose", "score")
        return np.min([getattr(settings, name).share(getattr(self, name)) for name in names], axis=0)


def measure_quality(
    faces: Sequence[Detection], crops: NDArray[np.uint8], sides_px: ArrayLike, plain: ArrayLike
) -> QualityMeasures:
    """N detections, their crops (N, h, w, c), the (N,) sides in frame pixels of the squares that these show, and the
    (5, 2) points of a plain face."""
    sides = np.asarray(sides_px, np.float64).reshape(-1)
    if not len(faces) == len(crops) == len(sides):
        raise ValueError(f"{len(faces)} faces need as many crops and sides, got {len(crops)} and {len(sides)}")
    poses = [0.0 if face.landmarks is None else pose(face.landmarks.points, plain) for face in faces]
    scores = [face.score for face in faces]
    return QualityMeasures(sharpness(crops), sides, np.array(poses, np.float64), np.array(scores, np.float64))


def face_quality(faces: Sequence[Detection], settings: QualitySettings) -> Floats:
    """Score N faces by pose and detection score, which are the same for every crop -> (N,) in [0, 1]."""
    poses = [0.0 if face.landmarks is None else pose(face.landmarks.points, settings.points) for face in faces]
    return np.minimum(settings.pose.share(poses), settings.score.share([face.score for face in faces]))


def crop_quality(crops: NDArray[np.uint8], sides_px: Floats, settings: QualitySettings) -> Floats:
    """Score N crops (N, h, w, c) by sharpness and by the sides of their squares in frame pixels -> (N,) in [0, 1]."""
    return np.minimum(settings.sharpness.share(sharpness(crops)), settings.side_px.share(sides_px))


def blend_with_uniform(probabilities: NDArray[np.floating], share: ArrayLike) -> Floats:
    """(N, K) probabilities, (N,) shares -> (N, K): that share of each answer, the rest spread evenly over all classes.

    The order of the classes stays, rows still sum to 1, and a share of 0 says nothing at all.
    """
    kept = np.asarray(share, np.float64).reshape(-1, 1)
    return np.asarray(kept * probabilities + (1 - kept) / probabilities.shape[1])


def sharpness(crops: NDArray[np.uint8]) -> Floats:
    """(N, h, w, c) uint8, grey or BGR -> (N,) share in [0, 1] of the differences between neighbouring pixels that
    another blur removes, in the direction in which it removes less.

    What is blurred already loses little by it (Crete et al. 2007). Contrast and brightness cancel out; a motion blur
    shows in the direction of the motion alone, hence the lower of both. An even picture has sharpness 0.
    """
    values = np.zeros(len(crops))
    for row, crop in enumerate(crops):
        grey = crop[..., 0] if crop.shape[2] == 1 else cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey.astype(np.float32), (_JUDGED_PX, _JUDGED_PX), interpolation=cv2.INTER_AREA)
        values[row] = min(_lost(small), _lost(np.ascontiguousarray(small.T)))
    return values


def _lost(image: NDArray[np.floating]) -> float:
    """Along the rows."""
    blurred = cv2.blur(image, (_REBLUR_PX, 1))
    before, after = (np.abs(np.diff(one, axis=1)) for one in (image, blurred))
    total = float(before.sum())
    return float(np.maximum(before - after, 0).sum()) / total if total > 0 else 0.0


def pose(points: ArrayLike, plain: ArrayLike) -> float:
    """(5, 2) landmarks and those of a plain face -> how much of their layout the plain one cannot explain, 0 to 1.

    Place, size and angle do not count: it is the Procrustes distance after the best turn (Goodall 1991). Turning to
    the side moves the nose off the middle and the eyes together, looking up or down moves the nose.
    """
    found, wanted = _unit_shape(points), _unit_shape(plain)
    return float(np.sqrt(max(0.0, 1 - abs(complex(np.vdot(wanted, found))) ** 2)))


def _unit_shape(points: ArrayLike) -> NDArray[np.complex128]:
    """(5, 2) -> (5,) complex numbers with mean 0 and length 1; five times the same point stay 0."""
    xy = np.asarray(points, np.float64)
    shape = (xy[:, 0] - xy[:, 0].mean()) + 1j * (xy[:, 1] - xy[:, 1].mean())
    length = float(np.linalg.norm(shape))
    return np.asarray(shape / length if length > 0 else shape, np.complex128)

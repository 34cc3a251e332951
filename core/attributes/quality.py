"""Face quality, from 1 (good) to 0 (unusable): how much of a prediction an aligned crop can support.

Four measures count: sharpness and size of the crop, pose of the landmarks, and detection score. Each has a smoothstep
between two limits that ``python -m models quality`` fits, and the worst measure decides: a tiny face is blurred as well
and must not count twice. The limits of the score are those of the default detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.artifacts.model_card import ARTIFACTS_DIR, artifacts_dir
from core.artifacts.storage import JSON_KEY, load_json
from core.types import Detection

QUALITY_FILE = "usability.json"
_SHARPNESS_PX = 48
"""Sharpness is measured at the size of the smallest network's crop: the same face in another crop is as sharp."""
_REBLUR_PX = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Smoothstep:
    """0 up to ``unusable`` and 1 from ``usable`` on, smooth between; ``usable`` may be the lower of the two."""

    unusable: float
    usable: float

    def __post_init__(self) -> None:
        if not np.isfinite([self.unusable, self.usable]).all() or self.unusable == self.usable:
            raise ValueError(f"a smoothstep needs two different finite limits, got {self}")

    def __call__(self, values: ArrayLike) -> Floats:
        """Map values of any shape to scores in [0, 1]."""
        x = np.clip((np.asarray(values, np.float64) - self.unusable) / (self.usable - self.unusable), 0, 1)
        return np.asarray(x * x * (3 - 2 * x))


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """Limits of the four measures.

    ``side_px``: side of the square that the crop is cut from, in frame pixels. ``reference``: (x, y) of the five
    landmarks of a frontal face in any unit; its pose, 0, must be usable.
    """

    sharpness: Smoothstep
    side_px: Smoothstep
    pose: Smoothstep
    score: Smoothstep
    reference: tuple[tuple[float, float], ...] = field(metadata={JSON_KEY: "points"})

    def __post_init__(self) -> None:
        if np.shape(self.reference) != (5, 2):
            raise ValueError(f"a face has five landmarks (x, y), got {self.reference}")
        if self.pose(0.0) != 1.0:
            raise ValueError(f"the pose of a frontal face, 0, must be usable, got {self.pose}")


def installed_settings() -> QualitySettings:
    """Load the settings beside the artifacts, or those of the repository if that folder has none.

    Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``.
    """
    file = artifacts_dir() / QUALITY_FILE
    return load_settings(file if file.is_file() else ARTIFACTS_DIR / QUALITY_FILE)


@lru_cache(maxsize=8)
def load_settings(file: Path) -> QualitySettings:
    """Load a settings file once. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
    return load_json(file, QualitySettings, f"Restore it with: git restore models/artifacts/{QUALITY_FILE}")


def face_quality(faces: Sequence[Detection], settings: QualitySettings) -> Floats:
    """Score N faces by pose and detection score, which are the same for every crop -> (N,) in [0, 1]."""
    return np.minimum(
        settings.pose(measure_poses(faces, settings.reference)), settings.score([face.score for face in faces])
    )


def crop_quality(crops: NDArray[np.uint8], sides_px: Floats, settings: QualitySettings) -> Floats:
    """Score N crops (N, h, w, c) by sharpness and by the sides of their squares in frame pixels -> (N,) in [0, 1]."""
    return np.minimum(settings.sharpness(measure_sharpness(crops)), settings.side_px(sides_px))


def blend_with_uniform(probabilities: NDArray[np.floating], scores: ArrayLike) -> Floats:
    """Blend (N, K) probabilities with the uniform distribution; (N,) scores are the shares that are kept.

    The order of the classes stays and rows still sum to 1; a score of 0 gives the uniform distribution.
    """
    kept = np.asarray(scores, np.float64).reshape(-1, 1)
    return np.asarray(kept * probabilities + (1 - kept) / probabilities.shape[1])


def measure_sharpness(crops: NDArray[np.uint8]) -> Floats:
    """Measure sharpness (Crete et al. 2007) of (N, h, w, c) uint8 crops, grey or BGR -> (N,) in [0, 1].

    It is the share of the differences between neighbouring pixels that another blur removes: a blurred image loses
    little. Contrast and brightness cancel out. Motion blur shows in its own direction only, so the lower of the two
    directions counts. An even crop has sharpness 0.
    """
    values = np.zeros(len(crops))
    for row, crop in enumerate(crops):
        grey = crop[..., 0] if crop.shape[2] == 1 else cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        size = (_SHARPNESS_PX, _SHARPNESS_PX)
        small = cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        values[row] = min(_row_sharpness(small), _row_sharpness(np.ascontiguousarray(small.T)))
    return values


def _row_sharpness(image: NDArray[np.floating]) -> float:
    blurred = cv2.blur(image, (_REBLUR_PX, 1))
    before, after = (np.abs(np.diff(values, axis=1)) for values in (image, blurred))
    total = float(before.sum())
    return float(np.maximum(before - after, 0).sum()) / total if total > 0 else 0.0


def measure_poses(faces: Sequence[Detection], reference: ArrayLike) -> Floats:
    """Measure ``pose_distance`` of N faces -> (N,); 0 for a face without landmarks."""
    poses = [0.0 if face.landmarks is None else pose_distance(face.landmarks.points, reference) for face in faces]
    return np.array(poses, np.float64)


def pose_distance(landmarks: ArrayLike, reference: ArrayLike) -> float:
    """Compute the Procrustes distance (Goodall 1991) of (5, 2) landmarks from those of a frontal face, 0 to 1.

    Place, size and roll do not count. Yaw moves the nose off the middle and the eyes together, pitch moves the nose.
    """
    found, wanted = _unit_shape(landmarks), _unit_shape(reference)
    return float(np.sqrt(max(0.0, 1 - abs(complex(np.vdot(wanted, found))) ** 2)))


def _unit_shape(landmarks: ArrayLike) -> NDArray[np.complex128]:
    """Convert (5, 2) to (5,) complex numbers with mean 0 and length 1; five equal landmarks stay 0."""
    xy = np.asarray(landmarks, np.float64)
    shape = (xy[:, 0] - xy[:, 0].mean()) + 1j * (xy[:, 1] - xy[:, 1].mean())
    length = float(np.linalg.norm(shape))
    return np.asarray(shape / length if length > 0 else shape, np.complex128)

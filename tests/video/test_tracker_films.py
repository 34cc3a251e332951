"""Longer sequences: lost faces, people crossing, noisy boxes. Lengths in face sizes; walking is 3 to 6 per second."""

from __future__ import annotations

import numpy as np
import pytest

from core.settings import TrackingSettings
from core.types import Analysis, Box, Detection, Face, Landmarks
from core.video.tracker import FaceTracker

SIDE_PX = 60
MAX_AGE_S = 1.5
"""A few frames longer than the second that faces are hidden."""


def frame(*centers: tuple[float, float], noise: np.random.Generator | None = None, share: float = 0.01) -> Analysis:
    """Faces at these centres, in face sizes from the middle of the frame; ``share`` is the sigma of the noise."""
    faces = []
    for x, y in centers:
        dx, dy, dw, dh = noise.normal(0, share, 4) if noise else (0, 0, 0, 0)
        x1, y1 = 640 + SIDE_PX * (x + dx - (1 + dw) / 2), 360 + SIDE_PX * (y + dy - (1 + dh) / 2)
        faces.append(Face(Detection(Box(x1, y1, x1 + SIDE_PX * (1 + dw), y1 + SIDE_PX * (1 + dh)), 0.9)))
    return Analysis(1280, 720, tuple(faces))


@pytest.mark.parametrize("fps", [8, 15, 30])
@pytest.mark.parametrize("speed", [0.0, 0.3, 1.0], ids=["still", "swaying", "slow"])
def test_face_keeps_its_id_while_lost_for_a_second(fps: int, speed: float) -> None:
    tracker, noise = FaceTracker(TrackingSettings(max_age_s=MAX_AGE_S)), np.random.default_rng(0)
    ids = set()
    for i in range(4 * fps):
        now_s = i / fps
        hidden = 2.0 <= now_s < 3.0
        picture = frame() if hidden else frame((speed * now_s, 0), noise=noise)
        ids |= {face.track_id for face in tracker.update(picture, now_s).faces}
    assert ids == {1}


HIDDEN_S = 0.5


@pytest.mark.parametrize("seen", ["both", "the one in front", "neither"])
@pytest.mark.parametrize(
    ("speed", "fps"),
    [(1.5, 15), (4, 8), (4, 15), (4, 30), (6, 8), (6, 15), (10, 15), (10, 30)],
    ids=lambda value: str(value),
)
def test_two_people_crossing_keep_their_ids(speed: float, fps: int, seen: str) -> None:
    """Both move at ``speed``; ``seen`` says who is detected in the half second around their meeting."""
    for seed in range(5):
        tracker, noise = FaceTracker(TrackingSettings(max_age_s=MAX_AGE_S)), np.random.default_rng(seed)
        apart_s = max(4 / speed, HIDDEN_S)
        for t in np.arange(-apart_s + noise.uniform(0, 1 / fps), apart_s, 1 / fps):
            centers = [(speed * t, 0.0), (-speed * t, 0.1)]
            if abs(t) < HIDDEN_S / 2:
                centers = centers[: {"both": 2, "the one in front": 1, "neither": 0}[seen]]
            result = tracker.update(frame(*centers, noise=noise), 100 + float(t))
            assert [face.track_id for face in result.faces] == [1, 2][: len(centers)], f"seed {seed}, {t:.2f} s"


def smoothed_centers(path: np.ndarray, fps: int) -> np.ndarray:
    """(N, 2) true centres -> (N, 2) centres of the smoothed boxes of a noisy detector."""
    tracker, noise = FaceTracker(), np.random.default_rng(0)
    boxes = [tracker.update(frame((x, y), noise=noise), i / fps).faces[0].box for i, (x, y) in enumerate(path)]
    return (np.array([box.center for box in boxes]) - (640, 360)) / SIDE_PX


@pytest.mark.parametrize("fps", [8, 15, 30])
def test_jitter_of_a_still_face_is_below_half_a_percent(fps: int) -> None:
    centers = smoothed_centers(np.zeros((20 * fps, 2)), fps)
    assert centers[2 * fps :].std(axis=0).max() < 0.004


@pytest.mark.parametrize("fps", [8, 15, 30])
@pytest.mark.parametrize("speed", [0.1, 0.3, 1.0, 3.0])
def test_lag_of_a_moving_face_is_below_four_percent(fps: int, speed: float) -> None:
    path = np.stack([speed * np.arange(3 * fps) / fps, np.zeros(3 * fps)], axis=1)
    assert abs((path - smoothed_centers(path, fps))[fps:, 0].mean()) < 0.04


def test_landmarks_move_with_their_box() -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=0.5))
    for shift in (0.0, 0.02):
        (face,) = frame((shift, 0)).faces
        x1, y1 = face.box.x1, face.box.y1
        points = [(x1 + SIDE_PX * u, y1 + SIDE_PX * v) for u, v in FIVE]
        picture = Analysis(1280, 720, (Face(Detection(face.box, 0.9, Landmarks(*points))),))
        (result,) = tracker.update(picture, shift).faces
    box, landmarks = result.box, result.detection.landmarks
    assert landmarks is not None
    assert face.box.x1 - 1 < box.x1 < face.box.x1 - 0.1, "the box is smoothed"
    inside = [((x - box.x1) / box.width, (y - box.y1) / box.height) for x, y in landmarks.points]
    assert np.allclose(inside, FIVE)


FIVE = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))

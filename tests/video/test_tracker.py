"""Ids and averages: every case is a short sequence of boxes with its own clock."""

from __future__ import annotations

import numpy as np
import pytest

from core.settings import TrackingSettings
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face
from core.video.tracker import FaceTracker

HAPPY = EmotionEstimate((0, 0, 0, 1, 0, 0, 0))
SAD = EmotionEstimate((0, 0, 0, 0, 1, 0, 0))
FRAME_S = 0.1


def face(
    x: float,
    y: float = 100,
    side: float = 80,
    emotion: EmotionEstimate | None = None,
    years: float | None = None,
) -> Face:
    age = None if years is None else AgeEstimate(years, max(years - 5, 0), years + 5)
    return Face(Detection(Box(x, y, x + side, y + side), 0.9), emotion=emotion, age=age)


def frame(*faces: Face, width: int = 640, height: int = 480) -> Analysis:
    return Analysis(width, height, tuple(faces))


def ids(analysis: Analysis) -> list[int | None]:
    return [f.track_id for f in analysis.faces]


def test_ids_start_at_one_and_follow_a_moving_face() -> None:
    tracker = FaceTracker()
    seen = [ids(tracker.update(frame(face(100 + 20 * i)), i * FRAME_S)) for i in range(15)]
    assert seen == [[1]] * 15


@pytest.mark.parametrize(
    ("first", "second", "frame_s", "expected"),
    [
        pytest.param(face(100), face(150, side=70), 0.15, 1, id="inside the gate"),
        pytest.param(face(20), face(500), FRAME_S, 2, id="outside the gate"),
        pytest.param(face(100, side=40), face(20, y=20, side=200), FRAME_S, 2, id="another size"),
        pytest.param(face(100), face(100), 4.9, 1, id="slow frame rate"),
        pytest.param(face(100), face(100), 5.0, 2, id="stopped"),
    ],
)
def test_the_gate_decides_about_the_id(first: Face, second: Face, frame_s: float, expected: int) -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(first), 0.0)
    assert ids(tracker.update(frame(second), frame_s)) == [expected]


def test_gate_does_not_grow_without_limit() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=2.0))
    tracker.update(frame(face(100)), 0.0)
    tracker.update(frame(), 0.9)
    assert ids(tracker.update(frame(face(100 + 2.5 * 80)), 1.8)) == [2]


def test_prediction_of_a_lost_face_stops() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=3.0))
    for i in range(20):
        tracker.update(frame(face(50 + 10 * i)), i * FRAME_S)
    predicted = []
    for now_s in (2.0, 2.3, 2.6, 4.0):
        tracker.update(frame(), now_s)
        predicted.append(tracker.predict_lost(now_s)[0, 0])
    assert predicted[0] < predicted[1] < predicted[2] == predicted[3]
    assert predicted[3] - 240 <= 100 * 0.5 + 10


def test_order_of_detections_does_not_matter() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(100), face(400)), 0.0)
    assert ids(tracker.update(frame(face(405), face(103)), FRAME_S)) == [2, 1]


@pytest.mark.parametrize(("gap_s", "expected"), [(0.8, 1), (1.5, 2)], ids=["remembered", "forgotten"])
def test_lost_face_gets_its_id_back_within_max_age(gap_s: float, expected: int) -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(face(100)), 0.0)
    tracker.update(frame(), gap_s / 2)
    assert ids(tracker.update(frame(face(110)), gap_s)) == [expected]


def test_lost_face_is_predicted_once_at_slow_frame_rates() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    lost = []
    for now_s, faces in enumerate([[face(100)], [], []]):
        tracker.update(frame(*faces), 2.0 * now_s)
        lost.append(len(tracker.predict_lost(2.0 * now_s)))
    assert lost == [0, 1, 0]


def test_ids_are_not_reused_after_a_reset() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(100)), 0.0)
    tracker.reset()
    assert ids(tracker.update(frame(face(100)), FRAME_S)) == [2]


def test_faces_before_a_reset_are_predicted_until_max_age() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(face(100)), 0.0)
    tracker.reset()
    tracker.update(frame(), 0.5)
    assert tracker.predict_lost(0.5)[:, 0] == pytest.approx([100])
    tracker.update(frame(), 1.5)
    assert len(tracker.predict_lost(1.5)) == 0


def test_resolution_may_change() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(200), face(400)), 0.0)
    small = frame(face(100, 50, 40), face(200, 50, 40), width=320, height=240)
    result = tracker.update(small, FRAME_S)
    assert ids(result) == [1, 2]
    assert result.faces[0].box.xyxy == pytest.approx((100, 50, 140, 90))


@pytest.mark.parametrize("fps", [5, 30])
def test_averages_are_independent_of_the_frame_rate(fps: int) -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=0.5))
    tracker.update(frame(face(100, emotion=HAPPY, years=20)), 0.0)
    for i in range(1, fps + 1):
        result = tracker.update(frame(face(100, emotion=SAD, years=60)), i / fps)
    emotion, age = result.faces[0].emotion, result.faces[0].age
    assert emotion is not None
    assert age is not None
    assert emotion.probabilities[3] == pytest.approx(0.135, abs=0.002)  # exp(-1 s / 0.5 s)
    assert age.years == pytest.approx(60 - 40 * 0.135, abs=0.1)
    assert (age.low, age.high) == pytest.approx((age.years - 5, age.years + 5))


def test_attribute_that_was_off_starts_a_new_average() -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=5.0))
    tracker.update(frame(face(100, emotion=HAPPY)), 0.0)
    assert tracker.update(frame(face(100)), 0.1).faces[0].emotion is None
    assert tracker.update(frame(face(100, emotion=SAD)), 0.2).faces[0].emotion == SAD


def test_clock_may_stand_still_or_go_back() -> None:
    tracker = FaceTracker()
    for now_s in (1.0, 1.0, 0.9, 1.1):
        assert ids(tracker.update(frame(face(100, emotion=HAPPY, years=3)), now_s)) == [1]


def test_lost_faces_are_predicted_in_the_latest_resolution() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(face(100)), 0.0)
    assert tracker.predict_lost(0.0).shape == (0, 4)
    assert tracker.update(frame(width=320, height=240), 0.2).faces == ()
    assert tracker.predict_lost(0.2) == pytest.approx(np.array([[50, 50, 90, 90]]))
    tracker.update(frame(), 1.2)
    assert len(tracker.predict_lost(1.2)) == 0

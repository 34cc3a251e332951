"""Stable numbers and averages: every case is a short film of boxes with its own clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.settings import TrackingSettings
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face, GenderEstimate
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


def test_nobody_in_view() -> None:
    assert FaceTracker().update(frame(), 0.0).faces == ()


def test_ids_start_at_one_and_follow_a_moving_face() -> None:
    tracker = FaceTracker()
    seen = [ids(tracker.update(frame(face(100 + 20 * i)), i * FRAME_S)) for i in range(15)]
    assert seen == [[1]] * 15


def test_a_face_that_jumps_more_than_its_overlap_keeps_its_id() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(100)), 0.0)
    assert ids(tracker.update(frame(face(150, side=70)), 0.15)) == [1]


def test_a_face_across_the_picture_is_another_one() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(20)), 0.0)
    assert ids(tracker.update(frame(face(500)), FRAME_S)) == [2]


def test_a_much_larger_face_at_the_same_place_is_another_one() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(100, side=40)), 0.0)
    assert ids(tracker.update(frame(face(20, y=20, side=200)), FRAME_S)) == [2]


def test_a_face_that_was_gone_for_long_is_not_looked_for_everywhere() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=2.0))
    tracker.update(frame(face(100)), 0.0)
    tracker.update(frame(), 0.9)
    assert ids(tracker.update(frame(face(100 + 2.5 * 80)), 1.8)) == [2]


def test_a_face_out_of_sight_does_not_run_out_of_the_picture() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=3.0))
    for i in range(20):
        tracker.update(frame(face(50 + 10 * i)), i * FRAME_S)
    expected = []
    for now_s in (2.0, 2.3, 2.6, 4.0):
        tracker.update(frame(), now_s)
        expected.append(tracker.predict_lost((640, 480), now_s)[0].x1)
    assert expected[0] < expected[1] < expected[2] == expected[3]
    assert expected[3] - 240 <= 100 * 0.5 + 10


def test_order_of_detections_does_not_matter() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(100), face(400)), 0.0)
    assert ids(tracker.update(frame(face(405), face(103)), FRAME_S)) == [2, 1]


def test_two_people_crossing_keep_their_ids() -> None:
    tracker = FaceTracker()
    for i in range(41):
        left, right = face(50 + 10 * i, y=100), face(450 - 10 * i, y=110)
        result = tracker.update(frame(left, right), i * FRAME_S)
        assert ids(result) == [1, 2], f"swapped at frame {i}"


def test_two_people_crossing_with_one_hidden_on_the_way() -> None:
    tracker = FaceTracker()
    for i in range(41):
        left, right = face(50 + 10 * i, y=100), face(450 - 10 * i, y=110)
        hidden = abs((50 + 10 * i) - (450 - 10 * i)) < 50
        result = tracker.update(frame(left) if hidden else frame(left, right), i * FRAME_S)
    assert ids(result) == [1, 2]


@pytest.mark.parametrize(("gap_s", "expected"), [(0.8, 1), (1.5, 2)], ids=["remembered", "forgotten"])
def test_a_face_out_of_sight_gets_its_id_back_in_time(gap_s: float, expected: int) -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(face(100)), 0.0)
    tracker.update(frame(), gap_s / 2)
    assert ids(tracker.update(frame(face(110)), gap_s)) == [expected]


@pytest.mark.parametrize(("frame_s", "expected"), [(4.9, 1), (5.0, 2)], ids=["slow", "stopped"])
def test_a_slow_machine_forgets_nobody_between_two_frames(frame_s: float, expected: int) -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(face(100)), 0.0)
    assert ids(tracker.update(frame(face(100)), frame_s)) == [expected]


def test_a_slow_machine_tells_of_a_missing_face_for_one_frame() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    told = []
    for now_s, faces in enumerate([[face(100)], [], []]):
        tracker.update(frame(*faces), 2.0 * now_s)
        told.append(len(tracker.predict_lost((640, 480), 2.0 * now_s)))
    assert told == [0, 1, 0]


def test_ids_are_not_used_again_after_a_reset() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(100)), 0.0)
    tracker.reset()
    assert ids(tracker.update(frame(face(100)), FRAME_S)) == [2]


def test_who_was_there_before_a_reset_is_missing_for_a_while() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(face(100)), 0.0)
    tracker.reset()
    tracker.update(frame(), 0.5)
    (box,) = tracker.predict_lost((640, 480), 0.5)
    assert box.x1 == pytest.approx(100)
    tracker.update(frame(), 1.5)
    assert tracker.predict_lost((640, 480), 1.5) == ()


def test_a_change_of_frame_size_changes_nothing_but_the_pixels() -> None:
    tracker = FaceTracker()
    tracker.update(frame(face(200), face(400)), 0.0)
    small = frame(face(100, 50, 40), face(200, 50, 40), width=320, height=240)
    result = tracker.update(small, FRAME_S)
    assert ids(result) == [1, 2]
    assert result.faces[0].box.xyxy == pytest.approx((100, 50, 140, 90))


def test_boxes_tremble_less_than_the_detector() -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=0.5))
    xs = [tracker.update(frame(face(200 + 3 * (i % 2))), i / 15).faces[0].box.x1 for i in range(60)]
    assert max(xs[30:]) - min(xs[30:]) < 1.2


def test_boxes_follow_a_fast_face() -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=1.0))
    for i in range(10):
        result = tracker.update(frame(face(50 + 40 * i)), i * FRAME_S)
    assert result.faces[0].box.x1 == pytest.approx(410, abs=8)


@pytest.mark.parametrize("fps", [5, 30])
def test_averages_do_not_depend_on_the_frame_rate(fps: int) -> None:
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


def test_no_smoothing_passes_values_through() -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=0.0))
    tracker.update(frame(face(100, emotion=HAPPY)), 0.0)
    result = tracker.update(frame(face(104, emotion=SAD)), FRAME_S)
    assert result.faces[0].emotion == SAD
    assert result.faces[0].box.x1 == pytest.approx(104)


def test_averages_belong_to_one_face() -> None:
    tracker = FaceTracker()
    for i in range(5):
        result = tracker.update(frame(face(100, emotion=HAPPY), face(400, emotion=SAD)), i * FRAME_S)
    first, second = result.faces
    assert first.emotion == HAPPY
    assert second.emotion == SAD


def test_an_attribute_that_was_switched_off_starts_afresh() -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=5.0))
    tracker.update(frame(face(100, emotion=HAPPY)), 0.0)
    assert tracker.update(frame(face(100)), 0.1).faces[0].emotion is None
    assert tracker.update(frame(face(100, emotion=SAD)), 0.2).faces[0].emotion == SAD


def test_gender_is_averaged_and_sums_to_one() -> None:
    tracker = FaceTracker(TrackingSettings(smoothing_s=0.5))
    tracker.update(frame(replace(face(100), gender=GenderEstimate((1.0, 0.0)))), 0.0)
    result = tracker.update(frame(replace(face(100), gender=GenderEstimate((0.0, 1.0)))), 0.1)
    gender = result.faces[0].gender
    assert gender is not None
    assert gender.probabilities == pytest.approx((0.8187, 0.1813), abs=1e-3)


def test_a_clock_that_stands_still_or_goes_back_is_harmless() -> None:
    tracker = FaceTracker()
    for now_s in (1.0, 1.0, 0.9, 1.1):
        assert ids(tracker.update(frame(face(100, emotion=HAPPY, years=3)), now_s)) == [1]


def test_missing_faces_are_told_until_forgotten() -> None:
    tracker = FaceTracker(TrackingSettings(max_age_s=1.0))
    tracker.update(frame(face(100)), 0.0)
    assert tracker.predict_lost((640, 480), 0.0) == ()
    tracker.update(frame(), 0.2)
    (box,) = tracker.predict_lost((320, 240), 0.2)
    assert box.xyxy == pytest.approx((50, 50, 90, 90))
    tracker.update(frame(), 1.2)
    assert tracker.predict_lost((640, 480), 1.2) == ()


def test_the_given_analysis_is_not_changed() -> None:
    given = frame(face(100))
    FaceTracker().update(given, 0.0)
    assert given.faces[0].track_id is None

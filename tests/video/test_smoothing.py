from __future__ import annotations

import numpy as np
import pytest

from core.types import Box, Detection, EmotionEstimate, GenderEstimate, Landmarks
from core.video import smoothing

HERE = np.array([0.2, 0.2, 0.4, 0.4])
THERE = HERE + 0.1


def test_weight_does_not_depend_on_how_time_is_cut_up() -> None:
    once = smoothing.weight(0.2, 0.5)
    twice = 1 - (1 - smoothing.weight(0.1, 0.5)) ** 2
    assert once == pytest.approx(twice)
    assert smoothing.weight(0.1, 0.0) == 1.0
    assert smoothing.weight(0.0, 0.5) == 0.0


def test_the_faster_a_face_the_closer_its_box() -> None:
    shares = [
        (smoothing.one_euro_step(HERE, THERE, speed, 1 / 15, 0.5) - HERE)[0] / 0.1 for speed in (0, 0.1, 0.3, 1, 3)
    ]
    assert shares[0] == shares[1] == pytest.approx(smoothing.weight(1 / 15, 0.5))
    assert shares[1:] == sorted(shares[1:])
    assert shares[-1] > 0.99


def test_a_box_is_never_averaged_for_longer_than_its_own_limit() -> None:
    limit = smoothing.one_euro_step(HERE, THERE, 0.0, 0.1, smoothing.BOX_SMOOTHING_S)
    assert smoothing.one_euro_step(HERE, THERE, 0.0, 0.1, 3.0) == pytest.approx(limit)


def test_no_smoothing_is_the_measured_box() -> None:
    assert smoothing.one_euro_step(HERE, THERE, 0.0, 0.1, 0.0) is THERE


def test_a_detection_without_landmarks_moves_its_box_only() -> None:
    detection = Detection(Box(0, 0, 10, 10), 0.7)
    assert smoothing.moved(detection, Box(1, 1, 5, 5)) == Detection(Box(1, 1, 5, 5), 0.7)


def test_landmarks_are_moved_and_scaled() -> None:
    points = ((2.0, 4.0), (8.0, 4.0), (5.0, 6.0), (3.0, 8.0), (7.0, 8.0))
    result = smoothing.moved(Detection(Box(0, 0, 10, 10), 0.7, Landmarks(*points)), Box(100, 50, 120, 55))
    assert result.landmarks is not None
    assert np.allclose(result.landmarks.points, [(100 + 2 * x, 50 + y / 2) for x, y in points])


def test_averages_keep_the_minimum_of_the_newest() -> None:
    female = smoothing.mean_gender(GenderEstimate((0.1, 0.9), 0.5), GenderEstimate((0.5, 0.5), 0.75), 0.25)
    assert female is not None
    assert female.probabilities == pytest.approx((0.2, 0.8))
    assert (female.min_confidence, female.uncertain) == (0.75, False)
    happy, sad = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    torn = smoothing.mean_emotion(EmotionEstimate(happy), EmotionEstimate(sad, 0.6), 0.5)
    assert torn is not None
    assert torn.uncertain, "each was sure, their average is not"

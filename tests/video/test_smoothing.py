from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.types import Box, Detection, EmotionEstimate, GenderEstimate, Landmarks
from core.video import smoothing

HERE = np.array([0.2, 0.2, 0.4, 0.4])
THERE = HERE + 0.1


def test_ema_alpha_is_independent_of_the_frame_rate() -> None:
    once = smoothing.ema_alpha(0.2, 0.5)
    twice = 1 - (1 - smoothing.ema_alpha(0.1, 0.5)) ** 2
    assert once == pytest.approx(twice)
    assert smoothing.ema_alpha(0.1, 0.0) == 1.0
    assert smoothing.ema_alpha(0.0, 0.5) == 0.0


def test_one_euro_lag_shrinks_with_speed() -> None:
    shares = [
        (smoothing.one_euro_step(HERE, THERE, speed, 1 / 15, 0.5) - HERE)[0] / 0.1 for speed in (0, 0.1, 0.3, 1, 3)
    ]
    assert shares[0] == shares[1] == pytest.approx(smoothing.ema_alpha(1 / 15, 0.5))
    assert shares[1:] == sorted(shares[1:])
    assert shares[-1] > 0.99


def test_box_smoothing_is_limited_and_can_be_off() -> None:
    limit = smoothing.one_euro_step(HERE, THERE, 0.0, 0.1, smoothing.MAX_BOX_SMOOTHING_S)
    assert smoothing.one_euro_step(HERE, THERE, 0.0, 0.1, 3.0) == pytest.approx(limit)
    assert smoothing.one_euro_step(HERE, THERE, 0.0, 0.1, 0.0) is THERE


def test_move_detection_moves_and_scales_landmarks() -> None:
    bare = Detection(Box(0, 0, 10, 10), 0.7)
    assert smoothing.move_detection(bare, Box(1, 1, 5, 5)) == Detection(Box(1, 1, 5, 5), 0.7)
    points = ((2.0, 4.0), (8.0, 4.0), (5.0, 6.0), (3.0, 8.0), (7.0, 8.0))
    result = smoothing.move_detection(replace(bare, landmarks=Landmarks(*points)), Box(100, 50, 120, 55))
    assert result.landmarks is not None
    assert np.allclose(result.landmarks.points, [(100 + 2 * x, 50 + y / 2) for x, y in points])


def test_averages_keep_the_newest_threshold() -> None:
    female = smoothing.average_classes(GenderEstimate((0.1, 0.9), 0.5), GenderEstimate((0.5, 0.5), 0.75), 0.25)
    assert female is not None
    assert female.probabilities == pytest.approx((0.2, 0.8))
    assert (female.min_confidence, female.uncertain) == (0.75, False)
    happy, sad = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    torn = smoothing.average_classes(EmotionEstimate(happy), EmotionEstimate(sad, 0.6), 0.5)
    assert torn is not None
    assert torn.uncertain, "both were certain, their average is not"

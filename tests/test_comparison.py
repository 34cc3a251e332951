"""Two analyses of one picture."""

from __future__ import annotations

from dataclasses import replace

from core.comparison import Difference, compare, match_faces
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, GenderEstimate
from tests.fakes.core import CHILD

SAD = EmotionEstimate((0.02, 0.02, 0.02, 0.03, 0.85, 0.03, 0.03))
FAR = replace(CHILD, detection=Detection(Box(100, 4, 140, 44), 0.9))
SHIFTED = replace(CHILD, detection=Detection(Box(8, 4, 48, 44), 0.5))


def picture(*faces: object) -> Analysis:
    return Analysis(200, 100, faces)


def test_the_same_face_in_another_frame() -> None:
    assert match_faces(picture(CHILD, FAR), picture(FAR, SHIFTED)) == {0: 1, 1: 0}
    assert compare(picture(CHILD, FAR), picture(FAR, SHIFTED)) == ()
    assert compare(picture(), picture()) == ()


def test_faces_that_only_one_finds() -> None:
    assert compare(picture(CHILD), picture(FAR)) == (
        Difference(0, None, "found", "yes", "no"),
        Difference(None, 0, "found", "no", "yes"),
    )


def test_answers_that_differ() -> None:
    other = replace(SHIFTED, emotion=SAD, gender=GenderEstimate((0.3, 0.7), 0.8), age=AgeEstimate(12, 9, 15))
    assert compare(picture(CHILD), picture(other)) == (
        Difference(0, 0, "emotion", "happy 85%", "sad 85%"),
        Difference(0, 0, "gender", "female 70%", "uncertain: female 70% / male 30%"),
        Difference(0, 0, "age", "7 (5-10)", "12 (9-15)"),
    )


def test_close_answers_and_what_was_not_read_do_not_differ() -> None:
    close = replace(SHIFTED, age=AgeEstimate(8, 6, 12))
    assert compare(picture(CHILD), picture(close)) == ()
    assert compare(picture(CHILD), picture(replace(close, emotion=None, age=None, gender=None))) == ()

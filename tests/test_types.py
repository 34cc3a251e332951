import math

import pytest

from core.types import (
    EMOTIONS,
    GENDERS,
    AgeEstimate,
    Analysis,
    Box,
    Detection,
    Emotion,
    EmotionEstimate,
    Gender,
    GenderEstimate,
)


def test_label_orders_are_the_contract():
    assert [str(e) for e in EMOTIONS] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert [str(g) for g in GENDERS] == ["male", "female"]


@pytest.mark.parametrize(
    "corners",
    [(0, 0, 0, 1), (0, 0, 1, 0), (2, 0, 1, 1), (0, 0, math.nan, 1), (0, 0, math.inf, 1)],
    ids=["no width", "no height", "negative", "nan", "infinite"],
)
def test_box_rejects(corners):
    with pytest.raises(ValueError, match="box"):
        Box(*corners)


def test_box_measures():
    box = Box(10, 20, 30, 60)
    assert (box.width, box.height, box.center) == (20, 40, (20, 40))


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_detection_rejects_score(score):
    with pytest.raises(ValueError, match="score"):
        Detection(Box(0, 0, 1, 1), score)


@pytest.mark.parametrize(
    "probabilities",
    [(1.0,), (0.5,) * 7, (-0.5, 1.5, 0, 0, 0, 0, 0), (math.nan, 1, 0, 0, 0, 0, 0)],
    ids=["too few", "sum", "negative", "nan"],
)
def test_emotion_rejects(probabilities):
    with pytest.raises(ValueError, match="emotion"):
        EmotionEstimate(probabilities)


def test_emotion_answers_its_highest_class():
    estimate = EmotionEstimate((0.1, 0, 0, 0.6, 0, 0.2, 0.1))
    assert estimate.label is Emotion.HAPPY
    assert estimate.confidence == 0.6
    assert estimate.mood == pytest.approx(0.6 + 0.1 - 0.1)


def test_gender_answers_its_highest_class():
    assert GenderEstimate((0.3, 0.7)).label is Gender.FEMALE


@pytest.mark.parametrize("ages", [(30, 31, 40), (30, 20, 29), (30, -1, 40)])
def test_age_rejects(ages):
    with pytest.raises(ValueError, match="age"):
        AgeEstimate(*ages)


def test_nobody_in_view_is_an_empty_tuple():
    assert Analysis(4, 3).faces == ()


@pytest.mark.parametrize("wh", [(0, 3), (4, -1)])
def test_analysis_rejects_size(wh):
    with pytest.raises(ValueError, match="size"):
        Analysis(*wh)

import dataclasses
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
    Face,
    Gender,
    GenderEstimate,
    Landmarks,
)


def test_order_of_labels():
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


def test_emotion_label_is_the_most_probable_class():
    estimate = EmotionEstimate((0.1, 0, 0, 0.6, 0, 0.2, 0.1))
    assert estimate.label is Emotion.HAPPY
    assert estimate.confidence == 0.6
    assert estimate.valence == pytest.approx(0.6 + 0.1 - 0.1)


UNSURE = (0.1, 0, 0.1, 0, 0.4, 0.1, 0.3)


@pytest.mark.parametrize(
    ("minimum", "uncertain"),
    [(0.0, False), (0.4, False), (0.41, True), (1.0, True)],
    ids=["none", "reached", "just missed", "all"],
)
def test_prediction_below_the_threshold_is_uncertain(minimum, uncertain):
    estimate = EmotionEstimate(UNSURE, minimum)
    assert estimate.uncertain is uncertain
    assert estimate.label is Emotion.SAD
    assert estimate.top_two == ((Emotion.SAD, 0.4), (Emotion.NEUTRAL, 0.3))


def test_ties_are_in_the_order_of_the_labels():
    assert GenderEstimate((0.5, 0.5)).top_two == ((Gender.MALE, 0.5), (Gender.FEMALE, 0.5))
    assert EmotionEstimate((0, 0.25, 0.25, 0, 0.25, 0.25, 0)).top_two == (
        (Emotion.DISGUST, 0.25),
        (Emotion.FEAR, 0.25),
    )


@pytest.mark.parametrize("minimum", [-0.1, 1.1, math.nan])
@pytest.mark.parametrize("estimate", [GenderEstimate((0.3, 0.7)), EmotionEstimate(UNSURE)], ids=["gender", "emotion"])
def test_threshold_is_a_probability(estimate, minimum):
    with pytest.raises(ValueError, match="min_confidence"):
        dataclasses.replace(estimate, min_confidence=minimum)


@pytest.mark.parametrize("ages", [(30, 31, 40), (30, 20, 29), (30, -1, 40)])
def test_age_rejects(ages):
    with pytest.raises(ValueError, match="age"):
        AgeEstimate(*ages)


def test_analysis_without_faces():
    assert Analysis(4, 3).faces == ()
    assert Analysis(4, 3).xyxy.shape == (0, 4)


def test_analysis_has_its_boxes_as_a_read_only_array():
    faces = tuple(Face(Detection(Box(x, 1, x + 2, 3), 0.9)) for x in (0, 5))
    analysis = Analysis(9, 9, faces)
    assert analysis.xyxy.tolist() == [[0, 1, 2, 3], [5, 1, 7, 3]]
    assert analysis.xyxy is analysis.xyxy
    with pytest.raises(ValueError, match="read-only"):
        analysis.xyxy[0, 0] = 1


@pytest.mark.parametrize("wh", [(0, 3), (4, -1)])
def test_analysis_rejects_size(wh):
    with pytest.raises(ValueError, match="size"):
        Analysis(*wh)


def test_resized_analysis_has_boxes_and_landmarks_in_pixels_of_the_new_size():
    landmarks = Landmarks(*((number, 1) for number in range(5)))
    small = Analysis(4, 3, (Face(Detection(Box(0, 1, 2, 3), 0.9, landmarks), track_id=7),), 5.0)
    large = small.resized((8, 9))
    assert (large.width, large.height, large.elapsed_ms) == (8, 9, 5.0)
    assert large.xyxy.tolist() == [[0, 3, 4, 9]]
    assert large.faces[0].detection.landmarks.points == ((0, 3), (2, 3), (4, 3), (6, 3), (8, 3))
    assert large.faces[0].track_id == 7
    assert large.resized((4, 3)) == small

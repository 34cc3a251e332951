import threading
from dataclasses import replace

import numpy as np
import pytest

from core.analyzer import FaceAnalyzer
from core.attributes.catalog import load_networks
from core.attributes.quality import installed_settings
from core.errors import ConfigError
from core.settings import DEFAULT_NETWORKS, Attributes
from core.types import Box, Emotion, Gender
from tests.fakes.core import AGE_GENDER_CARD, EMOTION_CARD, FakeDetector, FakeEstimator
from tests.fakes.networks import AGE_CARD, GENDER_CARD, answering

DARK, BRIGHT = Box(10, 10, 40, 40), Box(60, 10, 90, 40)


@pytest.fixture
def frame():
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[:, 50:] = 250
    return picture


def analyzer(*boxes):
    return FaceAnalyzer(FakeDetector(*boxes), answering(FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)))


def test_each_face_gets_the_answers_of_its_own_crop_from_left_to_right(frame):
    result = analyzer(BRIGHT, DARK).analyze(frame)
    assert (result.width, result.height) == (100, 60)
    assert [face.box for face in result.faces] == [DARK, BRIGHT]
    assert [face.emotion.label for face in result.faces] == [Emotion.ANGRY, Emotion.NEUTRAL]
    assert [face.gender.label for face in result.faces] == [Gender.MALE, Gender.FEMALE]
    assert result.faces[0].age.years < 5 < 90 < result.faces[1].age.years


def test_one_batch_a_network(frame):
    networks = [FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)]
    FaceAnalyzer(FakeDetector(DARK, BRIGHT), answering(*networks)).analyze(frame)
    assert [[batch.shape for batch in network.batches] for network in networks] == [[(2, 8, 8, 1)], [(2, 8, 8, 3)]]


def test_nobody_in_view_asks_no_network(frame):
    network = FakeEstimator()
    assert FaceAnalyzer(FakeDetector(), answering(network)).analyze(frame).faces == ()
    assert network.batches == []


@pytest.mark.parametrize(
    ("wanted", "present"),
    [
        (Attributes(True, True, True), (True, True, True)),
        (Attributes(True, False, False), (True, False, False)),
        (Attributes(False, True, False), (False, True, False)),
        (Attributes(False, False, True), (False, False, True)),
        (Attributes(False, False, False), (False, False, False)),
    ],
    ids=["all", "emotion", "age", "gender", "none"],
)
def test_only_wanted_attributes_are_answered(frame, wanted, present):
    (face,) = analyzer(DARK).analyze(frame, wanted).faces
    assert (face.emotion is not None, face.age is not None, face.gender is not None) == present


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (Attributes(), (0.95, 0.6)),
        (Attributes(min_emotion_confidence=0.3), (0.3, 0.6)),
        (Attributes(min_gender_confidence=0.0), (0.95, 0.0)),
        (Attributes(min_emotion_confidence=1.0, min_gender_confidence=0.9), (1.0, 0.9)),
    ],
    ids=["of the cards", "emotion chosen", "gender off", "both chosen"],
)
def test_minimums_come_from_the_cards_unless_chosen(frame, attributes, expected):
    emotion = FakeEstimator(replace(EMOTION_CARD, min_confidence={"emotion": 0.95}))
    gender = FakeEstimator(replace(AGE_GENDER_CARD, min_confidence={"gender": 0.6}))
    (face,) = FaceAnalyzer(FakeDetector(DARK), answering(emotion, gender)).analyze(frame, attributes).faces
    assert (face.emotion.min_confidence, face.gender.min_confidence) == expected
    # The fakes answer with 0.9 and 0.8.
    assert (face.emotion.uncertain, face.gender.uncertain) == (expected[0] > 0.9, expected[1] > 0.8)


def test_without_minimums_nothing_is_uncertain(frame):
    (face,) = analyzer(DARK).analyze(frame).faces
    assert (face.emotion.min_confidence, face.gender.min_confidence) == (0.0, 0.0)


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize("name", ["min_emotion_confidence", "min_gender_confidence"])
def test_a_minimum_that_is_no_probability_is_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        Attributes(**{name: value})


def test_stages_are_timed_and_the_frame_is_left_alone(frame):
    before = frame.copy()
    result = analyzer(DARK).analyze(frame)
    assert set(result.stage_ms) == {"detect", "align", "emotion", "age_gender"}
    assert 0 <= sum(result.stage_ms.values()) <= result.elapsed_ms
    assert np.array_equal(frame, before)


@pytest.mark.parametrize(
    "bad",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
    ids=["grey", "alpha", "float", "empty"],
)
def test_other_arrays_are_refused(bad):
    with pytest.raises(ValueError, match="frame"):
        analyzer(DARK).analyze(bad)


def test_several_threads_get_the_answers_of_one(frame):
    networks = load_networks(DEFAULT_NETWORKS)
    expected = FaceAnalyzer(FakeDetector(DARK, BRIGHT), networks).analyze(frame).faces
    reader = FaceAnalyzer(FakeDetector(DARK, BRIGHT), networks)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.extend(reader.analyze(frame).faces == expected for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 80
    assert all(answers)


def test_warm_up_runs_every_network():
    networks = [FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)]
    detector = FakeDetector()
    FaceAnalyzer(detector, answering(*networks)).warm_up()
    assert [len(network.batches) for network in networks] == [1, 1]
    assert detector.calls == 1


def test_a_crop_that_shows_no_usable_face_is_answered_with_less_confidence():
    frame = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    box = Box(16, 16, 80, 80)
    sure, doubtful = (FakeDetector(box, score=score) for score in (0.95, 0.25))
    faces = [
        FaceAnalyzer(detector, answering(FakeEstimator()), installed_settings()).analyze(frame).faces[0]
        for detector in (sure, doubtful)
    ]
    plain = FaceAnalyzer(doubtful, answering(FakeEstimator())).analyze(frame).faces[0]
    assert faces[0].emotion.probabilities == plain.emotion.probabilities
    assert faces[1].emotion.label == plain.emotion.label
    assert faces[1].emotion.confidence < plain.emotion.confidence - 0.3


def test_each_attribute_comes_from_the_network_chosen_for_it(frame):
    ages, genders = FakeEstimator(AGE_GENDER_CARD), FakeEstimator(GENDER_CARD)
    ages.card = replace(ages.card, min_confidence={"gender": 0.9})
    genders.card = replace(genders.card, input_size=16, temperature={"gender": 2.0}, min_confidence={"gender": 0.3})
    networks = {"emotion": FakeEstimator(), "age": ages, "gender": genders}
    result = FaceAnalyzer(FakeDetector(DARK), networks).analyze(frame)
    (face,) = result.faces
    # The fakes answer male with 0.8: 0.8 ** 0.5 / (0.8 ** 0.5 + 0.2 ** 0.5) at the second card's temperature.
    assert face.gender.probabilities == pytest.approx((2 / 3, 1 / 3), abs=1e-4)
    assert face.gender.min_confidence == 0.3
    assert face.age.years < 5
    assert [batch.shape for batch in genders.batches] == [(1, 16, 16, 3)], "the crop of its own card"
    assert set(result.stage_ms) == {"detect", "align", "emotion", "age_gender", "six_conv_gender"}


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [
        (Attributes(), [1, 1, 1]),
        (Attributes(gender=False), [1, 1, 0]),
        (Attributes(emotion=False, age=False), [0, 0, 1]),
        (Attributes(emotion=False, gender=False), [0, 1, 0]),
    ],
    ids=["all", "no gender", "gender alone", "age alone"],
)
def test_a_network_that_is_not_needed_is_not_asked(frame, attributes, asked):
    networks = {"emotion": FakeEstimator(), "age": FakeEstimator(AGE_CARD), "gender": FakeEstimator(GENDER_CARD)}
    result = FaceAnalyzer(FakeDetector(DARK), networks, installed_settings()).analyze(frame, attributes)
    assert [len(network.batches) for network in networks.values()] == asked
    names = {network.card.name for network, count in zip(networks.values(), asked, strict=True) if count}
    doubted = {"quality"} if attributes.emotion or attributes.gender else set()
    assert set(result.stage_ms) == {"detect", "align"} | names | doubted


def test_one_network_for_two_attributes_is_asked_once(frame):
    network = FakeEstimator(AGE_GENDER_CARD)
    analyzer = FaceAnalyzer(FakeDetector(DARK), {"age": network, "gender": network})
    (face,) = analyzer.analyze(frame).faces
    assert len(network.batches) == 1
    assert (face.emotion, face.age is None, face.gender is None) == (None, False, False)


def test_what_the_network_also_answers_is_not_taken_from_it(frame):
    (face,) = FaceAnalyzer(FakeDetector(DARK), {"age": FakeEstimator(AGE_GENDER_CARD)}).analyze(frame).faces
    assert face.gender is None


def test_a_network_is_not_asked_for_what_it_does_not_answer():
    with pytest.raises(ConfigError, match="six_conv_gender predicts gender, not age"):
        FaceAnalyzer(FakeDetector(), {"age": FakeEstimator(GENDER_CARD)})

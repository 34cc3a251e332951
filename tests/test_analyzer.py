from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from core.analyzer import FaceAnalyzer
from core.artifacts.model_card import ViewCalibration
from core.attributes.catalog import load_networks
from core.attributes.quality import installed_settings
from core.errors import ConfigError
from core.settings import DEFAULT_NETWORKS, Attributes, ViewSettings
from core.types import Box, Detection, Emotion, Gender
from tests.fakes.core import AGE_GENDER_CARD, EMOTION_CARD, FakeDetector, FakeEstimator
from tests.fakes.networks import AGE_CARD, GENDER_CARD, answering

DARK, BRIGHT = Box(10, 10, 40, 40), Box(60, 10, 90, 40)


@pytest.fixture
def frame():
    frame = np.zeros((60, 100, 3), np.uint8)
    frame[:, 50:] = 250
    return frame


def analyzer(*boxes):
    return FaceAnalyzer(FakeDetector(*boxes), answering(FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)))


def test_faces_are_predicted_from_left_to_right(frame):
    before = frame.copy()
    result = analyzer(BRIGHT, DARK).analyze(frame)
    assert (result.width, result.height) == (100, 60)
    assert [face.box for face in result.faces] == [DARK, BRIGHT]
    assert [face.emotion.label for face in result.faces] == [Emotion.ANGRY, Emotion.NEUTRAL]
    assert [face.gender.label for face in result.faces] == [Gender.MALE, Gender.FEMALE]
    assert result.faces[0].age.years < 5 < 90 < result.faces[1].age.years
    assert {(face.emotion.min_confidence, face.gender.min_confidence) for face in result.faces} == {(0.0, 0.0)}
    assert set(result.stage_ms) == {"detect", "align", "emotion", "age_gender"}
    assert 0 <= sum(result.stage_ms.values()) <= result.elapsed_ms
    assert np.array_equal(frame, before)


@pytest.mark.parametrize(("boxes", "batches"), [((DARK, BRIGHT), [2]), ((), [])], ids=["two faces", "no face"])
def test_all_faces_are_one_batch_per_network(frame, boxes, batches):
    networks = [FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)]
    assert len(FaceAnalyzer(FakeDetector(*boxes), answering(*networks)).analyze(frame).faces) == len(boxes)
    assert [[len(batch) for batch in network.batches] for network in networks] == [batches, batches]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (Attributes(), (0.95, 0.6)),
        (Attributes(min_emotion_confidence=0.3), (0.3, 0.6)),
        (Attributes(min_gender_confidence=0.0), (0.95, 0.0)),
        (Attributes(min_emotion_confidence=1.0, min_gender_confidence=0.9), (1.0, 0.9)),
    ],
    ids=["cards", "emotion chosen", "gender off", "both chosen"],
)
def test_thresholds_come_from_the_cards_unless_chosen(frame, attributes, expected):
    emotion = FakeEstimator(replace(EMOTION_CARD, min_confidence={"emotion": 0.95}))
    gender = FakeEstimator(replace(AGE_GENDER_CARD, min_confidence={"gender": 0.6}))
    (face,) = FaceAnalyzer(FakeDetector(DARK), answering(emotion, gender)).analyze(frame, attributes).faces
    assert (face.emotion.min_confidence, face.gender.min_confidence) == expected
    # The fakes predict with 0.9 and 0.8.
    assert (face.emotion.uncertain, face.gender.uncertain) == (expected[0] > 0.9, expected[1] > 0.8)


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize("name", ["min_emotion_confidence", "min_gender_confidence"])
def test_thresholds_are_probabilities(name, value):
    with pytest.raises(ConfigError, match=name):
        Attributes(**{name: value})


@pytest.mark.parametrize(
    "bad",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
    ids=["grey", "alpha", "float", "empty"],
)
def test_analyze_rejects_other_arrays(bad):
    with pytest.raises(ValueError, match="frame"):
        analyzer(DARK).analyze(bad)


def test_analyzer_is_thread_safe(frame):
    shared = FaceAnalyzer(FakeDetector(DARK, BRIGHT), load_networks(DEFAULT_NETWORKS))
    expected = shared.analyze(frame).faces
    with ThreadPoolExecutor(4) as threads:
        assert all(result.faces == expected for result in threads.map(shared.analyze, [frame] * 80))


def test_warm_up_runs_every_model():
    networks, detector = [FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)], FakeDetector()
    FaceAnalyzer(detector, answering(*networks)).warm_up()
    assert [len(network.batches) for network in networks] == [1, 1]
    assert detector.calls == 1


def test_low_quality_lowers_the_confidence():
    frame = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    good, poor = (FakeDetector(Box(16, 16, 80, 80), score=score) for score in (0.95, 0.45))
    faces = [
        FaceAnalyzer(detector, answering(FakeEstimator()), installed_settings()).analyze(frame).faces[0]
        for detector in (good, poor)
    ]
    raw = FaceAnalyzer(poor, answering(FakeEstimator())).analyze(frame).faces[0]
    assert faces[0].emotion.probabilities == raw.emotion.probabilities
    assert faces[1].emotion.label == raw.emotion.label
    assert faces[1].emotion.confidence < raw.emotion.confidence - 0.3


def test_each_attribute_uses_its_network_with_that_card(frame):
    ages, genders = FakeEstimator(AGE_GENDER_CARD), FakeEstimator(GENDER_CARD)
    ages.card = replace(ages.card, min_confidence={"gender": 0.9})
    genders.card = replace(genders.card, input_size=16, temperature={"gender": 2.0}, min_confidence={"gender": 0.3})
    (face,) = FaceAnalyzer(FakeDetector(DARK), {"age": ages, "gender": genders}).analyze(frame).faces
    # The fake predicts male with 0.8: 0.8 ** 0.5 / (0.8 ** 0.5 + 0.2 ** 0.5) at the temperature of its card.
    assert face.gender.probabilities == pytest.approx((2 / 3, 1 / 3), abs=1e-4)
    assert face.gender.min_confidence == 0.3
    assert face.age.years < 5
    assert [batch.shape for batch in genders.batches] == [(1, 16, 16, 3)]


@pytest.mark.parametrize(
    ("attributes", "runs"),
    [
        (Attributes(), [1, 1, 1]),
        (Attributes(gender=False), [1, 1, 0]),
        (Attributes(emotion=False, age=False), [0, 0, 1]),
        (Attributes(emotion=False, gender=False), [0, 1, 0]),
        (Attributes(emotion=False, age=False, gender=False), [0, 0, 0]),
    ],
    ids=["all", "no gender", "gender only", "age only", "none"],
)
def test_only_networks_of_wanted_attributes_run(frame, attributes, runs):
    networks = {"emotion": FakeEstimator(), "age": FakeEstimator(AGE_CARD), "gender": FakeEstimator(GENDER_CARD)}
    result = FaceAnalyzer(FakeDetector(DARK), networks, installed_settings()).analyze(frame, attributes)
    assert [len(network.batches) for network in networks.values()] == runs
    assert [getattr(result.faces[0], name) is not None for name in networks] == [bool(count) for count in runs]
    stages = {network.card.name for network, count in zip(networks.values(), runs, strict=True) if count}
    stages |= {"align"} if any(runs) else set()
    stages |= {"quality"} if attributes.emotion or attributes.gender else set()
    assert set(result.stage_ms) == {"detect"} | stages


@pytest.mark.parametrize("used", [("age", "gender"), ("age",)], ids=["both", "age only"])
def test_network_of_several_attributes_runs_once(frame, used):
    network = FakeEstimator(AGE_GENDER_CARD)
    (face,) = FaceAnalyzer(FakeDetector(DARK), dict.fromkeys(used, network)).analyze(frame).faces
    assert len(network.batches) == 1
    assert (face.emotion, face.age is None, face.gender is None) == (None, False, "gender" not in used)


def test_network_of_another_attribute_is_rejected():
    with pytest.raises(ConfigError, match="six_conv_gender predicts gender, not age"):
        FaceAnalyzer(FakeDetector(), {"age": FakeEstimator(GENDER_CARD)})


class CornerDetector:
    """Finds one face in frames whose brightest corner is the top left one."""

    def detect(self, frame):
        box = Box(5, 10, 25, 30)
        return (Detection(box, 0.9),) if frame[0, 0].min() == frame.max() else ()


@pytest.mark.parametrize(("any_orientation", "rotation"), [(True, 90), (False, 0)])
def test_rotated_frames_are_read_upright(frame, any_orientation, rotation):
    frame[-1, 0] = 255
    emotion = FakeEstimator()
    analysis = FaceAnalyzer(CornerDetector(), {"emotion": emotion}, any_orientation=any_orientation).analyze(frame)
    assert (analysis.width, analysis.height, analysis.rotation) == (100, 60, rotation)
    assert [face.box.xyxy for face in analysis.faces] == ([(10, 35, 30, 55)] if rotation else [])
    # The dark half of the frame is its upper half once it is upright.
    assert [batch.max() for batch in emotion.batches] == ([0] if rotation else [])


class FirstColumn(FakeEstimator):
    """Answers from the leftmost pixels of each crop, which differ between views."""

    def predict(self, crops):
        answers = super().predict(np.repeat(crops[:, :, :1], crops.shape[2], axis=2))
        self.batches[-1] = crops.copy()
        return answers


@pytest.mark.parametrize(
    ("faces", "settings", "views"),
    [(2, ViewSettings(4), 4), (2, ViewSettings(4, max_faces=1), 1), (0, ViewSettings(4), 4)],
    ids=["few faces", "more than max_faces", "no face"],
)
def test_answers_are_the_mean_of_several_views(faces, settings, views):
    frame = np.tile(np.linspace(0, 255, 100).astype(np.uint8)[None, :, None], (60, 1, 3))
    network, single = FirstColumn(AGE_GENDER_CARD), FirstColumn(AGE_GENDER_CARD)
    detector, used = FakeDetector(*[DARK, BRIGHT][:faces]), dict.fromkeys(("age", "gender"), network)
    result = FaceAnalyzer(detector, used, installed_settings(), views=settings).analyze(frame)
    assert result.views == views
    assert [len(batch) for batch in network.batches] == [views * faces] * bool(faces), "all in one batch"
    one_view = FaceAnalyzer(detector, dict.fromkeys(used, single), installed_settings()).analyze(frame).faces
    for row, face in enumerate(result.faces):
        answers = [single.predict(crop[None]) for crop in network.batches[0][row * views : (row + 1) * views]]
        ages = [float(answer["age"][0] @ np.arange(101)) for answer in answers]
        assert face.age.years == pytest.approx(np.mean(ages), abs=1e-3)
        assert (len(set(ages)) > 1) == (views > 1)
        assert (face == one_view[row]) == (views == 1)


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 9}, {"max_faces": -1}])
def test_view_settings_are_checked(wrong):
    with pytest.raises(ConfigError):
        ViewSettings(**wrong)


def test_several_views_have_a_calibration_of_their_own(frame):
    card = replace(EMOTION_CARD, several_views_calibration=ViewCalibration({"emotion": 2.0}))
    one, several = (
        FaceAnalyzer(FakeDetector(DARK), {"emotion": FakeEstimator(card)}, views=ViewSettings(count)).analyze(frame)
        for count in (1, 2)
    )
    assert one.faces[0].emotion.confidence == pytest.approx(0.9)
    sure, others = 0.9**0.5, 6 * (0.1 / 6) ** 0.5
    assert several.faces[0].emotion.confidence == pytest.approx(sure / (sure + others), abs=1e-4)

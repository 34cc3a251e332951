"""Fitting the limits to made-up faces, and the stored ones."""

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR
from core.attributes.quality import QUALITY_FILE, blend_with_uniform, load_settings, measure_poses
from core.datasets.faces import Annotations, FacePhoto
from core.datasets.samples import Samples
from core.detection import FaceArrays
from core.types import Box, Detection, Landmarks
from models.measuring import quality
from models.measuring.alignment import PaddedImage
from models.measuring.quality import (
    CLEAN_SHARE,
    QualityMeasures,
    fit,
    fit_reference,
    label_detections,
    measure_padded,
    shrink,
)
from tests.fakes.core import AGE_GENDER_CARD, FakeDetector, FakeEstimator

FRONTAL = np.array(((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)))
COUNT = 300


def measures_of(rng, sharp=0.5, side_px=190.0, correct=0.9):
    """Faces whose predictions have 90 % confidence and are correct in ``correct`` of the cases."""
    points = FRONTAL * 100 + rng.normal(0, 1.0, (COUNT, 5, 2))
    scores = rng.uniform(0.6, 0.95, COUNT)
    faces = tuple(
        Detection(Box(0, 0, 100, 100), float(score), Landmarks(*map(tuple, five.tolist())))
        for score, five in zip(scores, points, strict=True)
    )
    truth = rng.integers(0, 7, COUNT)
    predicted = np.where(rng.random(COUNT) < correct, truth, (truth + 1) % 7)
    probabilities = np.full((COUNT, 7), 0.1 / 6)
    probabilities[np.arange(COUNT), predicted] = 0.9
    sharpness = sharp + rng.normal(0, 0.01, COUNT)
    return QualityMeasures(faces, scores, sharpness, np.full(COUNT, side_px), np.zeros(COUNT), probabilities, truth)


def confidence_of(measures, settings):
    """Quality, and confidence after blending."""
    poses = measure_poses(measures.faces, settings.reference)
    scores = QualityMeasures(**{**vars(measures), "poses": poses}).quality(settings)
    return scores, blend_with_uniform(measures.probabilities, scores).max(axis=1).mean()


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.1, 0.9, 2000)
    return {
        "clean": [measures_of(rng), measures_of(rng)],
        "blurred": [measures_of(rng, sharp, correct=right) for sharp, right in ((0.4, 0.7), (0.2, 0.3), (0.1, 1 / 7))],
        "tiny": [measures_of(rng, side_px=side, correct=right) for side, right in ((40, 0.9), (20, 0.55), (10, 1 / 7))],
        "detections": (scores, rng.random(2000) < np.clip((scores - 0.3) / 0.3, 0, 1)),
    }


@pytest.fixture(scope="module")
def settings(parts):
    return fit(**parts)


def test_confidence_falls_to_the_accuracy(parts, settings):
    for measures in parts["clean"]:
        scores, confidence = confidence_of(measures, settings)
        assert (scores == 1).mean() >= CLEAN_SHARE
        assert confidence == pytest.approx(0.9, abs=0.005)
    for kind in ("blurred", "tiny"):
        assert abs(confidence_of(parts[kind][-1], settings)[1] - 1 / 7) < 0.15


def test_calibrated_corrupted_faces_keep_their_confidence(parts):
    corrupted = measures_of(np.random.default_rng(0), sharp=0.1, side_px=10)
    settings = fit(**parts | {"blurred": [corrupted], "tiny": [corrupted]})
    assert confidence_of(corrupted, settings)[0].mean() > 0.98


def test_limits_follow_the_data(settings):
    assert settings.side_px.unusable >= 4
    assert 20 < settings.side_px.usable <= 42
    assert settings.score.usable == pytest.approx(0.6, abs=0.01)
    assert 0.2 < settings.score.unusable < 0.4
    assert settings.pose.usable < settings.pose.unusable < 1
    assert settings.score.unusable == round(settings.score.unusable, 4)
    # The stored limits leave native faces of FER2013 alone.
    assert load_settings(ARTIFACTS_DIR / QUALITY_FILE).side_px.usable <= 48


def test_the_reference_is_level_and_symmetric():
    rng = np.random.default_rng(1)
    angles = rng.normal(0, 0.3, 500)
    turns = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], axis=1).reshape(-1, 2, 2)
    rotated = np.einsum("npj,nij->npi", FRONTAL[None] * 50 + rng.normal(0, 0.5, (500, 5, 2)), turns)
    reference = fit_reference([rotated])
    assert reference[0, 1] == reference[1, 1]
    assert reference[[0, 3], 0].tolist() == (-reference[[1, 4], 0]).tolist()
    assert reference[2, 0] == 0
    wanted = FRONTAL - FRONTAL.mean(axis=0)
    assert reference == pytest.approx(wanted / np.linalg.norm(wanted), abs=0.01)


def test_detections_are_labelled_and_duplicates_left_out():
    image = np.zeros((240, 240, 3), np.uint8)
    landmarks = np.array([[[32.0, 35.0], [48.0, 35.0], [40.0, 43.0], [40.0, 52.0]]])
    nothing = FaceArrays(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
    photo = FacePhoto(image, Annotations("web_1.jpg", (240, 240), landmarks, np.zeros((0, 4)), nothing))
    detector = FakeDetector(Box(20, 20, 60, 60), Box(21, 21, 61, 61), Box(80, 80, 110, 110))
    scores, is_face = label_detections([photo, photo], detector)
    assert is_face.tolist() == [True, False] * 2
    assert len(scores) == 4


def test_padded_images_are_measured():
    faces = [Detection(Box(10, 10, 60, 60), 0.8), Detection(Box(20, 20, 60, 60), 0.7)]
    images = [PaddedImage(np.full((80, 80, 3), 9, np.uint8), face) for face in faces]
    samples = Samples(np.array(["a", "b"]), np.zeros((2, 8, 8, 1), np.uint8), {"emotion": np.array([3, 5])})
    measures = measure_padded(images, samples, FakeEstimator())
    assert measures.truth.tolist() == [3, 5]
    assert measures.scores.tolist() == [0.8, 0.7]
    assert measures.sharpness.tolist() == [0, 0]
    assert measures.probabilities.shape == (2, 7)


def test_a_shrunk_face_keeps_its_place():
    face = Detection(Box(40, 40, 140, 140), 0.8, Landmarks(*map(tuple, (FRONTAL * 100 + 40).tolist())))
    estimator = FakeEstimator(AGE_GENDER_CARD)
    small = shrink(PaddedImage(np.zeros((200, 300, 3), np.uint8), face), 20, estimator)
    assert small.frame.shape == (40, 60, 3)
    assert small.face.box.xyxy == pytest.approx((8, 8, 28, 28))
    assert np.array(small.face.landmarks.points) == pytest.approx(FRONTAL * 20 + 8)


def test_missing_data_is_explained(tmp_path, capsys):
    assert quality.main(["--data", str(tmp_path)]) == 2
    assert "error: " in capsys.readouterr().err

"""Deriving the limits from made-up faces, and what the stored ones do."""

import json

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, AlignmentSpec
from core.attributes.quality import QUALITY_FILE, Smoothstep
from core.datasets.faces import FacePhoto
from core.types import Box, Detection, Landmarks
from models.measuring import quality as usability
from models.measuring.quality import (
    CLEAN,
    CLEAN_SHARE,
    FALSE_BOX,
    RANDOM_BOX,
    WEAK_FALSE_BOX,
    fit,
    measured,
    plain_points,
)
from models.measuring.quality_data import Boxes, Photographed, photographed, random_box, shrunk
from tests.fakes.core import AGE_GENDER_CARD, FakeDetector, FakeEstimator
from tests.fakes.detection import annotate

PLAIN = np.array(((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)))
COUNT = 300


def boxes(rng, blur=0.0, side_px=190.0, right=0.9, count=COUNT):
    """Noise pictures, the more even the larger ``blur``, whose answers are 90 % sure and right in ``right`` of them."""
    noise = rng.integers(0, 256, (count, 48, 48, 1)).astype(np.float32)
    smooth = np.broadcast_to(np.linspace(0, 255, 48, dtype=np.float32)[None, None, :, None], noise.shape)
    mixed = (1 - blur) * noise + blur * smooth
    points = PLAIN * 100 + rng.normal(0, 1.0, (count, 5, 2))
    faces = tuple(
        Detection(Box(0, 0, 100, 100), float(score), Landmarks(*map(tuple, five.tolist())))
        for score, five in zip(rng.uniform(0.6, 0.95, count), points, strict=True)
    )
    truth = rng.integers(0, 7, count)
    said = np.where(rng.random(count) < right, truth, (truth + 1) % 7)
    answers = np.full((count, 7), 0.1 / 6)
    answers[np.arange(count), said] = 0.9
    crops = mixed.round().astype(np.uint8)
    return Boxes(faces, crops, np.full(count, side_px), {"emotion": answers}, {"emotion": truth}, count)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.1, 0.9, 2000)
    return {
        "clean": {"emotion": boxes(rng), "other": boxes(rng)},
        "blurred": [boxes(rng, blur, right=right) for blur, right in ((0.9, 0.7), (0.97, 0.3), (0.99, 1 / 7))],
        "tiny": [boxes(rng, side_px=split, right=right) for split, right in ((40, 0.9), (20, 0.55), (10, 1 / 7))],
        "photos": Photographed(scores, rng.random(2000) < np.clip((scores - 0.3) / 0.3, 0, 1), [], []),
    }


@pytest.fixture(scope="module")
def settings(parts):
    return fit(**parts)


def test_clean_faces_keep_their_answers(parts, settings):
    for one in parts["clean"].values():
        figures = measured(one, settings)["emotion"]
        assert figures["whole"] >= CLEAN_SHARE
        assert figures["after"] == pytest.approx(figures["before"], abs=0.005)


@pytest.mark.parametrize("kind", ["blurred", "tiny"])
def test_damaged_faces_become_as_sure_as_they_are_right(parts, settings, kind):
    worst = measured(parts[kind][-1], settings)["emotion"]
    assert worst["before"] == pytest.approx(0.9)
    assert abs(worst["after"] - worst["accuracy"]) < 0.15


def test_damaged_faces_whose_answers_are_right_as_often_as_they_say_keep_them(parts):
    damaged = boxes(np.random.default_rng(0), blur=0.97, side_px=10)
    settings = fit(**parts | {"blurred": [damaged], "tiny": [damaged]})
    assert measured(damaged, settings)["emotion"]["share"] > 0.98


def test_the_limits_are_where_the_data_puts_them(settings):
    assert settings.side_px.unusable >= 4
    assert 20 < settings.side_px.usable <= 42
    assert settings.score.usable == pytest.approx(0.6, abs=0.01)
    assert 0.2 < settings.score.unusable < 0.4
    assert settings.pose.usable < settings.pose.unusable < 1


def test_the_plain_face_is_level_and_symmetric():
    rng = np.random.default_rng(1)
    angles = rng.normal(0, 0.3, 500)
    turns = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], axis=1).reshape(-1, 2, 2)
    turned = np.einsum("npj,nij->npi", PLAIN[None] * 50 + rng.normal(0, 0.5, (500, 5, 2)), turns)
    points = plain_points([turned])
    assert points[0, 1] == points[1, 1]
    assert points[[0, 3], 0].tolist() == (-points[[1, 4], 0]).tolist()
    assert points[2, 0] == 0
    wanted = PLAIN - PLAIN.mean(axis=0)
    assert points == pytest.approx(wanted / np.linalg.norm(wanted), abs=0.01)


def photo(size=240):
    landmarks = np.array([[32.0, 35.0], [48.0, 35.0], [40.0, 43.0], [40.0, 52.0]])
    image = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return FacePhoto(image, annotate("web_1.jpg", [landmarks], pseudo_boxes=[[20.0, 20.0, 60.0, 60.0]]))


def test_random_boxes_miss_every_mark():
    rng = np.random.default_rng(0)
    for _ in range(200):
        box = random_box(photo(), rng)
        assert box is not None
        assert max(box.x1, box.y1) >= 60
        assert min(box.x1, box.y1) >= 0
        assert max(box.x2, box.y2) <= 240
    assert random_box(photo(size=62), rng) is None, "there is no room beside the face"


def test_photographs_give_faces_and_boxes_that_hold_none():
    detector = FakeDetector(Box(20, 20, 60, 60), Box(80, 80, 110, 110))
    estimators = [FakeEstimator(), FakeEstimator(AGE_GENDER_CARD)]
    found = photographed([photo(), photo()], estimators, detector)
    assert found.is_face.tolist() == [True, False] * 2
    assert [list(one.answers) for one in found.false] == [["emotion"], ["gender"]]
    assert [len(one.faces) for one in found.false] == [2, 2]
    assert {one.score for one in found.random[0].faces} == {1.0}
    assert not found.random[0].truth


def test_a_shrunk_face_keeps_its_place():
    face = Detection(Box(40, 40, 140, 140), 0.8, Landmarks(*map(tuple, (PLAIN * 100 + 40).tolist())))
    estimator = FakeEstimator()
    estimator.card = AGE_GENDER_CARD.__class__(**{**vars(AGE_GENDER_CARD), "crop": AlignmentSpec(1.0)})
    frame, small = shrunk(np.zeros((200, 300, 3), np.uint8), face, 20, estimator)
    assert frame.shape == (40, 60, 3)
    assert small.box.xyxy == pytest.approx((8, 8, 28, 28))
    assert small.landmarks is not None
    assert np.array(small.landmarks.points) == pytest.approx(PLAIN * 20 + 8)


def test_missing_data_is_explained(tmp_path, capsys):
    assert usability.main(["--data", str(tmp_path)]) == 2
    assert "error: " in capsys.readouterr().err


@pytest.fixture(scope="module")
def stored():
    return json.loads((ARTIFACTS_DIR / QUALITY_FILE).read_text())


@pytest.mark.parametrize("answer", ["emotion", "gender"])
def test_the_stored_limits_leave_clean_faces_alone(stored, answer):
    assert stored["measured"][CLEAN][answer]["whole"] >= CLEAN_SHARE
    assert Smoothstep(**stored["side_px"]).usable <= 48


@pytest.mark.parametrize("answer", ["emotion", "gender"])
@pytest.mark.parametrize(
    "condition",
    [
        "Out of focus, severity 5 of 5",
        "Motion blur, severity 5 of 5",
        "Crop from 12 pixels",
        "Crop from 8 pixels",
        WEAK_FALSE_BOX,
    ],
)
def test_the_stored_limits_lower_the_confidence_where_no_face_can_be_read(stored, condition, answer):
    row = stored["measured"][condition][answer]
    assert row["after"] < row["before"]
    if condition == WEAK_FALSE_BOX:
        assert row["share"] < 0.3
    else:
        too_sure = row["before"] - row["accuracy"]
        assert abs(row["after"] - row["accuracy"]) <= abs(too_sure) + 0.01, "and not below how often it is right"


@pytest.mark.parametrize("answer", ["emotion", "gender"])
def test_boxes_that_nothing_gives_away_are_measured_too(stored, answer):
    by_default, weak = (stored["measured"][condition][answer] for condition in (FALSE_BOX, WEAK_FALSE_BOX))
    assert by_default["n"] <= weak["n"] / 10, "there are few of them"
    assert stored["measured"][RANDOM_BOX][answer]["n"] > 200

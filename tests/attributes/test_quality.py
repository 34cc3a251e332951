import json

import cv2
import numpy as np
import pytest
import skimage.data

from core.artifacts.model_card import ARTIFACTS_DIR
from core.attributes.quality import (
    QUALITY_FILE,
    QualitySettings,
    Smoothstep,
    blend_with_uniform,
    crop_quality,
    face_quality,
    installed_settings,
    load_settings,
    measure_poses,
    measure_sharpness,
    pose_distance,
)
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.types import Box, Detection, Landmarks

FRONTAL = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
SETTINGS = QualitySettings(Smoothstep(0.1, 0.3), Smoothstep(8, 24), Smoothstep(0.6, 0.1), Smoothstep(0.2, 0.5), FRONTAL)


@pytest.fixture(scope="module")
def crop():
    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)[50:200, 150:300]
    return cv2.resize(astronaut, (48, 48), interpolation=cv2.INTER_AREA)


def face(score=0.9, points=FRONTAL):
    landmarks = None if points is None else Landmarks(*((40 * x, 40 * y) for x, y in points))
    return Detection(Box(0, 0, 40, 40), score, landmarks)


def quality(faces, crops, sides_px):
    return np.minimum(face_quality(faces, SETTINGS), crop_quality(crops, np.array(sides_px), SETTINGS))


def blurred(crop, sigma):
    return cv2.GaussianBlur(crop, (0, 0), sigma)


@pytest.mark.parametrize(
    ("ramp", "values", "shares"),
    [
        (Smoothstep(2, 4), (1, 2, 3, 4, 5), (0, 0, 0.5, 1, 1)),
        (Smoothstep(4, 2), (1, 2, 3, 4, 5), (1, 1, 0.5, 0, 0)),
    ],
    ids=["more is better", "less is better"],
)
def test_a_smoothstep_goes_from_one_limit_to_the_other(ramp, values, shares):
    assert ramp(values).tolist() == pytest.approx(shares)
    assert (np.diff(ramp(np.linspace(2, 4, 50))) * np.sign(ramp.usable - ramp.unusable) >= 0).all()


@pytest.mark.parametrize("limits", [(1.0, 1.0), (np.nan, 1.0), (0.0, np.inf)], ids=str)
def test_equal_or_infinite_limits_are_refused(limits):
    with pytest.raises(ValueError, match="two different finite limits"):
        Smoothstep(*limits)


def test_blur_lowers_sharpness_step_by_step(crop):
    values = measure_sharpness(np.stack([crop, blurred(crop, 0.7), blurred(crop, 1.5), blurred(crop, 3)]))
    assert (np.diff(values) < -0.02).all()
    assert ((values >= 0) & (values <= 1)).all()


def test_motion_in_one_direction_counts(crop):
    along = cv2.blur(crop, (9, 1))
    down = cv2.blur(crop, (1, 9))
    plain, *moved = measure_sharpness(np.stack([crop, along, down]))
    assert max(moved) < plain - 0.1


def test_sharpness_ignores_contrast_colour_and_size(crop):
    plain = measure_sharpness(crop[None])[0]
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[None, ..., None]
    weak = (crop * 0.3 + 120).round().astype(np.uint8)[None]
    enlarged = cv2.resize(crop, (192, 192), interpolation=cv2.INTER_NEAREST)[None]
    for other in (grey, weak, enlarged):
        assert measure_sharpness(other)[0] == pytest.approx(plain, abs=0.03)


def test_an_even_crop_is_not_sharp():
    assert measure_sharpness(np.full((2, 48, 48, 1), 70, np.uint8)).tolist() == [0, 0]
    assert measure_sharpness(np.empty((0, 48, 48, 3), np.uint8)).shape == (0,)


def test_pose_ignores_place_size_and_angle():
    points = np.array(FRONTAL)
    angle = np.deg2rad(35)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert pose_distance(points @ turn.T * 80 + (200, 30), FRONTAL) == pytest.approx(0, abs=1e-6)


def test_pose_grows_with_the_turn_of_the_head():
    points = np.array(FRONTAL)
    depth = np.array([0, 0, 0.12, 0, 0])
    values = []
    for degrees in (0, 20, 45, 70):
        yaw = np.deg2rad(degrees)
        x = (points[:, 0] - 0.5) * np.cos(yaw) + depth * np.sin(yaw)
        values.append(pose_distance(np.stack([x, points[:, 1]], axis=1), points))
    assert (np.diff(values) > 0.03).all()
    assert pose_distance(np.zeros((5, 2)), points) == 1


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"points": None}, True),
        ({"score": 0.25}, False),
        ({"side_px": 10}, False),
        ({"blur": 4}, False),
        ({"points": [(0.5, y) for _, y in FRONTAL]}, False),
    ],
    ids=["clean", "no landmarks", "low score", "tiny", "blurred", "profile"],
)
def test_each_measure_lowers_the_quality(crop, changes, good):
    shown = blurred(crop, changes["blur"]) if "blur" in changes else crop
    found = face(changes.get("score", 0.9), changes.get("points", FRONTAL))
    (share,) = quality([found], shown[None], [changes.get("side_px", 60)])
    assert share == 1 if good else share < 0.5


def test_the_worst_measure_counts_alone(crop):
    bad = quality([face(score=0.25)], crop[None], [60])
    worse = quality([face(score=0.25)], crop[None], [20])
    assert bad == worse
    assert quality([], np.empty((0, 48, 48, 1), np.uint8), []).shape == (0,)


def test_a_face_without_landmarks_has_no_pose():
    assert measure_poses([face(points=None), face()], FRONTAL).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_blending_goes_towards_the_uniform_distribution():
    answers = np.array([[0.7, 0.2, 0.1]] * 3)
    whole, half, nothing = blend_with_uniform(answers, [1.0, 0.5, 0.0])
    assert whole.tolist() == pytest.approx([0.7, 0.2, 0.1])
    assert half.tolist() == pytest.approx([0.35 + 1 / 6, 0.1 + 1 / 6, 0.05 + 1 / 6])
    assert nothing.tolist() == pytest.approx([1 / 3] * 3)
    assert blend_with_uniform(np.empty((0, 7)), []).shape == (0, 7)


def written(folder, **changes):
    raw = json.loads((ARTIFACTS_DIR / QUALITY_FILE).read_text()) | changes
    file = folder / QUALITY_FILE
    file.write_text(json.dumps(raw))
    return file


def test_the_installed_limits_are_read(tmp_path, monkeypatch):
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    assert installed_settings() == load_settings(ARTIFACTS_DIR / QUALITY_FILE)
    written(tmp_path, side_px={"unusable": 3, "usable": 33})
    assert installed_settings().side_px == Smoothstep(3, 33)


@pytest.mark.parametrize(
    "changes",
    [
        {"score": {"unusable": 0.5}},
        {"score": 3},
        {"points": [[0, 1]]},
        {"pose": {"unusable": 0.1, "usable": 0.6}},
    ],
    ids=["limit missing", "number", "points missing", "pose turned round"],
)
def test_an_invalid_file_is_named(tmp_path, changes):
    with pytest.raises(ArtifactCorruptError, match=r"usability\.json cannot be used"):
        load_settings(written(tmp_path, **changes))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArtifactMissingError, match="git restore"):
        load_settings(tmp_path / QUALITY_FILE)

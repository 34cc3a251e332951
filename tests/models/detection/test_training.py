"""Labels, crops, scenes and targets of the detector; the training step itself is in test_torch."""

import cv2
import numpy as np
import pytest

from core.datasets.faces import Annotations
from core.detection import FaceArrays
from core.detection.decoding import STRIDES, decode
from models.detection.augmentation import DetectionAugmentation, degrade, mosaic, transform_faces, warp
from models.detection.labels import FACE, IGNORED, apply_offset, label_faces, measure_offset
from models.detection.photo_cache import HardNegatives, PhotoCache
from models.detection.scenes import SceneMix, Scenes
from models.detection.targets import encode

FIVE = np.array([[30.0, 40], [50, 40], [40, 50], [33, 60], [47, 60]])
BOX = np.array([20.0, 25, 60, 75])


def annotations(annotated=(), boxes=(), pseudo=(), scores=()):
    pseudo_labels = FaceArrays(
        np.array([BOX for _ in pseudo], float).reshape(-1, 4),
        np.array(scores, float),
        np.array(pseudo, float).reshape(-1, 5, 2),
    )
    landmarks = np.array(annotated, float).reshape(-1, 4, 2)
    return Annotations("web_1.jpg", (160, 120), landmarks, np.array(boxes, float).reshape(-1, 4), pseudo_labels)


def faces(*boxes, label=FACE, points=None):
    five = np.full((len(boxes), 5, 2), np.nan) if points is None else np.array([points] * len(boxes))
    return FaceArrays(np.array(boxes, float).reshape(-1, 4), np.full(len(boxes), label), five)


ANNOTATED = [[31, 41], [51, 41], [41, 55], [41, 63]]


def test_annotated_landmarks_replace_pseudo_labels():
    labelled = label_faces(annotations(annotated=[ANNOTATED], pseudo=[FIVE], scores=[0.6]))
    assert labelled.scores.tolist() == [FACE]
    assert labelled.xyxy.tolist() == [BOX.tolist()]
    assert labelled.landmarks[0].tolist() == [[31, 41], [51, 41], [41, 55], [34, 63], [48, 63]]


@pytest.mark.parametrize(("score", "label"), [(0.9, FACE), (0.62, IGNORED)])
def test_pseudo_label_counts_above_its_minimum_score(score, label):
    labelled = label_faces(annotations(pseudo=[FIVE], scores=[score]))
    assert labelled.scores.tolist() == [label]
    # YuNet sets the nose higher than people do.
    assert labelled.landmarks[0, 2, 1] == pytest.approx(50 + 0.205 * 20)


def test_annotated_face_without_pseudo_label_gets_a_box():
    labelled = label_faces(annotations(annotated=[ANNOTATED]))
    (x1, y1, x2, y2), middle = labelled.xyxy[0], np.mean(ANNOTATED, axis=0)
    assert x1 < middle[0] < x2
    assert y1 < middle[1] < y2
    assert np.sqrt((x2 - x1) * (y2 - y1)) == pytest.approx(2.53 * 20)
    assert np.isnan(labelled.landmarks[0, 3:]).all()


def test_annotated_box_without_pseudo_label_is_kept():
    labelled = label_faces(
        annotations(boxes=[[100, 10, 120, 30], [30, 30, 50, 60], [0, 0, 3, 3]], pseudo=[FIVE], scores=[0.61])
    )
    assert labelled.xyxy[1:].tolist() == [[100, 10, 120, 30], [0, 0, 3, 3]]
    assert labelled.scores.tolist() == [FACE, FACE, IGNORED]


def test_landmarks_change_convention_whatever_the_rotation():
    moved = FIVE + np.array([[0, 0], [0, 0], [0, 4], [0, 0], [0, 0]])
    offset = measure_offset(FIVE[None], moved[None])
    assert offset[2] == pytest.approx([0, 0.2])
    quarter = np.array([[0.0, 1], [-1, 0]])
    assert apply_offset((FIVE @ quarter)[None], offset)[0] == pytest.approx(moved @ quarter)


@pytest.mark.parametrize("side", [11, 24, 36, 64, 100, 180, 300])
def test_targets_decode_to_the_face_they_were_made_of(side):
    box = np.array([120.0, 130, 120, 130]) + side / 2 * np.array([-1, -1.2, 1, 1.2])
    face = faces(box, points=FIVE * side / 50 + 100)
    maps = zip(encode(face, 256), STRIDES, strict=True)
    found = FaceArrays.merge([decode(score[..., :1], geo[..., :14], 0.999, stride) for (score, geo), stride in maps])
    assert len(found) >= 1
    assert found.xyxy == pytest.approx(np.tile(box, (len(found), 1)), abs=1e-3)
    assert found.landmarks == pytest.approx(np.tile(face.landmarks, (len(found), 1, 1)), abs=1e-3)


def test_faces_weigh_the_same_and_unknown_points_nothing():
    known = np.array([[50.0, 60], [60, 61], [np.nan, np.nan], [50, 80], [60, 80]])
    _, geometry = encode(faces([30, 40, 55, 75], [100, 120, 125, 150], points=known), 256)[0]
    totals = geometry[..., 14:].sum(axis=(0, 1))
    assert totals.tolist() == pytest.approx([2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 2, 2, 2, 2])


@pytest.mark.parametrize(
    "ignored",
    [faces([30, 40, 70, 90], label=IGNORED), faces([-60, 40, 20, 140])],
    ids=["unsure", "mostly outside"],
)
def test_ignored_faces_are_neither_face_nor_background(ignored):
    for score, geometry in encode(ignored, 256):
        assert score[..., 0].max() == 0
        assert 0 < (score[..., 1] == 0).sum() < 200
        assert geometry.sum() == 0


def test_transforms_mirror_landmark_names():
    matrix = np.array([[-1.0, 0, 159], [0, 1, 0]])
    flipped = transform_faces(faces(BOX, points=FIVE), matrix)
    assert flipped.xyxy[0].tolist() == [100, 25, 140, 75]
    assert flipped.landmarks[0].tolist() == [[110, 40], [130, 40], [120, 50], [113, 60], [127, 60]]
    quarter = transform_faces(faces(BOX, points=FIVE), np.array([[0.0, -1, 100], [1, 0, 0]]))
    assert (quarter.xyxy[0, 2:] - quarter.xyxy[0, :2]).tolist() == pytest.approx([50, 40])


def bright_square():
    image = np.zeros((120, 160, 3), np.uint8)
    image[25:75, 20:60] = 200
    return image


def test_mosaic_ignores_cut_faces():
    part = np.zeros((64, 64, 3), np.uint8)
    whole, cut = faces([10, 10, 40, 40]), faces([50, 10, 80, 40])
    image, inside = mosaic([(part, whole), (part, cut), (part, whole), (part, faces())])
    assert image.shape == (128, 128, 3)
    assert inside.xyxy.tolist() == [[10, 10, 40, 40], [114, 10, 128, 40], [10, 74, 40, 104]]
    assert inside.scores.tolist() == [FACE, IGNORED, FACE]


@pytest.mark.parametrize("zoom", [0.2, 0.45, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_labels_follow_the_warp(seed, zoom):
    matrix = np.array([[zoom, 0, 20.0], [0, zoom, 10]])
    image = warp(bright_square(), matrix, 256, cv2.BORDER_REPLICATE, np.random.default_rng(seed))[..., 0] / 200
    (x1, y1, x2, y2) = transform_faces(faces(BOX), matrix).xyxy[0]
    assert image.sum() == pytest.approx((x2 - x1) * (y2 - y1), rel=0.06)
    center = (np.arange(256) + 0.5) @ np.stack([image.sum(axis=0), image.sum(axis=1)], axis=1) / image.sum()
    assert center == pytest.approx([(x1 + x2) / 2, (y1 + y2) / 2], abs=0.05)


def test_degrading_changes_a_copy():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    before, kinds = image.copy(), ("grey", "dark", "blur", "noise", "jpeg", "bar")
    always = DetectionAugmentation(**{f"{kind}_probability": 1 for kind in kinds})
    for seed in range(8):
        out = degrade(image, always, np.random.default_rng(seed))
        assert (out.shape, out.dtype) == (image.shape, np.uint8)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("kind", ["photos", "portraits", "collages", None])
def test_scenes_repeat_with_the_seed(cache_dir, kind):
    shares = dict.fromkeys(("photos", "portraits", "collages"), 0.0) | ({kind: 1.0} if kind else {})
    mix = SceneMix(**shares, occluded=1.0, side_lit=0.5, toned=0.5)
    first, again = (Scenes(PhotoCache(cache_dir), mix=mix) for _ in range(2))
    for seed in range(10):
        (image, found), (image_again, _) = (scenes.draw(96, np.random.default_rng(seed)) for scenes in (first, again))
        assert (image.shape, image.dtype) == ((96, 96, 3), np.uint8)
        assert np.array_equal(image, image_again)
        assert set(found.scores.tolist()) <= {FACE, IGNORED}


def test_hard_negatives_are_shown_as_background(cache_dir, tmp_path):
    HardNegatives(np.array(["natural_1"]), BOX[None], np.array([30.0]), np.array([0.4])).save(tmp_path / "hard.npz")
    mix = SceneMix(photos=0, portraits=0, collages=0, hard_among_natural=1.0)
    scenes = Scenes(PhotoCache(cache_dir), HardNegatives.load(tmp_path / "hard.npz"), mix)
    image, found = scenes._hard_negative(128, np.random.default_rng(0))
    # The bright square is shown at about the size at which it was found, and is no face.
    bright = (np.abs(image.astype(int) - 200) < 3).all(axis=2)
    assert 400 < bright.sum() < 2500
    assert len(found) == 0

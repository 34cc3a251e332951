"""Labels, crops and targets of the detector; the training step itself is in test_train."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from core.datasets.faces import Annotations, FacePhoto
from core.detection import FaceArrays
from core.detection.decoding import decode, weighted_nms
from models.detection.augmentation import DetectionAugmentation, degrade, mosaic, training_crop, transform_faces
from models.detection.batches import DetectionBatches, validation_crops
from models.detection.labels import FACE, IGNORED, label_faces
from models.detection.losses import geometry_loss, score_loss
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


def test_targets_decode_to_the_faces_they_were_made_of():
    boxes = [[30, 40, 70, 90], [150, 20, 168, 42], [100, 120, 230, 250]]
    points = np.array([[50.0, 60], [60, 61], [55, 70], [50, 80], [60, 80]])
    score, geometry = encode(faces(*boxes, points=points), 256)
    found = weighted_nms(decode(score[..., :1], geometry[..., :14], 0.999, 8).best_first())
    assert sorted(found.xyxy[:, 0].round(3)) == [30, 100, 150]
    for box in boxes:
        assert np.abs(found.xyxy - box).sum(axis=1).min() == pytest.approx(0, abs=1e-3)
    assert found.landmarks[0] == pytest.approx(points, abs=1e-3)


def test_faces_weigh_the_same_and_unknown_points_nothing():
    known = np.array([[50.0, 60], [60, 61], [np.nan, np.nan], [50, 80], [60, 80]])
    _, geometry = encode(faces([30, 40, 70, 90], [100, 120, 230, 250], points=known), 256)
    totals = geometry[..., 14:].sum(axis=(0, 1))
    assert totals.tolist() == pytest.approx([2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 2, 2, 2, 2])


@pytest.mark.parametrize(
    "ignored",
    [faces([30, 40, 70, 90], label=IGNORED), faces([30, 40, 38, 49]), faces([-60, 40, 20, 140])],
    ids=["unsure", "too small", "mostly outside"],
)
def test_ignored_faces_are_neither_face_nor_background(ignored):
    score, geometry = encode(ignored, 256)
    assert score[..., 0].max() == 0
    assert 0 < (score[..., 1] == 0).sum() < 200
    assert geometry.sum() == 0


def test_losses_are_lowest_at_the_truth():
    score, geometry = encode(faces([30, 40, 70, 90], points=FIVE + 10), 128)
    good = np.where(score[..., :1] == 1, 0.99, 0.001).astype(np.float32)
    assert float(score_loss(score[None], good[None])[0]) < 0.01
    assert float(score_loss(score[None], 1 - good[None])[0]) > 1
    answer = geometry[None, ..., :14]
    assert float(geometry_loss(geometry[None], answer)[0]) == 0
    assert float(geometry_loss(geometry[None], answer + 0.1)[0]) == pytest.approx(14 * 0.09 / 3, rel=1e-4)


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


@pytest.mark.parametrize("seed", range(6))
def test_labels_follow_the_crop(seed):
    settings = DetectionAugmentation(whole_probability=0.0, rotation_deg=0.0, tilt_probability=0.0, face_px=(40, 120))
    crop, inside = training_crop(bright_square(), faces(BOX), 256, settings, np.random.default_rng(seed))
    x1, y1, x2, y2 = inside.xyxy[0].round().astype(int)
    assert crop[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].min() > 150


def test_degrading_changes_a_copy():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    before, kinds = image.copy(), ("grey", "dark", "blur", "noise", "jpeg", "bar")
    always = DetectionAugmentation(**{f"{kind}_probability": 1 for kind in kinds})
    for seed in range(8):
        out = degrade(image, always, np.random.default_rng(seed))
        assert (out.shape, out.dtype) == (image.shape, np.uint8)
    assert np.array_equal(image, before)


def test_batches_repeat_with_the_seed():
    photos = (FacePhoto(bright_square(), annotations(pseudo=[FIVE], scores=[0.9])),) * 6
    first, again = (DetectionBatches(photos, 64, 2, DetectionAugmentation(), seed=3) for _ in range(2))
    (images, targets), (images_again, _) = first[1], again[1]
    assert len(first) == 3
    assert images.shape == (2, 64, 64, 3)
    assert (targets["score"].shape, targets["geometry"].shape) == ((2, 8, 8, 2), (2, 8, 8, 28))
    assert np.array_equal(images, images_again)
    assert validation_crops(photos, 64)[0].shape == (12, 64, 64, 3)

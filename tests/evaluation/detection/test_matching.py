from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.evaluation.detection.matching import (
    UNMATCHED,
    assign,
    can_match_boxes,
    can_match_landmarks,
    inter_ocular_distances,
    match_image,
    match_landmarks,
    merge_mouth_corners,
    normalized_errors,
)
from tests.fakes.detection import annotate, annotated_face, five_landmarks, found, square


def _boxes(*boxes: Sequence[float]) -> np.ndarray:
    return np.array(boxes, np.float64).reshape(-1, 4)


@pytest.mark.parametrize(
    ("box", "finds"),
    [
        (square(60, 60, 50), True),
        (square(60, 60, 24), True),
        (square(60, 60, 23), False),
        (square(60, 60, 120), True),
        (square(60, 60, 121), False),
        (square(84, 60, 50), True),
        (square(86, 60, 50), False),
    ],
    ids=["usual", "smallest", "too small", "largest", "too large", "centre just inside", "centre outside"],
)
def test_a_box_finds_a_face_by_its_centre_and_size(box: list[float], finds: bool) -> None:
    assert can_match_landmarks(_boxes(box), annotated_face(60, 60)[None]).tolist() == [[finds]]


@pytest.mark.parametrize(
    ("box", "same"),
    [
        (square(60, 60, 40), True),
        (square(60, 60, 80), True),
        (square(60, 60, 81), False),
        (square(60, 60, 20), True),
        (square(80, 60, 40), True),
        (square(82, 60, 40), False),
        ([30, 40, 200, 80], False),
    ],
    ids=["equal", "twice as large", "larger", "half", "centre on the edge", "beside", "IoU 0.24 and too large"],
)
def test_boxes_of_the_same_face(box: list[float], same: bool) -> None:
    first, second = _boxes(square(60, 60, 40)), _boxes(box)
    assert can_match_boxes(first, second).tolist() == can_match_boxes(second, first).tolist() == [[same]]


def test_much_overlap_is_the_same_face_whatever_the_sizes() -> None:
    # 40 x 40 in 40 x 133: IoU 0.3008, centre outside, size ratio 1.8.
    assert can_match_boxes(_boxes([0, 0, 40, 40]), _boxes([0, 0, 40, 133])).all()


def test_the_best_detection_takes_the_nearest_face() -> None:
    possible = np.array([[True, True], [True, True], [True, True]])
    distance = np.array([[5.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert assign(possible, distance).tolist() == [1, 0]


def test_faces_without_detection_are_unmatched() -> None:
    assert assign(np.zeros((2, 3), bool), np.zeros((2, 3))).tolist() == [UNMATCHED] * 3
    assert assign(np.zeros((0, 2), bool), np.zeros((0, 2))).tolist() == [UNMATCHED] * 2
    assert assign(np.zeros((2, 0), bool), np.zeros((2, 0))).tolist() == []


def test_one_detection_finds_one_of_two_faces() -> None:
    faces = np.stack([annotated_face(60, 60), annotated_face(75, 60)])
    both = _boxes(square(66, 60, 60))
    assert match_landmarks(both, faces).tolist() == [0, UNMATCHED]
    assert match_landmarks(np.concatenate([both, both]), faces).tolist() == [0, 1]


def test_stricter_scores_leave_the_other_finds_alone() -> None:
    rng = np.random.default_rng(0)
    faces = np.stack([annotated_face(*xy) for xy in rng.uniform(40, 160, (12, 2))])
    boxes = np.array([square(*xy, 50) for xy in rng.uniform(40, 160, (30, 2))])
    every = match_landmarks(boxes, faces)
    for count in range(len(boxes)):
        some = match_landmarks(boxes[:count], faces)
        assert some.tolist() == np.where(every < count, every, UNMATCHED).tolist()


def test_false_positives_and_duplicates() -> None:
    annotations = annotate(
        faces=[annotated_face(60, 60)],
        boxes=[square(120, 40, 30)],
        pseudo_boxes=[square(150, 120, 30), square(60, 60, 50)],
    )
    boxes = [square(60, 60, 50), square(62, 60, 50), square(120, 40, 28), square(150, 120, 30), square(20, 140, 30)]
    match = match_image(found(boxes, [0.9, 0.8, 0.7, 0.6, 0.5]), annotations)
    assert match.landmark_matches.tolist() == [0]
    assert match.box_matches.tolist() == [2]
    assert match.false_positives.tolist() == [False, False, False, False, True]
    assert match.duplicates.tolist() == [False, True, False, False, False]


def test_tiny_annotated_face_prevents_a_false_positive() -> None:
    annotations = annotate(faces=[annotated_face(60, 60, 0.2)])
    match = match_image(found([square(60, 60, 12)], [0.9]), annotations)
    assert not match.false_positives.any()


@pytest.mark.parametrize("marked", [0, 1], ids=["no annotations", "annotations"])
@pytest.mark.parametrize("boxes", [0, 1], ids=["nothing found", "one found"])
def test_empty_images(marked: int, boxes: int) -> None:
    annotations = annotate(faces=[annotated_face(60, 60)][:marked])
    match = match_image(found([square(60, 60, 50)][:boxes], [0.9][:boxes]), annotations)
    assert match.landmark_matches.tolist() == [0 if boxes else UNMATCHED][:marked]
    assert match.false_positives.tolist() == [marked == 0][:boxes]
    assert match.box_matches.shape == (0,)


def test_errors_are_divided_by_the_inter_ocular_distance() -> None:
    face = annotated_face(60, 60)
    moved = five_landmarks(face) + np.array([[3, 4], [0, 0], [0, 2], [6, 0], [6, 0]])
    errors = normalized_errors(merge_mouth_corners(moved[None]), face[None], inter_ocular_distances(face[None]))
    assert errors.tolist() == [[0.25, 0.0, 0.1, pytest.approx(0.3)]]

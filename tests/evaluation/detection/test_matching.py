from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.evaluation.detection.matching import (
    NOBODY,
    FoundFaces,
    assign,
    best_face,
    covers,
    eye_distances,
    find_points,
    four_points,
    match_photo,
    point_errors,
    same_face,
)
from tests.fakes.detection import five_points, found, marked_face, photo_marks, square


def _boxes(*boxes: Sequence[float]) -> np.ndarray:
    return np.array(boxes, np.float64).reshape(-1, 4)


def test_the_made_up_face_is_what_it_says() -> None:
    face = marked_face(60, 70)
    assert face.mean(axis=0).tolist() == [60, 70]
    assert eye_distances(face[None]).tolist() == [20]


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
    assert covers(_boxes(box), marked_face(60, 60)[None]).tolist() == [[finds]]


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
def test_boxes_about_the_same_face(box: list[float], same: bool) -> None:
    first, second = _boxes(square(60, 60, 40)), _boxes(box)
    assert same_face(first, second).tolist() == same_face(second, first).tolist() == [[same]]


def test_much_overlap_is_the_same_face_whatever_the_sizes() -> None:
    # 40 x 40 in 40 x 133: IoU 0.3008, centre outside, size ratio 1.8.
    assert same_face(_boxes([0, 0, 40, 40]), _boxes([0, 0, 40, 133])).all()


def test_the_best_detection_chooses_first_and_takes_the_nearest() -> None:
    possible = np.array([[True, True], [True, True], [True, True]])
    distance = np.array([[5.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert assign(possible, distance).tolist() == [1, 0]


def test_faces_without_detection_belong_to_nobody() -> None:
    assert assign(np.zeros((2, 3), bool), np.zeros((2, 3))).tolist() == [NOBODY] * 3
    assert assign(np.zeros((0, 2), bool), np.zeros((0, 2))).tolist() == [NOBODY] * 2
    assert assign(np.zeros((2, 0), bool), np.zeros((2, 0))).tolist() == []


def test_one_detection_finds_one_of_two_faces() -> None:
    faces = np.stack([marked_face(60, 60), marked_face(75, 60)])
    both = _boxes(square(66, 60, 60))
    assert find_points(both, faces).tolist() == [0, NOBODY]
    assert find_points(np.concatenate([both, both]), faces).tolist() == [0, 1]


def test_stricter_scores_leave_the_other_finds_alone() -> None:
    rng = np.random.default_rng(0)
    faces = np.stack([marked_face(*xy) for xy in rng.uniform(40, 160, (12, 2))])
    boxes = np.array([square(*xy, 50) for xy in rng.uniform(40, 160, (30, 2))])
    every = find_points(boxes, faces)
    for count in range(len(boxes)):
        some = find_points(boxes[:count], faces)
        assert some.tolist() == np.where(every < count, every, NOBODY).tolist()


def test_false_and_double_boxes() -> None:
    marks = photo_marks(
        faces=[marked_face(60, 60)], boxes=[square(120, 40, 30)], machine=[square(150, 120, 30), square(60, 60, 50)]
    )
    boxes = [square(60, 60, 50), square(62, 60, 50), square(120, 40, 28), square(150, 120, 30), square(20, 140, 30)]
    match = match_photo(found(boxes, [0.9, 0.8, 0.7, 0.6, 0.5]), marks)
    assert match.found_by.tolist() == [0]
    assert match.box_found_by.tolist() == [2]
    assert match.false.tolist() == [False, False, False, False, True]
    assert match.double.tolist() == [False, True, False, False, False]


def test_a_tiny_marked_face_keeps_a_box_from_being_false() -> None:
    marks = photo_marks(faces=[marked_face(60, 60, 0.2)])
    match = match_photo(found([square(60, 60, 12)], [0.9]), marks)
    assert not match.false.any()


@pytest.mark.parametrize("marked", [0, 1], ids=["no marks", "marks"])
@pytest.mark.parametrize("boxes", [0, 1], ids=["nothing found", "one found"])
def test_empty_photographs(marked: int, boxes: int) -> None:
    marks = photo_marks(faces=[marked_face(60, 60)][:marked])
    match = match_photo(found([square(60, 60, 50)][:boxes], [0.9][:boxes]), marks)
    assert match.found_by.tolist() == [0 if boxes else NOBODY][:marked]
    assert match.false.tolist() == [marked == 0][:boxes]
    assert match.box_found_by.shape == (0,)


def test_errors_are_shares_of_the_eye_distance() -> None:
    face = marked_face(60, 60)
    moved = five_points(face) + np.array([[3, 4], [0, 0], [0, 2], [6, 0], [6, 0]])
    errors = point_errors(four_points(moved[None]), face[None], eye_distances(face[None]))
    assert errors.tolist() == [[0.25, 0.0, 0.1, pytest.approx(0.3)]]


def test_no_landmarks_are_no_numbers() -> None:
    nothing = np.full((1, 5, 2), np.nan)
    assert np.isnan(point_errors(four_points(nothing), marked_face(0, 0)[None], np.array([20.0]))).all()
    assert point_errors(np.zeros((0, 4, 2)), np.zeros((0, 4, 2)), np.zeros(0)).shape == (0, 4)


def test_the_best_box_of_one_face() -> None:
    boxes = _boxes(square(20, 20, 50), square(62, 60, 50), square(60, 60, 50))
    assert best_face(boxes, marked_face(60, 60)) == 1
    assert best_face(_boxes(), marked_face(60, 60)) == NOBODY


@pytest.mark.parametrize(
    ("boxes", "scores"), [(1, [0.5, 0.4]), (2, [0.4, 0.5])], ids=["other count", "worst score first"]
)
def test_detections_are_checked(boxes: int, scores: list[float]) -> None:
    with pytest.raises(ValueError, match="score"):
        FoundFaces(np.zeros((boxes, 4)), np.array(scores), np.zeros((boxes, 5, 2)))

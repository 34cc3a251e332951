import numpy as np
import pytest

from core.detection.decoding import (
    REFERENCE_SIZE,
    STRIDES,
    cell_centers,
    decode,
    logit,
    sigmoid,
    weighted_nms,
)

STRIDE = STRIDES[0]


def maps(*faces, stride=STRIDE, cells=(8, 10)):
    """(row, column, score, box xyxy) of cells -> both maps; landmarks are the corners and the centre of the box."""
    scores = np.zeros((*cells, 1), np.float32)
    predictions = np.zeros((*cells, 14), np.float32)
    centers = cell_centers(*cells, stride)
    for row, column, score, xyxy in faces:
        box = np.array(xyxy, float)
        sides, middle = box[2:] - box[:2], (box[:2] + box[2:]) / 2
        size, cell = np.sqrt(sides.prod()), centers[row, column]
        landmarks = np.array([box[:2], [box[2], box[1]], middle, [box[0], box[3]], box[2:]])
        scores[row, column] = score
        predictions[row, column, :2] = (middle - cell) / size
        predictions[row, column, 2:4] = np.log(sides / (REFERENCE_SIZE * stride))
        predictions[row, column, 4:] = ((landmarks - cell) / size).reshape(-1)
    return scores, predictions


def faces_of(*faces, min_score=0.2):
    return decode(*maps(*faces), min_score, STRIDE).best_first()


def test_cells_are_centred():
    assert cell_centers(2, 3, STRIDE)[1, 2].tolist() == [2.5 * STRIDE, 1.5 * STRIDE]


@pytest.mark.parametrize("stride", [STRIDE, 16])
def test_cell_gives_its_box_and_landmarks(stride):
    faces = decode(*maps((3, 4, 0.8, (20, 10, 60, 50)), stride=stride), 0.5, stride)
    assert faces.xyxy == pytest.approx(np.array([[20, 10, 60, 50]]), abs=1e-4)
    assert faces.landmarks[0] == pytest.approx(np.array([[20, 10], [60, 10], [40, 30], [20, 50], [60, 50]]), abs=1e-4)
    assert faces.scores == pytest.approx([0.8])


def test_only_the_best_cells_above_the_threshold_are_decoded():
    scores = np.full((40, 40, 1), 0.5, np.float32)
    scores[7, 9], scores[7, 10] = 0.9, 0.8
    predictions = np.zeros((40, 40, 14), np.float32)
    assert decode(scores, predictions, 0.4, STRIDE, max_faces=1).scores == pytest.approx([0.9])
    assert decode(scores, predictions, 0.6, STRIDE).scores == pytest.approx([0.9, 0.8])


def test_outlier_does_not_overflow():
    scores, predictions = maps((3, 4, 0.8, (20, 10, 60, 50)))
    predictions[3, 4, 2:4] = 1e4
    assert np.isfinite(decode(scores, predictions, 0.5, STRIDE).xyxy).all()


def test_neighbours_are_merged_by_score():
    faces = weighted_nms(faces_of((3, 4, 0.6, (20, 10, 60, 50)), (3, 5, 0.3, (23, 13, 63, 53))))
    assert faces.xyxy == pytest.approx(np.array([[21, 11, 61, 51]]), abs=1e-4)
    assert faces.scores == pytest.approx([0.6])


def test_two_faces_side_by_side_stay_two_best_first():
    faces = weighted_nms(faces_of((3, 1, 0.6, (0, 10, 30, 50)), (3, 6, 0.9, (34, 10, 64, 50))))
    assert faces.scores.tolist() == pytest.approx([0.9, 0.6])
    assert faces.xyxy[:, 0] == pytest.approx([34, 0], abs=1e-4)


def test_worse_box_with_some_overlap_is_suppressed():
    faces = weighted_nms(faces_of((3, 4, 0.9, (20, 10, 60, 50)), (3, 5, 0.5, (34, 10, 74, 50))))
    assert faces.xyxy == pytest.approx(np.array([[20, 10, 60, 50]]), abs=1e-4)


def test_no_candidates_are_no_faces():
    assert len(weighted_nms(faces_of())) == 0


def test_smaller_box_inside_a_better_one_is_a_part_of_it():
    inside, beside = (24, 14, 40, 34), (44, 30, 76, 62)
    faces = weighted_nms(faces_of((3, 4, 0.9, (20, 10, 60, 50)), (3, 3, 0.6, inside), (5, 7, 0.5, beside)))
    assert faces.xyxy == pytest.approx(np.array([[20, 10, 60, 50], beside]), abs=1e-4)


def test_candidates_below_the_threshold_only_move_the_mean():
    weak_and_strong = faces_of(
        (3, 4, 0.6, (20, 10, 60, 50)), (3, 5, 0.3, (23, 13, 63, 53)), (1, 1, 0.3, (0, 0, 16, 16))
    )
    faces = weighted_nms(weak_and_strong, min_score=0.5)
    assert faces.xyxy == pytest.approx(np.array([[21, 11, 61, 51]]), abs=1e-4)


def test_sigmoid_is_the_inverse_of_logit():
    assert sigmoid(logit([0.1, 0.5, 0.9])) == pytest.approx([0.1, 0.5, 0.9])
    assert np.isfinite(logit([0.0, 1.0])).all()

import numpy as np
import pytest

from core.detection.decoding import CELL_PX, UNIT_PX, SearchedCopy, agreed, blended, cell_centers, decode, joined, logit


def answers(*faces, cells=(8, 10)):
    """(row, column, score, box xyxy) of cells that answer -> score and geometry; points are the corners and centre."""
    score = np.zeros((*cells, 1), np.float32)
    geometry = np.zeros((*cells, 14), np.float32)
    centers = cell_centers(*cells)
    for row, column, value, xyxy in faces:
        box = np.array(xyxy, float)
        sides, middle = box[2:] - box[:2], (box[:2] + box[2:]) / 2
        size, cell = np.sqrt(sides.prod()), centers[row, column]
        score[row, column] = value
        geometry[row, column, :2] = (middle - cell) / size
        geometry[row, column, 2:4] = np.log(sides / UNIT_PX)
        points = np.array([box[:2], [box[2], box[1]], middle, [box[0], box[3]], box[2:]])
        geometry[row, column, 4:] = ((points - cell) / size).reshape(-1)
    return score, geometry


def test_cells_are_centred():
    assert cell_centers(2, 3)[1, 2].tolist() == [2.5 * CELL_PX, 1.5 * CELL_PX]


def test_one_cell_gives_its_box_and_points():
    faces = blended(decode(*answers((3, 4, 0.8, (20, 10, 60, 50))), min_score=0.5))
    assert faces.xyxy == pytest.approx(np.array([[20, 10, 60, 50]]), abs=1e-4)
    assert faces.points[0] == pytest.approx(np.array([[20, 10], [60, 10], [40, 30], [20, 50], [60, 50]]), abs=1e-4)
    assert faces.scores == pytest.approx([0.8])


def test_neighbours_are_blended_by_score():
    faces = blended(decode(*answers((3, 4, 0.6, (20, 10, 60, 50)), (3, 5, 0.3, (23, 13, 63, 53))), min_score=0.2))
    assert faces.xyxy == pytest.approx(np.array([[21, 11, 61, 51]]), abs=1e-4)
    assert faces.scores == pytest.approx([0.6])


def test_two_faces_side_by_side_stay_two_best_first():
    faces = blended(decode(*answers((3, 1, 0.6, (0, 10, 30, 50)), (3, 6, 0.9, (34, 10, 64, 50))), min_score=0.5))
    assert faces.scores.tolist() == pytest.approx([0.9, 0.6])
    assert faces.xyxy[:, 0] == pytest.approx([34, 0], abs=1e-4)


def test_a_worse_box_that_overlaps_somewhat_is_dropped_but_not_blended():
    faces = blended(decode(*answers((3, 4, 0.9, (20, 10, 60, 50)), (3, 5, 0.5, (34, 10, 74, 50))), min_score=0.2))
    assert faces.xyxy == pytest.approx(np.array([[20, 10, 60, 50]]), abs=1e-4)


def test_nobody_is_empty():
    faces = blended(decode(*answers((3, 4, 0.4, (20, 10, 60, 50))), min_score=0.5))
    assert (faces.xyxy.shape, faces.points.shape, faces.scores.shape) == ((0, 4), (0, 5, 2), (0,))


def test_a_wild_cell_does_not_overflow():
    score, geometry = answers((3, 4, 0.8, (20, 10, 60, 50)))
    geometry[3, 4, 2:4] = 1e4
    assert np.isfinite(decode(score, geometry, 0.5).xyxy).all()


def test_only_the_best_cells_are_looked_at():
    score = np.full((40, 40, 1), 0.5, np.float32)
    score[7, 9] = 0.9
    geometry = np.zeros((40, 40, 14), np.float32)
    assert decode(score, geometry, 0.4, most=1).scores == pytest.approx([0.9])


def test_copies_of_different_size_are_joined_best_first():
    small = decode(*answers((3, 4, 0.6, (20, 10, 60, 50))), min_score=0.5).divided(np.array([0.5, 0.5]))
    large = decode(*answers((3, 1, 0.9, (0, 10, 30, 50))), min_score=0.5)
    faces = joined([small, large])
    assert faces.scores == pytest.approx([0.9, 0.6])
    assert faces.xyxy == pytest.approx(np.array([[0, 10, 30, 50], [40, 20, 120, 100]]), abs=1e-4)
    assert faces.points[1, 4] == pytest.approx([120, 100], abs=1e-4)
    assert faces.sizes() == pytest.approx([np.sqrt(1200), 80])


def copy(score, known_px=(0, np.inf), xyxy=(20, 10, 60, 50)):
    faces = decode(*answers(*([(3, 4, score, xyxy)] if score else [])), min_score=0.05)
    return SearchedCopy(faces, known_px)


def test_copies_vote_on_the_logit_scale():
    faces = agreed([copy(0.9), copy(0.5)], faintest=0.05)
    assert faces.scores == pytest.approx(1 / (1 + np.exp(-(logit(0.9) + logit(0.5)) / 2)))
    assert faces.xyxy == pytest.approx(np.array([[20, 10, 60, 50]]), abs=1e-4)


def test_a_copy_that_should_show_a_face_and_does_not_votes_against_it():
    assert agreed([copy(0.9), copy(0)], faintest=0.1).scores == pytest.approx([0.5])


def test_a_copy_that_cannot_show_a_face_has_no_vote():
    assert agreed([copy(0.9), copy(0, known_px=(50, 200))], faintest=0.1).scores == pytest.approx([0.9])
    assert agreed([copy(0.9, known_px=(50, 200)), copy(0, known_px=(50, 200))], 0.1).scores == pytest.approx([0.9])


def test_votes_change_the_order():
    strong, weak = copy(0.8), copy(0.7, xyxy=(100, 10, 140, 50))
    both = SearchedCopy(joined([strong.faces, weak.faces]), (0, np.inf))
    assert agreed([both, weak], faintest=0.1).xyxy[:, 0] == pytest.approx([100, 20], abs=1e-3)


def test_nobody_in_any_copy_is_empty():
    assert len(agreed([copy(0), copy(0)], faintest=0.1).scores) == 0

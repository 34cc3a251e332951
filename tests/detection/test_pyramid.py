"""Levels, cells, weighted suppression and search of the pyramid detector."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.detection.pyramid import PyramidDetector, PyramidSearch, letterbox, turned_back, weighted_nms
from core.detection.pyramid_levels import LEVELS, FaceArrays, decode, joined
from models.detection.labels import LabelledFaces
from models.detection.pyramid_targets import encode

_FIVE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])


def faces_at(*rows: tuple[float, float, float, float]) -> FaceArrays:
    """Rows of x, y, side, score."""
    array = np.array(rows).reshape(-1, 4)
    xyxy = np.concatenate([array[:, :2], array[:, :2] + array[:, 2:3]], axis=1)
    landmarks = array[:, None, :2] + _FIVE * array[:, 2, None, None]
    return FaceArrays(xyxy, array[:, 3], landmarks)


class OneFace:
    """Answers the same face for every upright picture of ``shape``, and notes the shapes that it was asked for."""

    def __init__(self, shape: tuple[int, int], face: FaceArrays) -> None:
        self.shape, self.face, self.asked = shape, face, []

    def cells(self, image: NDArray[np.uint8], min_score: float) -> FaceArrays:
        self.asked.append(image.shape[:2])
        return self.face if image.shape[:2] == self.shape else faces_at()


@pytest.mark.parametrize("side", [11.0, 24.0, 36.0, 64.0, 100.0, 180.0, 300.0])
def test_what_training_encodes_is_what_the_search_decodes(side: float) -> None:
    face = faces_at((120 - side / 2, 130 - side / 2, side, 1.0))
    targets = encode(LabelledFaces(face.xyxy, face.landmarks, np.array([True])), 256)
    found = joined(
        [
            decode(score[..., 0], geometry[..., :14], level, 0.99)
            for (score, geometry), level in zip(targets, LEVELS, strict=True)
        ]
    )
    assert len(found.scores) >= 1, "some level must answer for every size"
    assert np.allclose(found.xyxy, face.xyxy[0], atol=1e-3)
    assert np.allclose(found.landmarks, face.landmarks[0], atol=1e-3)


def test_a_face_that_nobody_is_sure_of_is_held_against_no_level() -> None:
    face = faces_at((100, 100, 60, 1.0))
    for score, geometry in encode(LabelledFaces(face.xyxy, face.landmarks, np.array([False])), 256):
        assert score[..., 0].max() == 0
        assert (score[..., 1] == 0).any()
        assert geometry.max() == 0


def test_landmarks_that_nobody_marked_are_not_learnt() -> None:
    face = faces_at((100, 100, 60, 1.0))
    unknown = np.full((1, 5, 2), np.nan)
    _, (_, geometry), _ = encode(LabelledFaces(face.xyxy, unknown, np.array([True])), 256)
    assert geometry[..., 14:18].sum() == pytest.approx(4)
    assert geometry[..., 18:].sum() == 0
    assert np.isfinite(geometry).all()


def test_cells_of_one_face_become_their_mean() -> None:
    found = weighted_nms(faces_at((100, 100, 50, 0.9), (300, 100, 50, 0.6), (104, 100, 50, 0.3)), 0.5)
    assert found.scores.tolist() == [0.9, 0.6]
    assert found.xyxy[0, 0] == pytest.approx((0.9 * 100 + 0.3 * 104) / 1.2)


def test_a_smaller_box_inside_a_better_one_is_a_part_of_it() -> None:
    found = weighted_nms(faces_at((0, 0, 200, 0.9), (60, 90, 60, 0.8)), 0.5)
    assert len(found.scores) == 1


def test_a_better_small_face_is_not_swallowed_by_a_larger_box() -> None:
    found = weighted_nms(faces_at((60, 90, 60, 0.9), (0, 0, 200, 0.8)), 0.5)
    assert len(found.scores) == 2


def test_nothing_found_is_an_empty_answer() -> None:
    found = weighted_nms(faces_at(), 0.5)
    assert found.xyxy.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_faces_come_back_to_their_pixels(turns: int) -> None:
    picture = np.zeros((40, 70), np.uint8)
    picture[12:15, 50:56] = 1
    turned = np.rot90(picture, turns)
    rows, columns = np.nonzero(turned)
    xyxy = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float64)
    back = turned_back(FaceArrays(xyxy, np.ones(1), np.repeat(xyxy[:, None, :2], 5, axis=1)), turns, 70, 40)
    assert back.xyxy.tolist() == [[50, 12, 56, 15]]


@pytest.mark.parametrize("side_px", [100, 320, 640])
def test_searched_copies_have_sides_that_all_levels_divide(side_px: int) -> None:
    image, zoom_xy = letterbox(np.zeros((97, 131, 3), np.uint8), side_px)
    assert image.shape[0] % 32 == image.shape[1] % 32 == 0
    assert np.allclose(zoom_xy, side_px / 131, rtol=0.02)


def test_a_picture_that_lies_on_its_side_is_turned_until_a_face_is_found() -> None:
    network = OneFace((320, 256), faces_at((100, 40, 60, 0.9)))
    search = PyramidSearch(one_pass_px=320, enlarged_side_px=64)
    found, turns = PyramidDetector(network, 0.5, search).faces(np.zeros((256, 320, 3), np.uint8))
    assert turns in (1, 3)
    assert len(found.scores) == 1


def test_live_frames_are_searched_once() -> None:
    network = OneFace((1, 1), faces_at())
    search = PyramidSearch(largest_side_px=320, enlarged_side_px=320, turned=False)
    assert PyramidDetector(network, 0.5, search).detect(np.zeros((480, 640, 3), np.uint8)) == ()
    assert network.asked == [(256, 320)]

"""Geometry: known values, empty input, inputs left alone."""

from __future__ import annotations

import numpy as np
import pytest

from core import geometry
from core.types import Box

UNIT = [[0, 0, 10, 10]]
EMPTY = np.zeros((0, 4))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param([0, 0, 10, 10], 1.0, id="same"),
        pytest.param([5, 0, 15, 10], 1 / 3, id="half"),
        pytest.param([10, 0, 20, 10], 0.0, id="touching"),
        pytest.param([30, 30, 40, 40], 0.0, id="apart"),
        pytest.param([2, 2, 7, 7], 0.25, id="inside"),
        pytest.param([3, 3, 3, 3], 0.0, id="empty"),
    ],
)
def test_iou_of_known_pairs(other: list[float], expected: float) -> None:
    assert geometry.iou_matrix(UNIT, [other])[0, 0] == pytest.approx(expected)
    assert geometry.iou_matrix([other], UNIT)[0, 0] == pytest.approx(expected)
    assert np.isfinite(geometry.iou_matrix([other], [other])).all()


def test_iou_matrix_shape() -> None:
    assert geometry.iou_matrix(UNIT * 2, UNIT * 3).shape == (2, 3)
    assert geometry.iou_matrix(EMPTY, UNIT).shape == (0, 1)
    assert geometry.iou_matrix(UNIT, EMPTY).shape == (1, 0)


def test_clip_cuts_at_the_frame() -> None:
    clipped = geometry.clip([[-5, -5, 5, 5], [90, 70, 200, 200]], (100, 80))
    assert clipped.tolist() == [[0, 0, 5, 5], [90, 70, 100, 80]]


def test_scale_follows_both_axes() -> None:
    assert geometry.scale([[10, 20, 30, 40]], (100, 100), (200, 50)).tolist() == [[20, 10, 60, 20]]


def test_expand_keeps_the_centre() -> None:
    wide = [[10, 20, 50, 40]]
    assert geometry.expand(wide, 0.5).tolist() == [[0, 15, 60, 45]]


def test_mirror_twice_is_the_same() -> None:
    once = geometry.mirror([[10, 20, 30, 40]], 100)
    assert once.tolist() == [[70, 20, 90, 40]]
    assert geometry.mirror(once, 100).tolist() == [[10, 20, 30, 40]]


def test_areas_centers_and_sizes() -> None:
    assert geometry.areas([[0, 0, 4, 5], [4, 4, 2, 2]]).tolist() == [20, 0]
    assert geometry.centers([[0, 0, 4, 5]]).tolist() == [[2, 2.5]]
    assert geometry.sizes([[1, 1, 4, 5]]).tolist() == [[3, 4]]


def test_empty_input_gives_empty_output() -> None:
    results = [
        geometry.clip(EMPTY, (10, 10)),
        geometry.scale(EMPTY, (10, 10), (5, 5)),
        geometry.expand(EMPTY, 0.2),
        geometry.mirror(EMPTY, 10),
        geometry.as_xyxy([]),
    ]
    assert all(result.shape == (0, 4) for result in results)


def test_inputs_are_never_changed() -> None:
    given = np.array([[-5.0, 1.0, 30.0, 20.0]])
    before = given.copy()
    geometry.clip(given, (10, 10))
    geometry.scale(given, (10, 10), (5, 5))
    geometry.expand(given, 0.2)
    geometry.mirror(given, 10)
    geometry.iou_matrix(given, given)
    assert np.array_equal(given, before)


def test_as_xyxy_keeps_the_order_and_refuses_other_shapes() -> None:
    assert geometry.as_xyxy([Box(1, 2, 3, 4), Box(5, 6, 7, 8)]).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    with pytest.raises(ValueError, match=r"\(N, 4\)"):
        geometry.areas([1, 2, 3, 4])

import numpy as np
import pytest

from core.attributes.occlusion import OcclusionMap
from core.drawing.heatmap import FULL_SCALE, drawn_strength, heat_overlay

GREY = np.full((120, 120, 3), 128, np.uint8)


def one_spot(change, attribute="emotion"):
    covered = np.full((6, 6), 0.9)
    covered[4, 1] -= change
    return OcclusionMap(attribute, "happy", 0.9, covered, 12.0, 8.0, 5.0)


def test_the_spot_is_bright_where_it_lies_and_the_input_stays():
    before = GREY.copy()
    drawn = heat_overlay(GREY, one_spot(0.5))
    assert np.array_equal(GREY, before)
    assert (drawn.shape, drawn.dtype) == (GREY.shape, np.uint8)
    light = drawn.astype(float) @ [0.114, 0.587, 0.299]
    row, column = np.unravel_index(light.argmax(), light.shape)
    assert abs(row - 90) <= 10
    assert abs(column - 30) <= 10
    blue, green, red = drawn[90, 30].astype(int)
    assert red > blue + 60, "yellow in BGR"
    assert green > blue + 60


def test_where_nothing_matters_the_face_stays_visible():
    photo = np.random.default_rng(0).integers(0, 256, GREY.shape, dtype=np.uint8)
    drawn = heat_overlay(photo, one_spot(0.5))
    corner = (slice(0, 30), slice(90, 120))
    assert np.corrcoef(photo[corner].ravel(), drawn[corner].ravel())[0, 1] > 0.95


@pytest.mark.parametrize("attribute", FULL_SCALE)
def test_a_weak_map_is_not_stretched(attribute):
    scale = FULL_SCALE[attribute]
    assert drawn_strength(one_spot(scale / 10, attribute)).max() == pytest.approx(0.1)
    assert drawn_strength(one_spot(scale * 2, attribute)).max() == pytest.approx(1.0)
    assert drawn_strength(one_spot(0.0, attribute)).max() == 0


def test_other_pictures_are_refused():
    with pytest.raises(ValueError, match="picture must be"):
        heat_overlay(GREY[..., 0], one_spot(0.5))

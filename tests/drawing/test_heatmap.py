import numpy as np
import pytest

from core.attributes.occlusion import OcclusionMap
from core.drawing.heatmap import FULL_SCALE, heatmap_strength, overlay_heatmap

GREY = np.full((120, 120, 3), 128, np.uint8)


def one_spot(change, attribute="emotion"):
    covered = np.full((6, 6), 0.9)
    covered[4, 1] -= change
    return OcclusionMap(attribute, "happy", 0.9, covered)


def test_important_region_is_bright_and_the_input_unchanged():
    before = GREY.copy()
    drawn = overlay_heatmap(GREY, one_spot(0.5))
    assert np.array_equal(GREY, before)
    assert (drawn.shape, drawn.dtype) == (GREY.shape, np.uint8)
    light = drawn.astype(float) @ [0.114, 0.587, 0.299]
    row, column = np.unravel_index(light.argmax(), light.shape)
    assert abs(row - 90) <= 10
    assert abs(column - 30) <= 10
    blue, green, red = drawn[90, 30].astype(int)
    assert red > blue + 60, "yellow in BGR"
    assert green > blue + 60


def test_face_stays_visible_where_nothing_matters():
    photo = np.random.default_rng(0).integers(0, 256, GREY.shape, dtype=np.uint8)
    drawn = overlay_heatmap(photo, one_spot(0.5))
    corner = (slice(0, 30), slice(90, 120))
    assert np.corrcoef(photo[corner].ravel(), drawn[corner].ravel())[0, 1] > 0.95


@pytest.mark.parametrize("attribute", FULL_SCALE)
def test_weak_maps_look_weak(attribute):
    scale = FULL_SCALE[attribute]
    assert heatmap_strength(one_spot(scale / 10, attribute)).max() == pytest.approx(0.1)
    assert heatmap_strength(one_spot(scale * 2, attribute)).max() == pytest.approx(1.0)
    assert heatmap_strength(one_spot(0.0, attribute)).max() == 0


def test_other_arrays_are_rejected():
    with pytest.raises(ValueError, match="face must be"):
        overlay_heatmap(GREY[..., 0], one_spot(0.5))

import numpy as np
import pytest

from core.detection.compact import searched_copy, searched_sides, threshold


@pytest.mark.parametrize(
    ("height", "width", "max_side_px", "shape", "zoom_xy"),
    [
        (480, 640, 320, (240, 320), (0.5, 0.5)),
        (240, 320, 640, (240, 320), (1, 1)),
        (100, 200, 640, (112, 208), (1, 1)),
        (1000, 333, 320, (320, 112), (107 / 333, 0.32)),
        (1, 1, 320, (16, 16), (1, 1)),
    ],
    ids=["halved", "as it is", "padded", "odd", "tiny"],
)
def test_the_searched_copy_is_small_and_a_multiple_of_16(height, width, max_side_px, shape, zoom_xy):
    frame = np.full((height, width, 3), 9, np.uint8)
    image, zoom = searched_copy(frame, max_side_px)
    assert image.shape == (*shape, 3)
    assert zoom == pytest.approx(zoom_xy)
    assert (frame == 9).all()


def test_more_sensitivity_is_a_lower_threshold():
    assert threshold(0.3, 0.5) == pytest.approx(0.3)
    strict, middle, loose = (threshold(0.3, sensitivity) for sensitivity in (0, 0.5, 1))
    assert 1 > strict > middle > loose > 0


@pytest.mark.parametrize(
    ("longest_px", "sides_px"),
    [(200, (200,)), (320, (320,)), (321, (321, 161)), (640, (640, 320)), (1281, (1281, 641, 321, 161))],
)
def test_large_pictures_are_searched_in_halves_too(longest_px, sides_px):
    assert searched_sides(longest_px) == sides_px

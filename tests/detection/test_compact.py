import numpy as np
import pytest

from core.detection.compact import letterbox, pyramid_sizes, score_threshold


@pytest.mark.parametrize(
    ("height", "width", "side_px", "shape", "zoom_xy"),
    [
        (480, 640, 320, (240, 320), (0.5, 0.5)),
        (240, 320, 320, (240, 320), (1, 1)),
        (100, 200, 400, (208, 400), (2, 2)),
        (1000, 333, 320, (320, 112), (107 / 333, 0.32)),
        (1, 1, 2, (16, 16), (2, 2)),
    ],
    ids=["halved", "as it is", "enlarged and padded", "odd", "tiny"],
)
def test_letterbox_pads_to_multiples_of_16(height, width, side_px, shape, zoom_xy):
    frame = np.full((height, width, 3), 9, np.uint8)
    image, zoom = letterbox(frame, side_px)
    assert image.shape == (*shape, 3)
    assert zoom == pytest.approx(zoom_xy)
    assert (frame == 9).all()


def test_more_sensitivity_is_a_lower_threshold():
    assert score_threshold(0.3, 0.5) == pytest.approx(0.3)
    strict, middle, loose = (score_threshold(0.3, sensitivity) for sensitivity in (0, 0.5, 1))
    assert 1 > strict > middle > loose > 0


@pytest.mark.parametrize(
    ("longest_px", "limits_px", "sides_px"),
    [
        (640, (320, 320), (320,)),
        (2000, (640, 640), (640, 320)),
        (256, (640, 1280), (512, 256)),
        (500, (640, 1280), (640, 320)),
        (700, (640, 1280), (700, 350, 175)),
        (4000, (640, 1280), (1280, 640, 320)),
        (100, (640, 1280), (200,)),
        (2000, (640, 1281), (1281, 641, 321, 161)),
    ],
    ids=str,
)
def test_pyramid_is_halved_until_it_shows_the_largest_face(longest_px, limits_px, sides_px):
    assert pyramid_sizes(longest_px, *limits_px) == sides_px

import numpy as np
import pytest

from core.detection.base import FaceArrays
from core.detection.pyramid import PyramidDetector, letterbox, score_threshold
from core.detection.second_look import CROP_PX
from core.settings import LIVE_DETECTOR, DetectorSettings


@pytest.mark.parametrize(
    ("height", "width", "side_px", "shape", "zoom_xy"),
    [
        (480, 640, 320, (256, 320), (0.5, 0.5)),
        (256, 320, 320, (256, 320), (1, 1)),
        (100, 200, 400, (224, 416), (2, 2)),
        (1000, 333, 320, (320, 128), (107 / 333, 0.32)),
        (1, 1, 2, (32, 32), (2, 2)),
    ],
    ids=["halved", "as it is", "enlarged and padded", "odd", "tiny"],
)
def test_letterbox_pads_to_multiples_of_32(height, width, side_px, shape, zoom_xy):
    frame = np.full((height, width, 3), 9, np.uint8)
    image, zoom = letterbox(frame, side_px)
    assert image.shape == (*shape, 3)
    assert zoom == pytest.approx(zoom_xy)
    assert (frame == 9).all()


def test_more_sensitivity_is_a_lower_threshold():
    assert score_threshold(0.3, 0.5) == pytest.approx(0.3)
    strict, middle, loose = (score_threshold(0.3, sensitivity) for sensitivity in (0, 0.5, 1))
    assert 1 > strict > middle > loose > 0


class FixedNetwork:
    """Finds the same face, a square of ``size_px``, in every image, and a face in every crop of a second look."""

    def __init__(self, size_px=60.0, score=0.9, second_score=None):
        self.size_px, self.score, self.second_score = size_px, score, second_score or score
        self.shapes, self.looks = [], 0

    def predict(self, image, min_score):
        if image.shape[:2] == (CROP_PX, CROP_PX):
            self.looks += 1
            return FaceArrays(np.array([[6, 6, 90, 90]]), np.array([self.second_score]), np.zeros((1, 5, 2)))
        self.shapes.append(image.shape[:2])
        xyxy = np.array([[0, 0, self.size_px, self.size_px]])
        return FaceArrays(xyxy, np.array([self.score]), np.zeros((1, 5, 2)))


@pytest.mark.parametrize(
    ("wh", "settings", "shapes"),
    [
        ((640, 480), LIVE_DETECTOR, [(256, 320)]),
        ((320, 240), DetectorSettings(), [(448, 576), (160, 192)]),
        ((100, 100), DetectorSettings(), [(192, 192)]),
        ((640, 480), DetectorSettings(), [(480, 640), (160, 192)]),
        ((4000, 3000), DetectorSettings(), [(1440, 1920), (192, 256)]),
    ],
    ids=["live", "enlarged", "tiny", "detail and overview", "at most 1,920 px"],
)
def test_sizes_of_the_searched_copies(wh, settings, shapes):
    network = FixedNetwork()
    PyramidDetector(network, 0.5, settings).detect(np.zeros((wh[1], wh[0], 3), np.uint8))
    assert network.shapes == shapes


def test_boxes_are_in_pixels_of_the_frame():
    frame = np.zeros((480, 640, 3), np.uint8)
    (face,) = PyramidDetector(FixedNetwork(60), 0.5, LIVE_DETECTOR).detect(frame)
    assert face.box.xyxy == pytest.approx((0, 0, 120, 120))


@pytest.mark.parametrize(
    ("size_px", "wh", "count"),
    [
        (12, (320, 240), 0),
        (14, (320, 240), 1),
        (20, (100, 100), 0),
        (25, (100, 100), 1),
    ],
    ids=["too small", "large enough", "too small before it was enlarged", "large enough before"],
)
def test_smallest_face(size_px, wh, count):
    frame = np.zeros((wh[1], wh[0], 3), np.uint8)
    settings = DetectorSettings(max_side_px=320, detail_side_px=320)
    assert len(PyramidDetector(FixedNetwork(size_px), 0.5, settings).detect(frame)) == count


@pytest.mark.parametrize("size_px", [30.0, 350.0], ids=["in detail", "in the overview"])
def test_each_of_two_searches_has_its_sizes(size_px):
    found = PyramidDetector(FixedNetwork(size_px), 0.5).detect(np.zeros((1280, 1280, 3), np.uint8))
    assert [face.box.width for face in found] == pytest.approx([size_px if size_px < 300 else 1280 / 192 * size_px])


def test_weak_faces_are_left_out():
    frame = np.zeros((240, 320, 3), np.uint8)
    assert PyramidDetector(FixedNetwork(score=0.4), 0.5).detect(frame) == ()


@pytest.mark.parametrize(("settings", "count"), [(DetectorSettings(), 1), (LIVE_DETECTOR, 0)], ids=["photo", "live"])
def test_second_looks_make_faces_in_photographs_only(settings, count):
    network, frame = FixedNetwork(score=0.4, second_score=0.9), np.zeros((100, 100, 3), np.uint8)
    assert len(PyramidDetector(network, 0.5, settings).detect(frame)) == count
    # A lower threshold shows what the higher one does.
    assert sum(face.score >= 0.5 for face in PyramidDetector(network, 0.2, settings).detect(frame)) == count


@pytest.mark.parametrize(
    ("score", "settings", "looks"),
    [(0.9, DetectorSettings(), 1), (0.9, LIVE_DETECTOR, 0), (0.7, LIVE_DETECTOR, 1)],
    ids=["photograph", "live", "live, in doubt"],
)
def test_what_is_looked_at_again(score, settings, looks):
    network = FixedNetwork(score=score)
    (face,) = PyramidDetector(network, 0.5, settings).detect(np.zeros((100, 100, 3), np.uint8))
    assert (network.looks, face.score) == (looks, pytest.approx(score))

import threading

import cv2
import numpy as np
import pytest
import skimage.data

from core.detection import create_detector
from core.detection.haar import HaarDetector
from core.errors import ConfigError
from core.settings import DetectorSettings

ASTRONAUT_FACE = (224, 117)
"""Centre (x, y) of the face in skimage's astronaut."""


@pytest.fixture(scope="module")
def astronaut():
    return cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)


def holds(box, point):
    return box.x1 < point[0] < box.x2 and box.y1 < point[1] < box.y2


def test_the_face_of_a_photograph_is_found_first(astronaut):
    first, *_ = HaarDetector().detect(astronaut)
    assert holds(first.box, ASTRONAUT_FACE)
    assert 70 < first.box.width < 170
    assert 0.5 < first.score <= 1


@pytest.mark.parametrize("zoom", [0.5, 2.0, 4.0])
def test_boxes_are_in_pixels_of_the_frame(astronaut, zoom):
    frame = cv2.resize(astronaut, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    first, *_ = HaarDetector().detect(frame)
    assert holds(first.box, (ASTRONAUT_FACE[0] * zoom, ASTRONAUT_FACE[1] * zoom))


def test_an_empty_scene_has_nobody():
    assert HaarDetector().detect(np.full((240, 320, 3), 127, np.uint8)) == ()


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 400, 3), (400, 5, 3), (1, 30_000, 3)])
def test_tiny_and_thin_frames_have_nobody(shape):
    assert HaarDetector().detect(np.zeros(shape, np.uint8)) == ()


def test_sensitivity_finds_at_least_as_many(astronaut):
    found = [len(HaarDetector(DetectorSettings(sensitivity=s)).detect(astronaut)) for s in (0.0, 0.5, 1.0)]
    assert found == sorted(found)
    assert found[0] >= 1


def test_threads_share_one_detector(astronaut):
    detector = HaarDetector()
    expected = detector.detect(astronaut)
    results = []
    threads = [threading.Thread(target=lambda: results.append(detector.detect(astronaut))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 3


def test_unknown_detector_says_what_is_allowed():
    with pytest.raises(ConfigError, match="haar"):
        create_detector("eagle", DetectorSettings())


@pytest.mark.parametrize("values", [{"sensitivity": 1.5}, {"min_face_px": 2}, {"max_side_px": 10}])
def test_settings_are_checked(values):
    with pytest.raises(ConfigError):
        DetectorSettings(**values)

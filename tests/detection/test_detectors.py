from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
import pytest
import skimage.data

from core.detection import create_detector
from core.detection.orientation import rotate_detection, rotate_frame, search_orientations
from core.errors import ConfigError
from core.settings import DetectorSettings

ASTRONAUT_FACE = (224, 117)
"""Centre (x, y) of the face in skimage's astronaut."""


@pytest.fixture(scope="module")
def astronaut():
    return cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(params=["facet", "haar"], scope="module")
def create(request):
    """Makes the detector with the settings that a test wants."""
    return partial(create_detector, request.param)


def holds(box, point):
    return box.x1 < point[0] < box.x2 and box.y1 < point[1] < box.y2


def test_the_face_of_a_photograph_is_found_first(create, astronaut):
    first, *_ = create(DetectorSettings()).detect(astronaut)
    assert holds(first.box, ASTRONAUT_FACE)
    assert 70 < first.box.width < 170
    assert 0.5 < first.score <= 1


@pytest.mark.parametrize("zoom", [0.5, 2.0, 4.0])
def test_boxes_are_in_pixels_of_the_frame(create, astronaut, zoom):
    frame = cv2.resize(astronaut, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    first, *_ = create(DetectorSettings()).detect(frame)
    assert holds(first.box, (ASTRONAUT_FACE[0] * zoom, ASTRONAUT_FACE[1] * zoom))


@pytest.mark.parametrize("wh", [(320, 240), (1, 1), (400, 5), (5, 400), (30_000, 1)], ids=str)
def test_empty_and_tiny_frames_have_nobody(create, wh):
    assert create(DetectorSettings()).detect(np.full((wh[1], wh[0], 3), 127, np.uint8)) == ()


def test_faces_below_the_smallest_size_are_left_out(create, astronaut):
    first, *_ = create(DetectorSettings()).detect(astronaut)
    limit = round(first.box.width * 1.3)
    assert not any(
        holds(face.box, ASTRONAUT_FACE) for face in create(DetectorSettings(min_face_px=limit)).detect(astronaut)
    )


def test_sensitivity_finds_at_least_as_many(create, astronaut):
    found = [len(create(DetectorSettings(sensitivity=s)).detect(astronaut)) for s in (0.0, 0.5, 1.0)]
    assert found == sorted(found)
    assert found[0] >= 1


def test_threads_share_one_detector(create, astronaut):
    detector = create(DetectorSettings())
    expected = detector.detect(astronaut)
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(detector.detect, [astronaut] * 3)) == [expected] * 3


def test_facet_landmarks_lie_on_the_face(astronaut):
    first, *_ = create_detector("facet", DetectorSettings()).detect(astronaut)
    points = first.landmarks
    assert all(holds(first.box, point) for point in points.points)
    assert points.left_eye[0] < points.nose[0] < points.right_eye[0]
    assert points.left_mouth[0] < points.right_mouth[0]
    assert points.left_eye[1] < points.nose[1] < points.left_mouth[1]


@pytest.mark.parametrize("angle_deg", [-30, 30])
def test_facet_finds_a_tilted_face_and_its_tilt(astronaut, angle_deg):
    matrix = cv2.getRotationMatrix2D(ASTRONAUT_FACE, -angle_deg, 1.0)
    frame = cv2.warpAffine(astronaut, matrix, (512, 512))
    detector = create_detector("facet", DetectorSettings())
    (upright, *_), (tilted, *_) = detector.detect(astronaut), detector.detect(frame)
    assert holds(tilted.box, ASTRONAUT_FACE)
    assert eye_angle_deg(tilted) - eye_angle_deg(upright) == pytest.approx(angle_deg, abs=10)


@pytest.mark.parametrize("person_px", [150, 80])
def test_many_small_people_in_a_large_photograph_are_found(astronaut, person_px):
    x, y = ASTRONAUT_FACE
    person = astronaut[y - 100 : y + 100, x - 100 : x + 100]
    person = cv2.resize(person, (person_px, person_px), interpolation=cv2.INTER_AREA)
    crowd = np.full((1600, 2400, 3), 128, np.uint8)
    for row, column in np.ndindex(4, 5):
        top, left = 150 + 350 * row, 150 + 450 * column
        crowd[top : top + person_px, left : left + person_px] = person
    found = create_detector("facet", DetectorSettings()).detect(crowd)
    assert len(found) >= 18


@pytest.mark.parametrize(
    ("longest_px", "smallest_px"), [(200, 12), (480, 0.044 * 480), (640, 0.044 * 640), (4000, 29)], ids=str
)
def test_the_smallest_face_is_a_limited_share_of_the_picture(longest_px, smallest_px):
    assert DetectorSettings().smallest_face_px(longest_px) == pytest.approx(smallest_px)
    assert DetectorSettings(min_face_px=48).smallest_face_px(longest_px) == 48


def eye_angle_deg(face):
    (x1, y1), (x2, y2) = face.landmarks.left_eye, face.landmarks.right_eye
    return np.rad2deg(np.arctan2(y2 - y1, x2 - x1))


@pytest.mark.parametrize(
    "values", [{"sensitivity": 1.5}, {"min_face_px": 2}, {"max_side_px": 10}, {"detail_side_px": 639}], ids=str
)
def test_settings_are_checked(values):
    with pytest.raises(ConfigError):
        DetectorSettings(**values)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_photographs_are_read_upright(astronaut, turns):
    found, quarter_turns = search_orientations(
        create_detector("facet", DetectorSettings()), rotate_frame(astronaut, turns)
    )
    assert quarter_turns == 4 - turns
    assert len(found) == 1
    resolution_wh = astronaut.shape[1::-1]
    assert holds(rotate_detection(found[0], quarter_turns, resolution_wh).box, ASTRONAUT_FACE)

import numpy as np
import pytest

from core.detection.orientation import rotate_detection, rotate_frame, search_orientations, upright_turns
from core.types import Box, Detection, Landmarks

WIDTH, HEIGHT = 60, 40
FACE = Detection(Box(20, 5, 30, 20), 0.9, Landmarks((22, 9), (28, 9), (25, 12), (23, 16), (27, 16)))


class CornerDetector:
    """Finds ``FACE`` with the score of the way up, which it tells by the frame's bright corner."""

    def __init__(self, *scores):
        self.scores, self.calls = scores, 0

    def detect(self, frame):
        self.calls += 1
        corners = [frame[0, 0, 0], frame[0, -1, 0], frame[-1, -1, 0], frame[-1, 0, 0]]
        score = self.scores[int(np.argmax(corners))]
        return (Detection(FACE.box, score, FACE.landmarks),) if score else ()


@pytest.fixture
def frame():
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[0, 0] = 255
    return frame


@pytest.mark.parametrize(
    ("scores", "turns", "calls"),
    [
        ((0.6, 0, 0.9, 0), 0, 1),
        ((0, 0.8, 0.9, 0.85), 2, 4),
        ((0, 0, 0.6, 0), 0, 4),
        ((0, 0, 0, 0), 0, 4),
    ],
    ids=["found as it is", "the best of three", "too weak", "nobody"],
)
def test_other_ways_up_are_searched_where_nobody_is_found(frame, scores, turns, calls):
    detector = CornerDetector(*scores)
    found, quarter_turns = search_orientations(detector, frame)
    assert (quarter_turns, detector.calls) == (turns, calls)
    assert [face.score for face in found] == [score for score in (scores[turns],) if score]


def rolled(degrees, score=0.9):
    """``FACE`` with landmarks that are rotated clockwise about their centre."""
    points = np.array(FACE.landmarks.points)
    x, y = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turned = (points - points.mean(axis=0)) @ np.array([[x, y], [-y, x]]) + points.mean(axis=0)
    return Detection(FACE.box, score, Landmarks(*map(tuple, turned.tolist())))


@pytest.mark.parametrize(
    ("faces", "turns"),
    [
        ([], 0),
        ([Detection(FACE.box, 0.9)], 0),
        ([rolled(0)], 0),
        ([rolled(60)], 0),
        ([rolled(-60)], 0),
        ([rolled(80)], 3),
        ([rolled(90)], 3),
        ([rolled(-100)], 1),
        ([rolled(170)], 2),
        ([rolled(90, 0.6), rolled(0)], 0),
        ([rolled(90), rolled(75), rolled(0)], 3),
    ],
    ids=lambda value: "" if isinstance(value, list) else str(value),
)
def test_landmarks_tell_how_a_frame_lies(faces, turns):
    assert upright_turns(faces) == turns


@pytest.mark.parametrize("turns", range(-3, 4))
def test_a_detection_is_rotated_with_its_frame(frame, turns):
    for x, y in [*FACE.landmarks.points, FACE.box.xyxy[:2], FACE.box.xyxy[2:]]:
        frame[int(y), int(x)] = 255
    rotated, face = rotate_frame(frame, turns), rotate_detection(FACE, turns, (WIDTH, HEIGHT))
    height, width = rotated.shape[:2]
    assert (width, height) == ((HEIGHT, WIDTH) if turns % 2 else (WIDTH, HEIGHT))
    assert 0 <= face.box.x1 < face.box.x2 <= width
    assert 0 <= face.box.y1 < face.box.y2 <= height
    # A point is the corner of its pixel, so it becomes another corner of the same pixel.
    assert all(rotated[int(y) - 1 : int(y) + 1, int(x) - 1 : int(x) + 1].any() for x, y in face.landmarks.points)
    assert rotate_detection(face, -turns, (width, height)) == FACE


def test_detections_without_landmarks_are_rotated_too():
    face = rotate_detection(Detection(FACE.box, 0.5), 1, (WIDTH, HEIGHT))
    assert face == Detection(Box(20, 20, 35, 30), 0.5)

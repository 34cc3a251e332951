import numpy as np
import pytest

from core.detection.orientation import rotate_detection, rotate_frame, search_orientations
from core.types import Box, Detection, Landmarks

WIDTH, HEIGHT = 60, 40
FACE = Detection(Box(20, 5, 30, 20), 0.9, Landmarks((22, 9), (28, 9), (25, 12), (23, 16), (27, 16)))


def quarter_turns_of(frame):
    """By how much ``frame`` was rotated clockwise: its bright corner goes with it."""
    return int(np.argmax([frame[0, 0, 0], frame[0, -1, 0], frame[-1, -1, 0], frame[-1, 0, 0]]))


class CornerDetector:
    """Finds ``FACE`` with the score of the way up, which it tells by the frame's bright corner."""

    def __init__(self, *scores):
        self.scores, self.calls = scores, 0

    def detect(self, frame):
        self.calls += 1
        score = self.scores[quarter_turns_of(frame)]
        return (Detection(FACE.box, score, FACE.landmarks),) if score else ()


@pytest.fixture
def frame():
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[0, 0] = 255
    return frame


@pytest.mark.parametrize(
    ("scores", "turns", "calls"),
    [
        ((0.75, 0, 0.9, 0), 0, 1),
        ((0.6, 0, 0.9, 0), 2, 4),
        ((0, 0.8, 0.9, 0.85), 2, 4),
        ((0, 0, 0.62, 0), 0, 4),
        ((0.68, 0.67, 0, 0), 0, 4),
        ((0, 0, 0, 0), 0, 4),
    ],
    ids=["sure as it is", "another way is better", "the best of three", "too weak", "as it is comes first", "nobody"],
)
def test_the_best_way_up_is_found(frame, scores, turns, calls):
    detector = CornerDetector(*scores)
    found, quarter_turns = search_orientations(detector, frame)
    assert (quarter_turns, detector.calls) == (turns, calls)
    assert [face.score for face in found] == [score for score in (scores[turns],) if score]


def rolled(degrees, score):
    """``FACE`` with landmarks that are rotated clockwise about their centre."""
    points = np.array(FACE.landmarks.points)
    x, y = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turned = (points - points.mean(axis=0)) @ np.array([[x, y], [-y, x]]) + points.mean(axis=0)
    return Detection(FACE.box, score, Landmarks(*map(tuple, turned.tolist())))


@pytest.mark.parametrize(("roll_deg", "turns"), [(0, 0), (40, 0), (-40, 0), (60, 3), (-90, 1), (175, 2)], ids=str)
def test_landmarks_that_lie_do_not_count_as_upright(frame, roll_deg, turns):
    """A detector that finds a face at any angle, and less surely the more it is rolled."""

    class AnyAngle:
        def detect(self, frame):
            roll = (roll_deg + 90 * quarter_turns_of(frame) + 180) % 360 - 180
            return (rolled(roll, 0.95 - abs(roll) / 1000),)

    assert search_orientations(AnyAngle(), frame)[1] == turns


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

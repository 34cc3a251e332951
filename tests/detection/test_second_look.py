import cv2
import numpy as np
import pytest

from core.detection.base import FaceArrays
from core.detection.second_look import CROP_PX, look_again

UPRIGHT = np.array([[-15, -18], [15, -18], [4, 0], [-12, 18], [12, 18]])
"""Around the middle of a face of 80 px; the nose is off the middle, so that a mirror image differs."""
COLOURS = ((0, 0, 255), (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 0, 0))


def draw_face(angle_deg: float) -> tuple[np.ndarray, FaceArrays]:
    """A frame with a dot at each landmark, red eyes, green nose, blue mouth, and the face that it shows."""
    angle = np.deg2rad(angle_deg)
    points = UPRIGHT @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + (150.0, 120.0)
    frame = np.zeros((240, 320, 3), np.uint8)
    for (x, y), colour in zip(points, COLOURS, strict=True):
        # OpenCV draws around centres of pixels, in 1/256 of them.
        cv2.circle(frame, (round((x - 0.5) * 256), round((y - 0.5) * 256)), 3 * 256, colour, -1, cv2.LINE_AA, 8)
    return frame, FaceArrays(np.array([[110.0, 80.0, 190.0, 160.0]]), np.ones(1), points[None])


def find_dots(crop: np.ndarray, min_score: float) -> FaceArrays:
    """Find the dots of an upright face, left before right, as a detector would."""
    assert crop.shape == (CROP_PX, CROP_PX, 3)
    eyes, nose, mouth = (_places(crop[..., channel]) for channel in (2, 1, 0))
    landmarks = np.array([*sorted(eyes), *nose, *sorted(mouth)])
    return FaceArrays(np.array([[6.0, 6.0, 90.0, 90.0]]), np.array([0.5]), landmarks[None])


def _places(channel: np.ndarray) -> list[list[float]]:
    count, labels = cv2.connectedComponents((channel > 40).astype(np.uint8))
    y, x = np.mgrid[:CROP_PX, :CROP_PX] + 0.5
    return [
        [float(np.average(axis, weights=channel * (labels == label))) for axis in (x, y)] for label in range(1, count)
    ]


@pytest.mark.parametrize("angle_deg", [0, 30, -75, 170])
def test_the_second_look_counts_half(angle_deg):
    frame, face = draw_face(angle_deg)
    shifted = FaceArrays(face.xyxy, np.array([0.9]), face.landmarks + 4.0)
    seen = look_again(find_dots, frame, shifted)
    assert seen.landmarks == pytest.approx(face.landmarks + 2.0, abs=0.3)
    assert (seen.xyxy == face.xyxy).all()
    # Logits 2.2 and 0.
    assert seen.scores == pytest.approx([0.75])


@pytest.mark.parametrize(
    "found",
    [np.zeros((0, 4)), np.array([[0.0, 0, 20, 20]])],
    ids=["nothing", "another face"],
)
def test_what_is_not_seen_again_is_hardly_a_face(found):
    frame, face = draw_face(0)
    other = FaceArrays(found, np.ones(len(found)), np.zeros((len(found), 5, 2)))
    first = FaceArrays(face.xyxy, np.array([0.9]), face.landmarks)
    seen = look_again(lambda crop, min_score: other, frame, first)
    assert (seen.landmarks == face.landmarks).all()
    assert 0.2 < seen.scores[0] < 0.35

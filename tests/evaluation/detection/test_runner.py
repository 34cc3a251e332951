from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.datasets.faces import FacePhoto
from core.evaluation.detection import runner
from core.evaluation.detection.conditions import FRAMES_WH, rotate_points
from core.types import Box, Detection, Landmarks
from tests.fakes.detection import annotate, annotated_face, square

SIDE = 40


class BrightSpot:
    """Finds a square, ``SIDE`` px in a frame of 200 px, around the middle of all bright pixels."""

    def __init__(self, score: float = 0.9, landmarks: bool = True) -> None:
        self.score = score
        self.landmarks = landmarks
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        self.shapes.append(frame.shape)
        y, x = (float(values.mean()) + 0.5 for values in np.nonzero(frame[..., 0] > 100))
        half = SIDE / 2 * max(frame.shape) / 200
        points = Landmarks((x - half, y), (x + half, y), (x, y), (x - half, y + half), (x + half, y + half))
        box = Box(x - half, y - half, x + half, y + half)
        return (Detection(box, self.score, points if self.landmarks else None),)


def photo(x: float = 120, y: float = 60, name: str = "web_1.jpg") -> FacePhoto:
    """200 x 160 with a bright disc at (x, y) that is marked as a face with 20 px between the eyes."""
    image = np.zeros((160, 200, 3), np.uint8)
    cv2.circle(image, (int(x), int(y)), 5, (200, 200, 200), -1)
    return FacePhoto(image, annotate(name, [annotated_face(x, y)], pseudo_boxes=[square(x, y, 40)]))


@pytest.mark.parametrize("longer_side_px", [None, 400, 640])
def test_detections_are_in_pixels_of_the_photograph(longer_side_px: int | None) -> None:
    detector = BrightSpot()
    (faces,) = runner.detect_photos(detector, [photo()], longer_side_px)
    assert max(detector.shapes[0]) == (longer_side_px or 200)
    assert faces.xyxy[0] == pytest.approx([100, 40, 140, 80], abs=1)
    assert faces.landmarks[0, 4] == pytest.approx([140, 80], abs=1)


def test_detectors_without_landmarks_and_weak_detections() -> None:
    (faces,) = runner.detect_photos(BrightSpot(landmarks=False), [photo()])
    assert np.isnan(faces.landmarks).all()
    (faces,) = runner.detect_photos(BrightSpot(score=0.01), [photo()])
    assert len(faces.scores) == 0


@pytest.mark.parametrize("degrees", [15, 30, 45])
@pytest.mark.parametrize("index", [0, 1])
def test_annotations_rotate_with_the_image(degrees: int, index: int) -> None:
    photos = [photo(60, 40, "web_0.jpg"), photo(150, 100, "web_1.jpg")]
    faces = runner.detect_rotated(BrightSpot(), photos, degrees)[index]
    annotations = photos[index].annotations
    middle = rotate_points(annotations.landmarks, annotations.resolution_wh, degrees, index).mean(axis=1)[0]
    assert (faces.xyxy[0, :2] + faces.xyxy[0, 2:]) / 2 == pytest.approx(middle, abs=1)


def test_images_without_faces_that_count_are_not_rotated() -> None:
    detector = BrightSpot()
    nobody = FacePhoto(photo().image, annotate("mask_1.jpg"))
    (faces,) = runner.detect_rotated(detector, [nobody], 30)
    assert len(faces.scores) == 0
    assert detector.shapes == []


def test_zero_degrees_keep_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (31, 40, 3), dtype=np.uint8)
    assert np.array_equal(runner.rotate(image, 0, 0), image)


@pytest.mark.parametrize("frame_wh", FRAMES_WH)
def test_frames_are_filled(frame_wh: tuple[int, int]) -> None:
    image = np.full((160, 200, 3), 9, np.uint8)
    frame = runner.fill_frame(image, frame_wh)
    assert frame.shape == (frame_wh[1], frame_wh[0], 3)
    assert (frame == 9).all()


def test_latencies_cover_every_frame_size() -> None:
    detector = BrightSpot()
    latencies = runner.measure_latencies(detector, [photo()], live=True)
    assert [(latency.width, latency.height) for latency in latencies] == list(FRAMES_WH)
    assert all(latency.live and latency.median_ms > 0 for latency in latencies)
    assert {(width, height) for height, width, _ in detector.shapes} == set(FRAMES_WH)

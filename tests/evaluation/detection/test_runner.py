from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.datasets.faces import FacePhoto
from core.evaluation.detection import runner
from core.evaluation.detection.conditions import FRAMES_WH, tilted_points
from core.types import Box, Detection, Landmarks
from tests.fakes.detection import marked_face

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


class Blind:
    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        return ()


def photo(x: float = 120, y: float = 60, name: str = "web_1.jpg") -> FacePhoto:
    """200 x 160 with a bright disc at (x, y) that is marked as a face with 20 px between the eyes."""
    image = np.zeros((160, 200, 3), np.uint8)
    cv2.circle(image, (int(x), int(y)), 5, (200, 200, 200), -1)
    box = np.array([[x - 20, y - 20, x + 20, y + 20]])
    return FacePhoto(name, image, marked_face(x, y)[None], np.zeros((0, 4)), box, np.zeros((1, 5, 2)), np.array([0.9]))


@pytest.mark.parametrize("longest_side_px", [None, 400, 640])
def test_what_is_found_is_in_pixels_of_the_photograph_as_it_is(longest_side_px: int | None) -> None:
    detector = BrightSpot()
    (faces,) = runner.detect_photos(detector, [photo()], longest_side_px)
    assert max(detector.shapes[0]) == (longest_side_px or 200)
    assert faces.xyxy[0] == pytest.approx([100, 40, 140, 80], abs=1)
    assert faces.points[0, 4] == pytest.approx([140, 80], abs=1)


class EverySpot:
    """Finds a square of 40 px around every bright disc, as ``BrightSpot`` finds one."""

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        count, _, _, middles = cv2.connectedComponentsWithStats((frame[..., 0] > 100).astype(np.uint8))
        spots = [
            Detection(Box(x - SIDE / 2, y - SIDE / 2, x + SIDE / 2, y + SIDE / 2), 0.9) for x, y in middles[1:count]
        ]
        return tuple(spots)


def test_what_is_found_among_many_photographs_is_in_pixels_of_its_own() -> None:
    where = [(120, 60), (30, 140), (190, 10), (60, 60), (100, 90)]
    photos = [photo(x, y, f"web_{x}.jpg") for x, y in where]
    found = runner.detect_photos(EverySpot(), photos, a_row=2)
    assert [len(faces.scores) for faces in found] == [1] * 5
    middles = [(faces.xyxy[0, :2] + faces.xyxy[0, 2:]) / 2 for faces in found]
    assert np.array(middles) == pytest.approx(np.array(where), abs=1)


def test_photographs_of_different_sizes_lie_side_by_side() -> None:
    images = [np.full((high, wide, 3), value, np.uint8) for high, wide, value in ((4, 6, 1), (2, 3, 2), (3, 5, 3))]
    picture, corners = runner.side_by_side(images, 2)
    assert picture.shape == (8, 12, 3)
    assert corners.tolist() == [[0, 0], [6, 0], [0, 4]]
    assert [int((picture[..., 0] == value).sum()) for value in (1, 2, 3)] == [24, 6, 15]
    alone, _ = runner.side_by_side(images[2:], 1)
    assert np.array_equal(alone, images[2])


def test_detectors_without_landmarks_and_weak_detections() -> None:
    (faces,) = runner.detect_photos(BrightSpot(landmarks=False), [photo()])
    assert np.isnan(faces.points).all()
    (faces,) = runner.detect_photos(BrightSpot(score=0.01), [photo()])
    assert len(faces.scores) == 0


def test_every_photograph_counts_for_progress() -> None:
    done: list[int] = []
    photos = [photo(), photo(name="web_2.jpg")]
    runner.detect_photos(Blind(), photos, advance=lambda: done.append(1))
    runner.detect_tilted(Blind(), photos, 15, advance=lambda: done.append(1))
    assert len(done) == 4
    assert runner.detect_photos(Blind(), []) == ()


@pytest.mark.parametrize("degrees", [15, 30, 45])
@pytest.mark.parametrize("index", [0, 1])
def test_marks_turn_with_the_picture(degrees: int, index: int) -> None:
    photos = [photo(60, 40, "web_0.jpg"), photo(150, 100, "web_1.jpg")]
    faces = runner.detect_tilted(BrightSpot(), photos, degrees, lambda: None)[index]
    marks = runner.marks_of(photos[index])
    middle = tilted_points(marks.points, marks.resolution_wh, degrees, index).mean(axis=1)[0]
    assert (faces.xyxy[0, :2] + faces.xyxy[0, 2:]) / 2 == pytest.approx(middle, abs=1)


def test_photographs_without_faces_that_count_are_not_turned() -> None:
    detector = BrightSpot()
    nobody = FacePhoto(
        "mask_1.jpg",
        photo().image,
        np.zeros((0, 4, 2)),
        np.zeros((0, 4)),
        np.zeros((0, 4)),
        np.zeros((0, 5, 2)),
        np.zeros(0),
    )
    (faces,) = runner.detect_tilted(detector, [nobody], 30)
    assert len(faces.scores) == 0
    assert detector.shapes == []


def test_no_turn_leaves_the_picture_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (31, 40, 3), dtype=np.uint8)
    assert np.array_equal(runner.tilted(image, 0, 0), image)


@pytest.mark.parametrize("frame_wh", FRAMES_WH)
def test_frames_are_filled(frame_wh: tuple[int, int]) -> None:
    image = np.full((160, 200, 3), 9, np.uint8)
    frame = runner.framed(image, frame_wh)
    assert frame.shape == (frame_wh[1], frame_wh[0], 3)
    assert (frame == 9).all()


def test_times_are_of_every_detector_and_size() -> None:
    threads = cv2.getNumThreads()
    measured = runner.milliseconds({"spot": BrightSpot(), "blind": Blind()}, [photo()], rounds=1)
    assert cv2.getNumThreads() == threads
    assert list(measured) == ["spot", "blind"]
    assert list(measured["spot"]) == list(FRAMES_WH)
    assert measured["spot"][(1280, 720)] > measured["blind"][(1280, 720)] >= 0


class Wandering:
    """Finds the face at the centre (120, 60) of a 200 px photograph, one pixel left and right of it by turns."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        self.calls += 1
        zoom = frame.shape[1] / 200
        x, y, half = 120 * zoom + (1 if self.calls % 2 else -1), 60 * zoom, 20 * zoom
        return (Detection(Box(x - half, y - half, x + half, y + half), 0.9),)


def test_steadiness_is_the_deviation_of_the_centre() -> None:
    done: list[int] = []
    measured = runner.steadiness(
        {"wandering": Wandering(), "blind": Blind()}, [photo()] * 2, copies=6, advance=lambda: done.append(1)
    )
    assert measured["blind"] is None
    assert len(done) == 2
    steady = measured["wandering"]
    assert steady is not None
    assert (steady.photos, steady.found) == (2, 1.0)
    # One pixel to either side in x, none in y: the root of the mean variance.
    assert steady.raw_px == pytest.approx(np.sqrt(0.5))
    assert steady.raw_share == pytest.approx(np.sqrt(0.5) / 128)
    assert 0 < steady.tracked_px < steady.raw_px


def test_noise_is_the_same_for_the_same_seed() -> None:
    image = np.full((40, 50, 3), 128, np.uint8)
    first, second = runner.noisy(image, 2, (0, 3))
    again, _ = runner.noisy(image, 2, (0, 3))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    assert (first.astype(float) - image).std() == pytest.approx(runner.NOISE_SIGMA, rel=0.05)


def test_still_photos_have_one_face() -> None:
    crowd = FacePhoto(
        "web_2.jpg", photo().image, *(np.repeat(values, 2, axis=0) for values in (photo().human_points,)),
        np.zeros((0, 4)), photo().machine_boxes, photo().machine_points, photo().machine_scores,
    )  # fmt: skip
    photos = [photo(name="mask_1.jpg"), crowd, photo(name="web_3.jpg")]
    assert [one.id for one in runner.still_photos(photos)] == ["web_3.jpg"]

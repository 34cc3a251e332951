from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.datasets.faces import FacePhoto
from core.evaluation.detection import runner
from core.evaluation.detection.conditions import FRAMES_WH, RUNS
from core.evaluation.detection.runner import Candidate, Detectors
from core.types import Box, Detection, Landmarks
from tests.fakes.detection import annotate, annotated_face, square

SIDE = 40


class BrightSpot:
    """Finds a square, ``SIDE`` px in a frame of 200 px, around the middle of all bright pixels."""

    def __init__(self, score: float = 0.9, landmarks: bool = True, upright_only: bool = False) -> None:
        self.score = score
        self.landmarks = landmarks
        self.upright_only = upright_only
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        self.shapes.append(frame.shape)
        y, x = (float(values.mean()) + 0.5 for values in np.nonzero(frame[..., 0] > 150))
        if self.upright_only and (x < frame.shape[1] / 2 or y > frame.shape[0] / 2):
            return ()
        half = SIDE / 2 * max(frame.shape) / 200
        points = Landmarks((x - half, y), (x + half, y), (x, y), (x - half, y + half), (x + half, y + half))
        box = Box(x - half, y - half, x + half, y + half)
        return (Detection(box, self.score, points if self.landmarks else None),)


def candidate(detector: BrightSpot, live: BrightSpot | None = None) -> Candidate:
    both = Detectors(detector, live or detector)
    return Candidate("Bright spot", 0.5, both, both)


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


@pytest.mark.parametrize("test_set", RUNS)
def test_every_run_of_a_set_finds_the_face_where_it_is(test_set: str) -> None:
    photos = [photo(100, 70), photo(110, 80, "web_2.jpg")]
    results = runner.run_set(iter(photos), RUNS[test_set], {"spot": candidate(BrightSpot())})
    images, runs = results.of("spot")
    assert images == tuple(one.annotations for one in photos)
    assert list(runs) == [run.name for run in RUNS[test_set]]
    for run in RUNS[test_set]:
        for faces, (x, y) in zip(runs[run.name], [(100, 70), (110, 80)], strict=True):
            assert (faces.xyxy[0, :2] + faces.xyxy[0, 2:]) / 2 == pytest.approx([x, y], abs=1.5)
            assert np.isfinite(faces.landmarks).all() == run.landmarks


def test_live_runs_use_the_live_settings() -> None:
    still, live = BrightSpot(score=0.6), BrightSpot(score=0.7)
    runs = runner.run_set([photo()], RUNS["landmarks"], {"spot": candidate(still, live)}).found["spot"]
    assert [runs[name][0].scores[0] for name in ("photo", "live")] == pytest.approx([0.6, 0.7], abs=1e-3)


def test_turned_images_are_searched_any_way_up_with_the_apps_threshold() -> None:
    app, low = BrightSpot(upright_only=True), BrightSpot(score=0.1)
    spot = replace(candidate(app), low_threshold=Detectors(low, low))
    turns = [run for run in RUNS["rotated"] if run.any_way_up]
    runs = runner.run_set([photo()], turns, {"spot": spot}).found["spot"]
    for found in runs.values():
        assert (found[0].xyxy[0, :2] + found[0].xyxy[0, 2:]) / 2 == pytest.approx([120, 60], abs=1)
    assert not low.shapes


def test_latencies_cover_every_frame_size_and_setting() -> None:
    still, live = BrightSpot(), BrightSpot()
    info = runner.describe(candidate(still, live), photo().image)
    assert (info.title, info.min_score) == ("Bright spot", 0.5)
    assert [(part.live, part.width, part.height) for part in info.latencies] == [
        (is_live, *frame_wh) for is_live in (False, True) for frame_wh in FRAMES_WH
    ]
    assert {(width, height) for height, width, _ in live.shapes} == set(FRAMES_WH)
    assert runner.describe(candidate(still), None).latencies == ()

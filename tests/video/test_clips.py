"""Real clips through detection and tracking, with the settings of live video."""

import av
import numpy as np
import pytest

from core.analyzer import FaceAnalyzer
from core.detection import DEFAULT_DETECTOR, create_detector
from core.geometry import as_xyxy, iou_matrix
from core.settings import LIVE_DETECTOR, VIDEO_DETECTOR, TrackingSettings, VideoSampling
from core.video.analysis import analyze_video
from core.video.reader import probe_video
from core.video.tracker import FaceTracker
from tests.conftest import ARCHIVES

CLIPS = ARCHIVES / "videos"


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "people", "share"),
    [
        ("book.mkv", 1, 1.0),
        ("please.mkv", 1, 1.0),
        ("head-pose-face-detection-female-and-male_from_gif.mp4", 2, 0.95),
    ],
    ids=["looking down", "gesturing", "half profile and back"],
)
def test_people_keep_their_numbers_and_boxes_are_steady(name, people, share):
    if not (CLIPS / name).is_file():
        pytest.skip(f"{name} is not here")
    analyzer = FaceAnalyzer(create_detector(DEFAULT_DETECTOR, LIVE_DETECTOR), {})
    tracker, frames, steady = FaceTracker(TrackingSettings()), [], []
    with av.open(str(CLIPS / name)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            faces = tracker.update(analyzer.analyze(frame.to_ndarray(format="bgr24")), number / 15).faces
            for face in faces:
                before = [other.box for other in frames[-1] if other.track_id == face.track_id] if frames else []
                steady += [iou_matrix(as_xyxy([face.box]), as_xyxy(before)).item()] if before else []
            frames.append(faces)
    assert {face.track_id for faces in frames for face in faces} == set(range(1, people + 1))
    assert np.mean([len(faces) == people for faces in frames]) >= share
    assert np.median(steady) >= 0.95
    assert min(steady) >= 0.6


@pytest.mark.data
@pytest.mark.parametrize("fps", [5.0, 2.0])
@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("book.mkv", 1),
        ("please.mkv", 1),
        ("head-pose-face-detection-female-and-male_from_gif.mp4", 2),
        ("face-demographics-walking_from_gif.mp4", 2),
    ],
    ids=["looking down", "gesturing", "half profile and back", "walking"],
)
def test_people_keep_their_numbers_at_a_low_rate(name, people, fps):
    class Numbers(set):
        def add(self, sample):
            self.update(face.track_id for face in sample.analysis.faces)

    path, seen = CLIPS / name, Numbers()
    if not path.is_file():
        pytest.skip(f"{name} is not here")
    analyzer = FaceAnalyzer(create_detector(DEFAULT_DETECTOR, VIDEO_DETECTOR), {})
    info = probe_video(path, name)
    list(analyze_video(path, info, analyzer, [seen], sampling=VideoSampling(fps=fps)))
    assert seen == set(range(1, people + 1))

"""YuNet behind its seam: the network file is the user's, so a hand-written network answers here."""

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from core import environment
from core.detection import yunet
from core.detection.yunet import YuNetDetector, min_score, yunet_file
from core.errors import DetectorError
from core.settings import DetectorSettings
from core.types import Box, Detection, Landmarks

FRAME = np.zeros((480, 640, 3), np.uint8)
EYES_NOSE_MOUTH = [120, 110, 160, 110, 140, 130, 125, 150, 155, 150]
"""In the order of YuNet: the person's right eye, which the viewer sees on the left, first."""


class FakeNetwork:
    """Answers the same rows for every picture and remembers what it was given."""

    def __init__(self, *rows, min_score=0.0):
        self.rows = rows
        self.min_score = min_score
        self.input_sizes = []
        self.images = []

    def setInputSize(self, input_size):  # noqa: N802, OpenCV's name
        self.input_sizes.append(input_size)

    def detect(self, image):
        assert (image.shape[1], image.shape[0]) == self.input_sizes[-1], "OpenCV refuses any other size"
        self.images.append(image)
        return 1, np.array(self.rows, np.float32) if self.rows else None


def row(x=100, y=80, width=80, height=100, points=EYES_NOSE_MOUTH, score=0.8):
    return [x, y, width, height, *points, score]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / yunet.FILE_NAME
    path.write_bytes(b"onnx")
    return path


def detect(file, *rows, frame=FRAME, **settings):
    network = FakeNetwork(*rows)
    detector = YuNetDetector(DetectorSettings(**settings), file, lambda content, score: network)
    return detector.detect(frame), network


def test_boxes_and_landmarks_of_the_viewer(file):
    (found,), network = detect(file, row(score=0.75))
    landmarks = Landmarks(
        left_eye=(120, 110), right_eye=(160, 110), nose=(140, 130), left_mouth=(125, 150), right_mouth=(155, 150)
    )
    assert found == Detection(Box(100, 80, 180, 180), 0.75, landmarks)
    assert network.images[-1] is FRAME, "a frame that is small enough is searched as it is"


def test_nobody_in_view(file):
    assert detect(file)[0] == ()


@pytest.mark.parametrize(("max_side_px", "searched_wh"), [(320, (320, 240)), (200, (200, 150))])
def test_large_frames_are_searched_in_a_smaller_copy(file, max_side_px, searched_wh):
    (found,), network = detect(file, row(), max_side_px=max_side_px)
    zoom = searched_wh[0] / 640
    assert network.input_sizes[-1] == searched_wh
    assert found.box.xyxy == pytest.approx(np.array([100, 80, 180, 180]) / zoom)
    assert found.landmarks.right_mouth == pytest.approx((155 / zoom, 150 / zoom))


def test_rows_are_filtered_and_best_first(file):
    rows = [row(score=0.7), row(width=20, height=25), row(x=300, score=1.00001), row(width=0), row(x=float("nan"))]
    found, _ = detect(file, *rows, min_face_px=40)
    assert [face.score for face in found] == [1.0, pytest.approx(0.7)]


def test_the_smallest_face_is_a_share_of_the_frame(file):
    small = row(width=12, height=12)
    assert detect(file, small, max_side_px=320, min_face_share=0.044)[0] == (), "24 of 640 px"
    assert len(detect(file, small, max_side_px=320, min_face_share=0.03)[0]) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 400, 3), (1, 30_000, 3)])
def test_tiny_and_thin_frames_have_nobody(file, shape):
    assert detect(file, row(), frame=np.zeros(shape, np.uint8))[0] == ()


def test_sensitivity_lowers_the_score_that_counts(file):
    asked = []

    def open_network(content, score):
        asked.append(score)
        return FakeNetwork()

    for sensitivity in (0.0, 0.25, 0.5, 1.0):
        YuNetDetector(DetectorSettings(sensitivity=sensitivity), file, open_network)
    assert asked == sorted(asked, reverse=True) == [min_score(s) for s in (0.0, 0.25, 0.5, 1.0)]
    assert asked[2] == pytest.approx(0.7)


def test_calls_at_the_same_time_have_networks_of_their_own(file):
    networks = []
    meet = threading.Barrier(2, timeout=10)

    class Meeting(FakeNetwork):
        """Waits until another call has come as far, but for the first time, when the file is tried."""

        def detect(self, image):
            if image.shape == FRAME.shape:
                meet.wait()
            return super().detect(image)

    def open_network(content, score):
        networks.append(Meeting(row()))
        return networks[-1]

    detector = YuNetDetector(DetectorSettings(), file, open_network)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(detector.detect, [FRAME] * 4))
    assert len(networks) == 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty ``models/external`` and no environment variable."""
    monkeypatch.delenv(environment.YUNET, raising=False)
    monkeypatch.setattr(yunet, "FOLDER", tmp_path / "external")
    yunet.FOLDER.mkdir()
    return yunet.FOLDER


def test_a_missing_file_says_what_to_put_where(folder):
    with pytest.raises(DetectorError) as caught:
        YuNetDetector()
    message = str(caught.value)
    assert message.startswith(f"{folder / yunet.FILE_NAME} is missing. YuNet is not part of this repository")
    for part in ("MIT", "OpenCV Zoo", "models/external", "FACET_YUNET"):
        assert part in message
    assert "\n" not in message


def test_another_version_in_the_folder_will_do(folder):
    other = folder / "face_detection_yunet_2026may.onnx"
    other.write_bytes(b"")
    assert yunet_file() == other
    (folder / yunet.FILE_NAME).write_bytes(b"")
    assert yunet_file() == folder / yunet.FILE_NAME


def test_the_environment_names_the_file(folder, file, monkeypatch):
    monkeypatch.setenv(environment.YUNET, str(file))
    assert yunet_file() == file
    monkeypatch.setenv(environment.YUNET, str(file.with_name("absent.onnx")))
    with pytest.raises(DetectorError, match=r"absent.onnx, which FACET_YUNET names, is missing"):
        yunet_file()


@pytest.mark.parametrize(
    "content",
    [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 232589\n", bytes(range(256))],
    ids=["empty", "Git LFS pointer", "noise"],
)
def test_a_file_that_opencv_cannot_read(file, content):
    file.write_bytes(content)
    with pytest.raises(DetectorError, match=rf"\({len(content)} bytes\) is not a YuNet .* OpenCV Zoo"):
        YuNetDetector(file=file)


def test_another_network_is_refused(file):
    class OtherNetwork(FakeNetwork):
        def detect(self, image):
            raise cv2.error("no layer cls_8")

    with pytest.raises(DetectorError, match="is not a YuNet"):
        YuNetDetector(DetectorSettings(), file, lambda content, score: OtherNetwork())


def test_a_folder_instead_of_a_file(tmp_path):
    with pytest.raises(DetectorError, match="cannot be read"):
        YuNetDetector(file=tmp_path)

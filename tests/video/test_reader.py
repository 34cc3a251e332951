"""Video files are decoded upright, at the chosen rate, with their own times, or rejected with a reason."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, UnreadableVideoError, VideoError, VideoTooLargeError
from core.settings import VideoLimits, VideoSampling
from core.video.reader import probe_video, read_frames
from tests.fakes.videos import CONTAINERS, portrait, quarters, tone_only, video
from tests.io.test_mutated_images import mutate

MUTATIONS = 60


def times(data: bytes, sampling: VideoSampling = VideoSampling(), shown_fps: float | None = None) -> list[float]:
    info = probe_video(data, "clip")
    return [round(frame.time_s, 3) for frame in read_frames(data, info, sampling, shown_fps)]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_formats(kind: str) -> None:
    data = video(kind)
    info = probe_video(data, "clip")
    assert (info.resolution_wh, info.duration_s, info.frame_rate) == ((128, 128), 1.0, 10.0)
    frames = list(read_frames(data, info))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    # A GIF has 256 colours.
    assert np.abs(frames[0].pixels.astype(int) - portrait()).mean() < (30 if kind == "gif" else 6)


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "http:clip?.mp4"
    path.write_bytes(video())
    info = probe_video(path, path.name)
    assert len(list(read_frames(path, info))) == 5


@pytest.mark.parametrize(
    ("rotation", "white"),
    [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (-90, (0, 1))],
    ids=["none", "counterclockwise", "upside down", "clockwise"],
)
def test_rotation_is_obeyed(rotation: int, white: tuple[int, int]) -> None:
    data = video(frames=[quarters()] * 3, rotation=rotation)
    info = probe_video(data, "clip")
    assert info.resolution_wh == ((32, 64) if rotation % 180 else (64, 32))
    pixels = next(read_frames(data, info)).pixels
    height, width = pixels.shape[:2]
    assert (width, height) == info.resolution_wh
    corners = pixels[height // 4 :: height // 2, width // 4 :: width // 2, 0]
    assert np.argwhere(corners > 128).tolist() == [list(white)]


def test_pixels_become_square() -> None:
    data = video(aspect=Fraction(2, 1))
    assert probe_video(data, "clip").resolution_wh == (256, 128)


def test_ten_bits_look_like_eight() -> None:
    data = video("mkv", codec="ffv1", pix_fmt="yuv420p10le")
    frame = next(read_frames(data, probe_video(data, "clip")))
    assert np.abs(frame.pixels.astype(int) - portrait()).mean() < 6


def test_large_frames_are_scaled_down() -> None:
    data = video(frames=[quarters(200, 100)] * 2)
    frame = next(read_frames(data, probe_video(data, "clip"), limits=VideoLimits(frame_side_px=50)))
    assert frame.pixels.shape == (25, 50, 3)


def test_a_variable_rate_keeps_its_times() -> None:
    data = video(times_ms=[0, 100, 150, 700, 2000, 2010, 2500, 3000, 3100, 3200])
    assert times(data) == [0, 0.7, 2.0, 2.5, 3.0, 3.2]
    assert times(data, VideoSampling(fps=30)) == [0, 0.1, 0.15, 0.7, 2.0, 2.5, 3.0, 3.1, 3.2]


def test_a_part_is_read() -> None:
    data = video(frames=[portrait()] * 30)
    assert times(data, VideoSampling(start_s=1.0, end_s=1.7)) == [1.0, 1.2, 1.4, 1.6]


def test_samples_are_the_same_with_the_frames_between_them() -> None:
    data = video(frames=[portrait()] * 12, fps=12)
    info = probe_video(data, "clip")
    shown = list(read_frames(data, info, shown_fps=6))
    assert [frame.time_s for frame in shown if frame.is_sample] == [frame.time_s for frame in read_frames(data, info)]
    assert len(shown) > sum(frame.is_sample for frame in shown)


@pytest.mark.parametrize("kind", ["mkv", "avi", "webm"])
def test_what_is_left_of_a_file_that_was_cut_off_is_read(kind: str) -> None:
    rng = np.random.default_rng(0)
    data = video(kind, rng.integers(0, 256, (20, 64, 64, 3), dtype=np.uint8))
    assert 0 < len(times(data[: len(data) // 2], VideoSampling(fps=10))) < 15


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (video()[:3000], "cut off"),
        (tone_only(), "sound but no pictures"),
        (b"Dear customer,\n" * 50, "no known video format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "no known video format"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n", "no known video format"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "no known video format"),
        (video(frames=[quarters(8, 8)] * 2), "too short for faces"),
    ],
    ids=["empty", "truncated", "sound only", "text", "renamed picture", "playlist", "list of files", "tiny"],
)
def test_other_files_are_rejected_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableVideoError, match=reason) as error:
        probe_video(data, "clip.mp4")
    assert str(error.value).startswith("clip.mp4 ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideoError, match=r"film\.mp4 cannot be read: No such file"):
        probe_video(tmp_path / "film.mp4", "film.mp4")


def test_huge_frames_are_rejected() -> None:
    with pytest.raises(VideoTooLargeError, match="128x128"):
        probe_video(video(), "clip", VideoLimits(max_pixels=10_000))


@pytest.mark.parametrize("settings", [{"fps": 0.5}, {"fps": 31}, {"start_s": -1}, {"start_s": 2, "end_s": 2}], ids=str)
def test_impossible_samplings(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="must be"):
        VideoSampling(**settings)


def test_mutated_files_are_decoded_or_rejected() -> None:
    rng = np.random.default_rng(0)
    files = [video(kind, rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)) for kind in CONTAINERS]
    decoded, reasons = 0, []
    for _ in range(MUTATIONS):
        data = mutate(files[rng.integers(len(files))], rng)
        try:
            info = probe_video(data, "clip")
        except VideoError as error:
            reasons.append(str(error))
            continue
        frames = list(read_frames(data, info, VideoSampling(fps=10)))
        assert all(np.diff([frame.time_s for frame in frames]) > 0)
        assert {(frame.pixels.shape[1], frame.pixels.shape[0]) for frame in frames} <= {info.resolution_wh}
        decoded += bool(frames)
    assert all(reason.startswith("clip ") for reason in reasons)
    assert min(decoded, len(reasons)) > MUTATIONS / 10

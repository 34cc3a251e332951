"""Inputs of the video page: settings in the sidebar, the file, and the part of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from core.settings import VIDEO_DETECTOR, VideoLimits, VideoSampling
from core.video.reader import EXTENSIONS, VideoInfo
from core.video.writer import VideoWriter
from pages.shared.live.sample_clip import CLIP_WH, clip_frame
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import PageSettings, choose_attributes, choose_detector, choose_sensitivity, choose_style

SAMPLE = "sample.mp4"
LIMITS = VideoLimits()
_SAMPLE_S, _SAMPLE_FPS = 8, 10


@dataclass(frozen=True, slots=True)
class VideoPageSettings(PageSettings):
    """All settings of the video page. ``fps``: samples per second."""

    fps: float


@dataclass(frozen=True, slots=True)
class VideoFile:
    """``key`` tells files apart, also those of the same name."""

    key: str
    name: str
    data: bytes


def choose_settings() -> VideoPageSettings:
    """Draw the sidebar and return its state. Raises ``ConfigError`` or ``ArtifactError``."""
    with st.sidebar:
        st.header("Detection")
        detector_name = choose_detector("video_detector")
        sensitivity = choose_sensitivity("video")
        fps = st.slider(
            "Samples per second",
            1,
            15,
            round(VideoSampling().fps),
            key="video_fps",
            persist_state="session",
            help="Frames that are analyzed. Between them, boxes move along.",
        )
        attributes, networks = choose_attributes("video")
        blur_help = "Hides faces in the annotated video and in the table. A face between two samples may be missed."
        style = choose_style("video", blur_help)
    detector = replace(VIDEO_DETECTOR, sensitivity=sensitivity)
    return VideoPageSettings(detector, detector_name, networks, attributes, style, float(fps))


def choose_video() -> VideoFile | None:
    """Return the uploaded file, or else the sample if it is chosen."""
    # Any file name is accepted: files that are not videos get their own message.
    uploaded = st.file_uploader(
        "Video file",
        key="video_file",
        help=f"Formats: {', '.join(EXTENSIONS)}.",
        max_upload_size=LIMITS.max_bytes // 2**20,
    )
    if uploaded is not None:
        return VideoFile(uploaded.file_id, uploaded.name, uploaded.getvalue())
    sample = st.pills("Sample video", ["Two portraits"], key="video_sample")
    return VideoFile(SAMPLE, SAMPLE, sample_video()) if sample else None


def describe_video(info: VideoInfo) -> str:
    """Format for example ``clip.mp4 · 640 x 480 pixels · 12.0 s``."""
    width, height = info.resolution_wh
    duration = "duration unknown" if info.duration_s is None else f"{info.duration_s:.1f} s"
    return escape_markdown(f"{info.name} · {width} x {height} pixels · {duration}")


def choose_part(info: VideoInfo, fps: float) -> VideoSampling | None:
    """Draw a slider for the part of the video. Returns ``None`` if it is too long, after a message."""
    longest_s = LIMITS.max_duration_s
    if info.duration_s is None:
        st.caption(f"The file does not tell its duration. At most {longest_s / 60:.0f} minutes are analyzed.")
        return VideoSampling(fps, end_s=longest_s)
    if info.duration_s < 1:
        return VideoSampling(fps)
    start_s, end_s = st.slider(
        "Part (seconds)",
        0.0,
        info.duration_s,
        (0.0, min(info.duration_s, longest_s)),
        0.1,
        format="%.1f",
        # Every length needs a slider of its own.
        key=f"video_part_{info.duration_s:.2f}",
    )
    if start_s == end_s:
        st.error("The part is empty. Move one end of it.")
        return None
    if end_s - start_s > longest_s:
        st.error(
            f"The part has {(end_s - start_s) / 60:.1f} minutes; at most {longest_s / 60:.0f} are allowed. Choose a "
            "shorter one, or use `python -m core video`, which has no limit."
        )
        return None
    return VideoSampling(fps, start_s, None if end_s == info.duration_s else end_s)


@st.cache_data(show_spinner="Making the sample video …")
def sample_video() -> bytes:
    """Return the live page's sample clip as a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, SAMPLE)
        with VideoWriter(path, VideoInfo(SAMPLE, CLIP_WH, None, _SAMPLE_FPS)) as writer:
            for number in range(_SAMPLE_S * _SAMPLE_FPS):
                writer.write(number / _SAMPLE_FPS, clip_frame(number / _SAMPLE_FPS))
        return path.read_bytes()

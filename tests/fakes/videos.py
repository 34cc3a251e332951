"""Small video files, made when a test needs them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction

import av
import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

CONTAINERS = {
    "mp4": ("mp4", "libx264"),
    "mov": ("mov", "mpeg4"),
    "mkv": ("matroska", "libx264"),
    "webm": ("webm", "libvpx"),
    "avi": ("avi", "mpeg4"),
    "gif": ("gif", "gif"),
}
"""Usual extension -> format and codec."""


def portrait(side_px: int = 128) -> NDArray[np.uint8]:
    """NASA's portrait of Eileen Collins, (side, side, 3) BGR."""
    face = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    return cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_AREA)


def quarters(width: int = 64, height: int = 32) -> NDArray[np.uint8]:
    """White at the top left, black elsewhere."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = 255
    return picture


def video(
    kind: str = "mp4",
    frames: Iterable[NDArray[np.uint8]] | None = None,
    *,
    fps: int = 10,
    times_ms: Sequence[int] | None = None,
    codec: str = "",
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    aspect: Fraction | None = None,
    sound: str = "",
) -> bytes:
    """The file's contents; by default a second of a portrait.

    ``times_ms``: when each frame is shown, otherwise ``fps``. ``rotation``: degrees counterclockwise by which players
    turn the video. ``sound``: codec of a tone as long as the video.
    """
    frames = list([portrait()] * 10 if frames is None else frames)
    muxer, usual = CONTAINERS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        height, width = frames[0].shape[:2]
        stream = container.add_stream(codec or usual, rate=fps, width=width, height=height)
        if muxer == "webm":
            stream.options = {"deadline": "realtime", "cpu-used": "8"}
        stream.pix_fmt = "rgb8" if kind == "gif" else pix_fmt
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        tone = container.add_stream(sound, rate=48_000, layout="mono") if sound else None
        if times_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts = number if times_ms is None else times_ms[number]
            frame.time_base = Fraction(1, fps if times_ms is None else 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone is not None:
            _write_tone(container, tone, len(frames) / fps)
    return file.getvalue()


def tone_only(seconds: float = 1.0) -> bytes:
    """An MP4 file with sound and no pictures."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        _write_tone(container, container.add_stream("aac", rate=48_000, layout="mono"), seconds)
    return file.getvalue()


def _write_tone(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    wave = np.sin(2 * np.pi * 440 * np.arange(int(48_000 * seconds)) / 48_000)
    samples = (wave * 8000).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate, frame.pts = 48_000, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode())

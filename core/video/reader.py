"""Decode video files frame by frame: the only module that does. Memory does not grow with their length.

Frames look as in a player: the rotation in the file's metadata is applied, and pixels that are not square are widened.
Times are the file's own, in seconds from its beginning.
"""

from __future__ import annotations

import io
import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from core.errors import UnreadableVideoError, VideoTooLargeError
from core.settings import VideoLimits, VideoSampling

EXTENSIONS = ("mp4", "m4v", "mov", "mkv", "webm", "avi", "gif")
"""Usual file extensions; files are recognised by their contents."""

Source = Path | bytes
"""A file, or the contents of one."""

# Others are not even probed: playlists, for example, would make FFmpeg open further files.
_FORMATS = "mov,matroska,avi,gif"
_ADVICE = "Use a complete MP4, MOV, MKV, WebM, AVI or GIF file."
_MIN_SIDE_PX = 16
_EARLY = 0.1
"""Share of a frame's duration by which it may come before the moment that it stands for: times are rounded."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """``resolution_wh``: upright, with square pixels. ``duration_s`` and ``frame_rate`` are what the file claims, if it
    does."""

    name: str
    resolution_wh: tuple[int, int]
    duration_s: float | None
    frame_rate: float | None


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """``pixels``: (H, W, 3) uint8 BGR, upright. ``is_sample``: to be analysed, not only to be shown."""

    time_s: float
    pixels: NDArray[np.uint8]
    is_sample: bool


def probe_video(source: Source, name: str, limits: VideoLimits = VideoLimits()) -> VideoInfo:
    """Decode the first frame. ``name`` is used in messages. Raises ``VideoError``."""
    with open_container(source, name) as container:
        stream = _find_stream(container, name)
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > limits.max_pixels:
            raise VideoTooLargeError(
                f"{name} has {width}x{height} pixels per frame; at most {limits.max_pixels // 1_000_000} million are "
                "allowed. Scale it down."
            )
        first = next(decode_frames(container, stream), None)
        if first is None:
            raise UnreadableVideoError(f"{name} cannot be read as a video: no frame can be decoded. {_ADVICE}")
        shown_wh = _shown_wh(first, stream)
        if min(_fit(shown_wh, limits.frame_side_px)) < _MIN_SIDE_PX:
            raise UnreadableVideoError(
                f"{name} has {'x'.join(map(str, shown_wh))} pixels per frame, so one side is too short for faces."
            )
        rate = stream.average_rate
        return VideoInfo(name, shown_wh, _duration_s(container, stream), float(rate) if rate else None)


def read_frames(
    source: Source,
    info: VideoInfo,
    sampling: VideoSampling = VideoSampling(),
    shown_fps: float | None = None,
    limits: VideoLimits = VideoLimits(),
) -> Generator[VideoFrame, None, None]:
    """Yield the frames from ``sampling.start_s`` to ``end_s`` that are samples, and with ``shown_fps`` others too, at
    most that many per second. They are scaled down to a longer side of ``limits.frame_side_px``; times increase.

    Damaged parts are left out; a file that was cut off ends where it was cut off.
    """
    with open_container(source, info.name) as container:
        stream = _find_stream(container, info.name)
        origin_s = start_time_s(container)
        if sampling.start_s > 0:
            seek(container, origin_s + sampling.start_s)
        target_wh = _fit(info.resolution_wh, limits.frame_side_px)
        samples, shown = _Ticks(sampling.fps), _Ticks(shown_fps or 0.0)
        frame_s = 1 / (info.frame_rate or 25.0)
        time_s = -frame_s
        for frame in decode_frames(container, stream):
            # Damaged files have frames without a time, or whose time goes back.
            following_s = time_s + frame_s if frame.time is None else frame.time - origin_s
            if following_s <= time_s:
                continue
            time_s = following_s
            if sampling.end_s is not None and time_s >= sampling.end_s:
                return
            if time_s < sampling.start_s - 1e-3:
                continue
            is_sample, is_shown = samples.is_new(time_s), shown.is_new(time_s)
            if is_sample or is_shown:
                yield VideoFrame(max(time_s, 0.0), _to_pixels(frame, target_wh), is_sample)


@contextmanager
def open_container(source: Source, name: str) -> Iterator[Any]:
    """Open a file for PyAV. Raises ``UnreadableVideoError``; ``name`` is used in messages."""
    try:
        # A stream, because FFmpeg takes some file names for network addresses or lists of files.
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
            head = stream.read(12)
            stream.seek(0)
            if not head:
                raise UnreadableVideoError(f"{name} cannot be read as a video: it is empty. {_ADVICE}")
            try:
                container = av.open(stream, options={"format_whitelist": _FORMATS})
            except (av.FFmpegError, ValueError) as error:
                raise UnreadableVideoError(
                    f"{name} cannot be read as a video: {_reason(head, error)}. {_ADVICE}"
                ) from error
            with container:
                yield container
    except OSError as error:
        raise UnreadableVideoError(f"{name} cannot be read: {error.strerror or error}.") from error


def start_time_s(container: Any) -> float:
    """Return the time that players show as 0."""
    start_us = container.start_time
    return 0.0 if start_us is None else start_us / av.time_base


def seek(container: Any, time_s: float) -> None:
    """Go to the last key frame before ``time_s``; files that cannot be searched are read from their beginning."""
    try:
        container.seek(int(time_s * av.time_base))
    except av.FFmpegError:
        container.seek(0)


def read_packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of a stream up to the first one that cannot be read."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        yield packet


def decode_frames(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the frames of a stream that can be decoded."""
    for packet in read_packets(container, stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        yield from frames


class _Ticks:
    """Tells which of a series of increasing times are the first ones in their interval of ``1 / rate`` seconds."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._next = 0 if rate else math.inf

    def is_new(self, time_s: float) -> bool:
        tick = math.floor(time_s * self._rate + _EARLY)
        if tick < self._next:
            return False
        self._next = tick + 1
        return True


def _reason(head: bytes, error: Exception) -> str:
    if isinstance(error, av.InvalidDataError) and head[4:8] == b"ftyp":
        return "it was cut off or damaged, so the index of its frames is missing"
    return "its contents are no known video format, or damaged"


def _find_stream(container: Any, name: str) -> Any:
    # The cover of a piece of music is a video stream of one picture.
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        what = "it has sound but no pictures" if container.streams.audio else "it has no pictures"
        raise UnreadableVideoError(f"{name} cannot be read as a video: {what}. {_ADVICE}")
    if streams[0].codec_context is None:
        raise UnreadableVideoError(
            f"{name} cannot be read as a video: its codec is unknown. Convert it to H.264, for example in an MP4 file."
        )
    return streams[0]


def _duration_s(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _shown_wh(frame: Any, stream: Any) -> tuple[int, int]:
    aspect = stream.sample_aspect_ratio
    # Ratios beyond these are damage.
    width = round(frame.width * float(aspect)) if aspect and 0.25 <= aspect <= 4 else frame.width
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


def _fit(resolution_wh: tuple[int, int], side_px: int) -> tuple[int, int]:
    scale = min(1.0, side_px / max(resolution_wh))
    return round(resolution_wh[0] * scale), round(resolution_wh[1] * scale)


def _to_pixels(frame: Any, target_wh: tuple[int, int]) -> NDArray[np.uint8]:
    quarter_turns = round(frame.rotation / 90)
    width, height = target_wh[::-1] if quarter_turns % 2 else target_wh
    pixels = frame.reformat(width=width, height=height, format="bgr24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns))

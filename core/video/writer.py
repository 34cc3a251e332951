"""Write annotated videos: H.264 in MP4, with the sound of the original, and ready to play before it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from core.video.reader import Source, VideoInfo, decode_frames, open_container, read_packets, seek, start_time_s

_TIME_BASE = Fraction(1, 90_000)
_SETTINGS = {"preset": "veryfast", "crf": "23"}
_KEY_FRAME_EVERY = 60
"""Frames; players jump to key frames, so fewer would make jumps coarse."""
_PLAYABLE_SOUND = ("aac", "mp3")
"""Codecs that browsers play from MP4 and that are copied as they are; others are encoded anew."""


class VideoWriter:
    """``with VideoWriter(path, info, source, start_s) as writer``: frames from ``start_s`` on, which becomes 0, with
    the sound of ``source`` if there is any.

    The file is complete after the block, also after an error or an interruption. Raises ``OSError`` if it cannot be
    written.
    """

    def __init__(self, path: Path, info: VideoInfo, source: Source | None = None, start_s: float = 0.0) -> None:
        self._path, self._source, self._info, self._start_s = path, source, info, start_s
        self._stack = ExitStack()
        self._video: Any = None
        self._sound: _Sound | None = None
        self._end_s = 0.0

    def __enter__(self) -> VideoWriter:
        # FFmpeg reads the file again by its name to move the index to the front.
        options = {"movflags": "+faststart"}
        self._container = self._stack.enter_context(av.open(str(self._path), "w", format="mp4", options=options))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if self._video is not None:
                self._container.mux(self._video.encode())
                if self._sound is not None:
                    self._sound.write_until(self._end_s)

    def write(self, time_s: float, pixels: NDArray[np.uint8]) -> None:
        """Add a (H, W, 3) uint8 BGR frame; times increase, and all frames have the first one's size."""
        if self._video is None:
            self._start(pixels)
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        # H.264 halves the resolution of colours, so sides are even.
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="bgr24")
        frame.pts, frame.time_base = round((time_s - self._start_s) / _TIME_BASE), _TIME_BASE
        self._container.mux(self._video.encode(frame))
        self._end_s = time_s + 1 / (self._info.frame_rate or 25)
        if self._sound is not None:
            self._sound.write_until(time_s)

    def _start(self, pixels: NDArray[np.uint8]) -> None:
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        rate = Fraction(self._info.frame_rate or 25).limit_denominator(1001)
        self._video = self._container.add_stream("libx264", rate=rate, width=width, height=height, options=_SETTINGS)
        self._video.pix_fmt = "yuv420p"
        # Other threads of a server have work too.
        self._video.codec_context.thread_count = 1
        self._video.codec_context.time_base = _TIME_BASE
        self._video.codec_context.gop_size = _KEY_FRAME_EVERY
        if self._source is None:
            return
        original = self._stack.enter_context(open_container(self._source, self._info.name))
        if original.streams.audio and original.streams.audio[0].codec_context is not None:
            self._sound = _Sound(original, self._container, self._start_s)


class _Sound:
    """Copies the first sound track, as far as it can be read."""

    def __init__(self, original: Any, container: Any, start_s: float) -> None:
        self._original, self._container, self._start_s = original, container, start_s
        self._origin_s = start_time_s(original)
        if start_s > 0:
            seek(original, self._origin_s + start_s)
        track = original.streams.audio[0]
        if track.codec_context.codec.canonical_name in _PLAYABLE_SOUND:
            self._stream = container.add_stream_from_template(track)
            self._parts = self._copied(track)
        else:
            self._stream = container.add_stream("aac", rate=track.codec_context.sample_rate)
            self._parts = self._encoded(track)
        self._waiting: tuple[float, Any] | None = None

    def write_until(self, time_s: float) -> None:
        """Add the packets up to ``time_s`` of the file: players need sound and pictures close together."""
        while True:
            self._waiting = self._waiting or next(self._parts, None)
            if self._waiting is None or self._waiting[0] > time_s:
                return
            self._container.mux(self._waiting[1])
            self._waiting = None

    def _copied(self, track: Any) -> Iterator[tuple[float, Any]]:
        last = None
        for packet in read_packets(self._original, track):
            if packet.dts is None or packet.pts is None or (last is not None and packet.dts <= last):
                continue
            last = packet.dts
            time_s = self._place(packet)
            if time_s >= self._start_s:
                packet.stream = self._stream
                yield time_s, packet

    def _encoded(self, track: Any) -> Iterator[tuple[float, Any]]:
        time_s = self._start_s
        for frame in decode_frames(self._original, track):
            if frame.pts is None:
                continue
            time_s = self._place(frame)
            if time_s >= self._start_s:
                yield time_s, self._stream.encode(frame)
        yield time_s, self._stream.encode()

    def _place(self, part: Any) -> float:
        """Move a packet or frame to the new beginning, and return its time in the file."""
        time_s = float(part.pts * part.time_base) - self._origin_s
        shift = round((self._origin_s + self._start_s) / part.time_base)
        part.pts, part.dts = part.pts - shift, None if part.dts is None else part.dts - shift
        return time_s

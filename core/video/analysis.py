"""Analyse a video file like live video: sampled, tracked, smoothed. Results go to sinks at once, frames are dropped."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.drawing.annotator import annotate
from core.errors import UnreadableVideoError
from core.geometry import Floats
from core.settings import Attributes, OverlayStyle, TrackingSettings, VideoLimits, VideoSampling
from core.types import Analysis, Box, Face
from core.video.reader import Source, VideoFrame, VideoInfo, read_frames
from core.video.session import FrameAnalyzer
from core.video.smoothing import move_detection
from core.video.tracker import FaceTracker
from core.video.writer import VideoWriter

_TOLERANCE = 0.1
"""Share of a duration by which files may be wrong about it without a word."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One analysed frame. ``analysis`` is in pixels of ``pixels``, (H, W, 3) uint8 BGR, and its faces have track ids.

    ``elapsed_s``: time since the sample before, for the first one the planned distance between samples.
    """

    time_s: float
    elapsed_s: float
    analysis: Analysis
    pixels: NDArray[np.uint8]


class SampleSink(Protocol):
    """Where samples go, in the order of their times. It must not keep their pixels."""

    def add(self, sample: Sample) -> None: ...


@dataclass(frozen=True, slots=True)
class AnnotatedCopy:
    """An annotated video to be written to ``path``."""

    path: Path
    style: OverlayStyle = OverlayStyle()


def analyze_video(
    source: Source,
    info: VideoInfo,
    analyzer: FrameAnalyzer,
    sinks: Sequence[SampleSink],
    attributes: Attributes = Attributes(),
    sampling: VideoSampling = VideoSampling(),
    annotated: AnnotatedCopy | None = None,
    limits: VideoLimits = VideoLimits(),
) -> Generator[float, None, None]:
    """Analyse the samples one after the other, and yield the time of each after it went to every sink.

    The caller may stop at any moment, by closing the generator: what was done is complete. Raises ``VideoError``, and
    ``OSError`` if the annotated copy cannot be written.
    """
    tracker, before_s = FaceTracker(TrackingSettings()), None
    shown_fps = None if annotated is None else limits.annotated_fps
    with ExitStack() as stack:
        copy = None
        if annotated is not None:
            writer = stack.enter_context(VideoWriter(annotated.path, info, source, sampling.start_s))
            copy = stack.enter_context(closing(_Copy(writer, annotated.style)))
        frames = stack.enter_context(closing(read_frames(source, info, sampling, shown_fps, limits)))
        for frame in frames:
            if frame.is_sample:
                analysis = tracker.update(analyzer.analyze(frame.pixels, attributes), frame.time_s)
                elapsed_s = 1 / sampling.fps if before_s is None else frame.time_s - before_s
                before_s = frame.time_s
                for sink in sinks:
                    sink.add(Sample(frame.time_s, elapsed_s, analysis, frame.pixels))
                if copy is not None:
                    copy.draw_until(frame.time_s, analysis, tracker.predict_lost(frame.time_s))
            if copy is not None:
                copy.add(frame)
            if frame.is_sample:
                yield frame.time_s
    if before_s is None:
        length = "" if info.duration_s is None else f"; it has {info.duration_s:.1f} s"
        raise UnreadableVideoError(f"{info.name} has no frame from {sampling.start_s:g} s on{length}.")


def planned_s(info: VideoInfo, sampling: VideoSampling) -> float | None:
    """Return how many seconds are to be analysed, if the file tells its duration."""
    if info.duration_s is None:
        return None
    end_s = info.duration_s if sampling.end_s is None else min(sampling.end_s, info.duration_s)
    return max(end_s - sampling.start_s, 0.0)


def describe_early_end(info: VideoInfo, sampling: VideoSampling, done_s: float) -> str:
    """Explain a last sample at ``done_s`` that came much earlier than the file claims, or return ""."""
    planned = planned_s(info, sampling)
    missing_s = 0.0 if planned is None else sampling.start_s + planned - done_s
    if planned is None or missing_s < max(2 / sampling.fps, _TOLERANCE * planned):
        return ""
    return (
        f"{info.name} ends at {done_s:.1f} s, {missing_s:.1f} s earlier than it claims: it was cut off or damaged. "
        "The results hold what could be read."
    )


def interpolate(before: Analysis, after: Analysis, share: float) -> Analysis:
    """Return ``before`` with the faces that are also in ``after`` moved by ``share``, in [0, 1], of their way."""
    boxes = {face.track_id: face.box for face in after.faces}
    faces = tuple(_move(face, boxes.get(face.track_id), share) for face in before.faces)
    return replace(before, faces=faces)


def _move(face: Face, target: Box | None, share: float) -> Face:
    if target is None:
        return face
    moved = (start + (end - start) * share for start, end in zip(face.box.xyxy, target.xyxy, strict=True))
    return replace(face, detection=move_detection(face.detection, Box(*moved)))


class _Copy:
    """Draws the frames since a sample when the next one is known, so that boxes move along with the faces.

    It keeps ``limits.annotated_fps / sampling.fps`` frames at most, which is 30.
    """

    def __init__(self, writer: VideoWriter, style: OverlayStyle) -> None:
        self._writer, self._style = writer, style
        self._frames: list[VideoFrame] = []
        self._before: tuple[float, Analysis, Floats] | None = None

    def add(self, frame: VideoFrame) -> None:
        self._frames.append(frame)

    def draw_until(self, after_s: float, after: Analysis, lost: Floats) -> None:
        """Draw the frames before the sample at ``after_s``; ``lost``: (N, 4) boxes of faces it probably missed."""
        if self._before is not None:
            self._draw(after_s, after, lost)
        self._before = (after_s, after, lost)

    def close(self) -> None:
        """Draw the frames after the last sample."""
        if self._before is not None:
            self._draw(self._before[0] + 1.0, *self._before[1:])

    def _draw(self, after_s: float, after: Analysis, lost: Floats) -> None:
        assert self._before is not None
        before_s, before, lost_before = self._before
        # A face may be anywhere between its two places, and a new one comes from somewhere near.
        hidden = np.concatenate([before.xyxy, after.xyxy, lost_before, lost])
        frames, self._frames = self._frames, []
        for frame in frames:
            analysis = interpolate(before, after, (frame.time_s - before_s) / (after_s - before_s))
            drawn = annotate(frame.pixels, analysis, self._style, extra_blur_boxes=hidden)
            self._writer.write(frame.time_s, drawn)

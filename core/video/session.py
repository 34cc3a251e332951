"""Live session: the state shared by the video thread and the page's thread, behind one lock.

The video thread calls ``process`` for every frame; the page changes settings and reads snapshots. Nothing here depends
on pages or video transport, and no error here may stop the video.
"""

from __future__ import annotations

import logging
import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from core.drawing import annotator
from core.drawing.text_labels import Frame
from core.settings import Attributes, LiveSettings, OverlayStyle, TrackingSettings
from core.types import Analysis, Face
from core.video.audience import Audience, PeopleLog
from core.video.history import HistoryRow
from core.video.tracker import FaceTracker

_log = logging.getLogger(__name__)
_MAX_LOGGED = 100
NEXT_FRAME_S = 3.0
"""Slow machines analyse one frame a second."""


class FrameAnalyzer(Protocol):
    """Detection and models as seen by a session; thread-safe. ``frame`` is (H, W, 3) uint8 BGR."""

    def analyze(self, frame: Frame, attributes: Attributes = ...) -> Analysis: ...


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """State of a session at one moment.

    ``running``: whether a frame was analysed in the last ``rate_window_s``; ``processed_fps`` and the median
    ``latency_ms`` from frame to annotated frame cover that window, ``faces`` its latest frame. Counters start at the
    last reset; ``elapsed_s`` is the time from the first frame since then to the latest.
    """

    faces: tuple[Face, ...] = ()
    history: tuple[HistoryRow, ...] = ()
    running: bool = False
    processed_fps: float = 0.0
    latency_ms: float = 0.0
    frames: int = 0
    frames_with_faces: int = 0
    elapsed_s: float = 0.0
    errors: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class FramePair:
    """One frame as the camera sent it and as it was drawn, both (H, W, 3) uint8 BGR."""

    frame: Frame
    annotated: Frame


class LiveSession:
    """One viewer's stream; thread-safe. ``clock`` counts seconds monotonically, and is used where ``now_s`` is not
    given."""

    def __init__(
        self,
        analyzer: FrameAnalyzer,
        settings: LiveSettings = LiveSettings(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        # Held for a whole frame: after a restart of the stream, two video threads overlap for a moment, and the tracker
        # must see one frame at a time. The page never takes this lock, so it never waits for a model.
        self._frame_lock = threading.Lock()
        self._analyzer = analyzer
        self._attributes = Attributes()
        self._style = OverlayStyle()
        self._tracking = TrackingSettings()
        self._tracker = FaceTracker(self._tracking)
        self._reset_wanted = False
        self._counts_audience = False
        self._logged: set[str] = set()
        self._waiting: list[Future[FramePair]] = []
        self._clear()

    def _clear(self) -> None:
        self._started_s: float | None = None
        self._elapsed_s = 0.0
        self._sampled_s = float("-inf")
        self._faces: tuple[Face, ...] = ()
        self._history: deque[HistoryRow] = deque(maxlen=self._settings.history_rows)
        self._people = PeopleLog()
        self._finished: deque[tuple[float, float]] = deque()
        self._frames = self._frames_with_faces = self._errors = 0
        self._last_error = ""

    def configure(
        self,
        *,
        analyzer: FrameAnalyzer | None = None,
        attributes: Attributes | None = None,
        style: OverlayStyle | None = None,
        tracking: TrackingSettings | None = None,
        count_audience: bool | None = None,
    ) -> None:
        """Change settings from the next frame on; ``None`` keeps a setting. The audience is not counted unless that is
        turned on, and forgotten when it is turned off."""
        with self._lock:
            if count_audience is not None and count_audience is not self._counts_audience:
                self._counts_audience, self._people = count_audience, PeopleLog()
            self._analyzer = analyzer or self._analyzer
            self._attributes = attributes or self._attributes
            self._style = style or self._style
            self._tracking = tracking or self._tracking

    def reset(self) -> None:
        """Clear history, counters and faces, but not the settings; face ids go on counting."""
        with self._lock:
            self._clear()
            self._reset_wanted = True

    def process(self, frame: Frame, now_s: float | None = None) -> Frame:
        """Analyse and annotate a (H, W, 3) uint8 BGR frame taken at ``now_s``; never raises.

        Frames that cause an error are counted and returned unchanged, or pixelated if faces are to be hidden.
        """
        received_s = self._clock()
        with self._frame_lock:
            with self._lock:
                analyzer, attributes, style = self._analyzer, self._attributes, self._style
            try:
                return self._analyze_and_annotate(frame, analyzer, attributes, style, received_s, now_s)
            # An exception that leaves the thread would freeze the video without a message.
            except Exception as error:
                self.note_error(error)
                return annotator.pixelate(frame) if style.blur_faces else frame

    def _analyze_and_annotate(
        self,
        frame: Frame,
        analyzer: FrameAnalyzer,
        attributes: Attributes,
        style: OverlayStyle,
        received_s: float,
        now_s: float | None,
    ) -> Frame:
        taken_s = received_s if now_s is None else now_s
        analysis = analyzer.analyze(frame, attributes)
        with self._lock:
            self._tracker.settings = self._tracking
            if self._reset_wanted:
                self._tracker.reset()
                self._reset_wanted = False
        tracked = self._tracker.update(analysis, taken_s)
        lost_boxes = self._tracker.predict_lost(taken_s)
        annotated = annotator.annotate(frame, tracked, style, extra_blur_boxes=lost_boxes)
        self._record(tracked, taken_s, self._clock() - received_s)
        self._hand_out(FramePair(frame, annotated))
        return annotated

    def next_frame(self, timeout_s: float = NEXT_FRAME_S) -> FramePair | None:
        """Wait for the next frame that is analysed and return it; ``None`` if none comes in time. Frames that nobody
        waits for are not kept."""
        waiting: Future[FramePair] = Future()
        with self._lock:
            self._waiting.append(waiting)
        try:
            return waiting.result(timeout_s)
        except TimeoutError:
            return None
        finally:
            with self._lock:
                self._waiting = [other for other in self._waiting if other is not waiting]

    def _hand_out(self, pair: FramePair) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.set_result(pair)

    def note_error(self, error: Exception) -> None:
        """Count an error of a frame or of its conversion. Each of up to ``_MAX_LOGGED`` kinds is logged once."""
        text = f"{type(error).__name__}: {error}"
        with self._lock:
            new = text not in self._logged and len(self._logged) < _MAX_LOGGED
            if new:
                self._logged.add(text)
            self._errors += 1
            self._last_error = text
        if new:
            _log.error("A frame could not be converted or analysed", exc_info=error)

    def _record(self, analysis: Analysis, taken_s: float, latency_s: float) -> None:
        with self._lock:
            # A reset during this frame discards it.
            if self._reset_wanted:
                return
            if self._started_s is None:
                self._started_s = taken_s
            self._elapsed_s = taken_s - self._started_s
            self._faces = analysis.faces
            self._frames += 1
            self._frames_with_faces += bool(analysis.faces)
            self._finished.append((taken_s, latency_s))
            self._drop_old_rates(taken_s)
            # Half a millisecond of tolerance for rounding errors of the timestamps.
            since_s = taken_s - self._sampled_s
            if since_s >= self._settings.sample_every_s - 5e-4:
                self._sampled_s = taken_s
                self._sample(analysis, since_s if math.isfinite(since_s) else self._settings.sample_every_s)

    def _sample(self, analysis: Analysis, since_s: float) -> None:
        if self._counts_audience:
            self._people.count(self._elapsed_s, since_s, analysis.faces)
        self._history.extend(HistoryRow(self._elapsed_s, face) for face in analysis.faces)
        while self._history and self._elapsed_s - self._history[0].time_s > self._settings.history_s:
            self._history.popleft()

    def _drop_old_rates(self, now_s: float) -> None:
        while self._finished and now_s - self._finished[0][0] > self._settings.rate_window_s:
            self._finished.popleft()

    def audience(self, bin_s: float) -> Audience:
        """Return the aggregates since the last reset; ``bin_s``: see ``PeopleLog.audience``."""
        with self._lock:
            return self._people.audience(bin_s)

    def snapshot(self, now_s: float | None = None) -> LiveSnapshot:
        """Return the state at ``now_s``."""
        with self._lock:
            self._drop_old_rates(self._clock() if now_s is None else now_s)
            times = [finished_s for finished_s, _ in self._finished]
            span_s = times[-1] - times[0] if times else 0.0
            latencies = [latency_s for _, latency_s in self._finished]
            return LiveSnapshot(
                faces=self._faces if times else (),
                history=tuple(self._history),
                running=bool(times),
                processed_fps=(len(times) - 1) / span_s if span_s > 0 else 0.0,
                latency_ms=1000 * statistics.median(latencies) if latencies else 0.0,
                frames=self._frames,
                frames_with_faces=self._frames_with_faces,
                elapsed_s=self._elapsed_s,
                errors=self._errors,
                last_error=self._last_error,
            )

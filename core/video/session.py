"""Everything that crosses threads in one live session, behind one lock.

The video thread calls ``process`` for every frame; the page's thread changes settings and reads snapshots.
Nothing here knows about pages or video transport, and nothing that fails in here may stop the video.
"""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.drawing import annotator
from core.drawing.text_labels import Frame
from core.settings import Attributes, LiveSettings, OverlayStyle, TrackingSettings
from core.types import Analysis, Face
from core.video.history import HistoryRow
from core.video.tracker import FaceTracker

_log = logging.getLogger(__name__)
_MAX_LOGGED = 100


class FrameAnalyzer(Protocol):
    """The seam to detection and models; ``frame`` is (H, W, 3) uint8 BGR. May be called by several
    threads."""

    def analyze(self, frame: Frame, attributes: Attributes = ...) -> Analysis: ...


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """State of a session at one moment. ``running`` says whether a frame was analysed in the last ``rate_window_s``;
    ``processed_fps`` and ``latency_ms`` (from a frame handed over to its finished picture, median) are over that time,
    and ``faces`` are those of the newest frame in it. The counters start at the last reset; ``elapsed_s`` lie between
    the first frame since and the newest."""

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


class LiveSession:
    """One viewer's stream. Made by the page, called by the video thread, safe for both.

    ``clock`` counts seconds and never goes back; it is used where no ``now_s`` is given.
    """

    def __init__(
        self,
        analyzer: FrameAnalyzer,
        settings: LiveSettings = LiveSettings(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        # Held through a whole frame: after a restart of the stream two video threads overlap for a moment,
        # and the tracker must see one frame at a time. The page never takes it, so it never waits for a
        # model.
        self._frame_lock = threading.Lock()
        self._analyzer = analyzer
        self._attributes = Attributes()
        self._style = OverlayStyle()
        self._tracking = TrackingSettings()
        self._tracker = FaceTracker(self._tracking)
        self._reset_wanted = False
        self._logged: set[str] = set()
        self._clear()

    def _clear(self) -> None:
        self._started_s: float | None = None
        self._elapsed_s = 0.0
        self._sampled_s = float("-inf")
        self._faces: tuple[Face, ...] = ()
        self._history: deque[HistoryRow] = deque(maxlen=self._settings.history_rows)
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
    ) -> None:
        """Settings for the next frame on; what is not given stays."""
        with self._lock:
            self._analyzer = analyzer or self._analyzer
            self._attributes = attributes or self._attributes
            self._style = style or self._style
            self._tracking = tracking or self._tracking

    def reset(self) -> None:
        """Forgets history, counters and faces; settings stay, and numbers of faces go on."""
        with self._lock:
            self._clear()
            self._reset_wanted = True

    def process(self, frame: Frame, now_s: float | None = None) -> Frame:
        """``frame`` (H, W, 3) uint8 BGR, taken at ``now_s`` -> the picture to show; never raises.

        A frame that cannot be analysed is counted and comes back as it is, or unrecognisable where faces are
        to be hidden.
        """
        received_s = self._clock()
        with self._frame_lock:
            with self._lock:
                analyzer, attributes, style = self._analyzer, self._attributes, self._style
            try:
                return self._processed(frame, analyzer, attributes, style, received_s, now_s)
            # The thread's boundary: an exception that leaves it would freeze the picture without a word.
            except Exception as error:
                self.note_error(error)
                return annotator.pixelate(frame) if style.blur_faces else frame

    def _processed(
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
        return annotated

    def note_error(self, error: Exception) -> None:
        """Counts a failure of a frame or around it, for example of its conversion; the log has each kind once, until
        there are too many kinds."""
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
            # A reset that came after the tracker had this frame concerns the frame too.
            if self._reset_wanted:
                return
            if self._started_s is None:
                self._started_s = taken_s
            self._elapsed_s = taken_s - self._started_s
            self._faces = analysis.faces
            self._frames += 1
            self._frames_with_faces += bool(analysis.faces)
            self._finished.append((taken_s, latency_s))
            self._forget_old_rates(taken_s)
            # Half a millisecond of tolerance: sums of floats fall short of a whole interval by a few bits.
            if taken_s - self._sampled_s >= self._settings.sample_every_s - 5e-4:
                self._sampled_s = taken_s
                self._sample(analysis)

    def _sample(self, analysis: Analysis) -> None:
        self._history.extend(HistoryRow(self._elapsed_s, face) for face in analysis.faces)
        while self._history and self._elapsed_s - self._history[0].time_s > self._settings.history_s:
            self._history.popleft()

    def _forget_old_rates(self, now_s: float) -> None:
        while self._finished and now_s - self._finished[0][0] > self._settings.rate_window_s:
            self._finished.popleft()

    def snapshot(self, now_s: float | None = None) -> LiveSnapshot:
        """State at ``now_s``; later changes do not reach it."""
        with self._lock:
            self._forget_old_rates(self._clock() if now_s is None else now_s)
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

"""The analysis of one video in a thread of its own, for a server: one at a time, to be watched and cancelled."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from core import geometry
from core.artifacts.model_card import AlignmentSpec
from core.attributes.alignment import align_faces
from core.errors import FacetError
from core.settings import Attributes, OverlayStyle, VideoSampling
from core.types import Face
from core.video.analysis import AnnotatedCopy, Sample, analyze_video, describe_early_end, planned_s
from core.video.reader import Source, VideoInfo
from core.video.records import ResultFiles
from core.video.session import FrameAnalyzer

CROP_PX = 96
MAX_CROPS = 100
_CROP = AlignmentSpec(scale=1.5)
_BETTER = 1.1
"""How much better a crop has to be to replace another one."""

_log = logging.getLogger(__name__)
_turn = threading.Lock()
"""Held by the job that runs: several at once would slow each other and everybody else down."""


class Status(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """What is to be done. ``networks``: attribute -> name."""

    source: Source = field(repr=False)
    info: VideoInfo
    attributes: Attributes = Attributes()
    sampling: VideoSampling = VideoSampling()
    style: OverlayStyle = OverlayStyle()
    networks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobState:
    """``done_s``: time of the latest sample; ``share`` of the work that is done, in [0, 1], if the duration is known,
    and seconds that are ``left``; ``message``: why it failed, or what is wrong with the file."""

    status: Status
    done_s: float
    share: float | None = None
    left_s: float | None = None
    message: str = ""

    @property
    def is_over(self) -> bool:
        return self.status not in (Status.WAITING, Status.RUNNING)


class BestCrops:
    """Keeps the best crop of each person, (``CROP_PX``, ``CROP_PX``, 3) uint8 BGR, of the first ``MAX_CROPS``."""

    def __init__(self) -> None:
        self.by_track: dict[int, NDArray[np.uint8]] = {}
        self._scores: dict[int, float] = {}

    def add(self, sample: Sample) -> None:
        for face in sample.analysis.faces:
            number, score = face.track_id or 0, face.detection.score * _visible_px(face, sample.analysis.resolution_wh)
            is_new = number not in self._scores
            if (len(self._scores) < MAX_CROPS) if is_new else (score > self._scores[number] * _BETTER):
                self._scores[number] = score
                self.by_track[number] = align_faces(sample.pixels, [face.detection], _CROP, CROP_PX, 3).crops[0]


def _visible_px(face: Face, resolution_wh: tuple[int, int]) -> float:
    """Return the face's size in pixels, smaller by the square of what the frame cuts off of its crop."""
    crop = geometry.expand([face.box.xyxy], (_CROP.scale - 1) / 2)
    share = geometry.areas(geometry.clip(crop, resolution_wh))[0] / geometry.areas(crop)[0]
    return float(math.sqrt(face.box.width * face.box.height) * share**2)


class VideoJob:
    """Waits for its turn, analyses, and keeps its results in a temporary folder until ``close``. Thread-safe."""

    def __init__(
        self, request: VideoRequest, analyzer: FrameAnalyzer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.request = request
        self.crops = BestCrops()
        # Removed by ``close``, and at the latest when the process ends.
        self._folder = TemporaryDirectory(prefix="facet-video-", ignore_cleanup_errors=True)
        self.samples_csv, self.json, self.annotated = (
            Path(self._folder.name, name) for name in ("samples.csv", "video.json", "annotated.mp4")
        )
        self.results = ResultFiles(request.info, request.networks)
        self._analyzer, self._clock = analyzer, clock
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._is_closed, self._is_running = False, False
        self._status, self._message = Status.WAITING, ""
        self._started_s, self._done_s = clock(), request.sampling.start_s
        self._leaving: threading.Timer | None = None
        # A daemon: the server's end must not wait for a long video.
        self._thread = threading.Thread(target=self._run, name="video job", daemon=True)

    def start(self) -> None:
        self._is_running = True
        self._thread.start()

    def cancel(self) -> None:
        """Stop after the current frame; what was done is kept."""
        self._cancelled.set()

    def close(self) -> None:
        """Stop, and remove all files."""
        self._cancelled.set()
        with self._lock:
            self._is_closed = True
            self._remove_files()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def close_later(self, grace_s: float) -> None:
        """Close in ``grace_s`` seconds, unless ``stay`` is called: a connection may come back."""
        self._leaving = threading.Timer(grace_s, self.close)
        self._leaving.daemon = True
        self._leaving.start()

    def stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()

    def state(self) -> JobState:
        planned = planned_s(self.request.info, self.request.sampling)
        done_s, start_s = self._done_s, self.request.sampling.start_s
        share = min((done_s - start_s) / planned, 1.0) if planned else None
        left_s = (self._clock() - self._started_s) * (1 - share) / share if share else None
        return JobState(self._status, done_s, share, left_s, self._message)

    def _run(self) -> None:
        try:
            while not _turn.acquire(timeout=0.1):
                if self._cancelled.is_set():
                    self._status = Status.CANCELLED
                    return
            try:
                self._status, self._started_s = Status.RUNNING, self._clock()
                self._analyze()
            finally:
                _turn.release()
            self._status = Status.CANCELLED if self._cancelled.is_set() else Status.DONE
        except (FacetError, OSError) as error:
            self._fail(str(error))
        # A thread that ends without a word would leave its viewer waiting.
        except Exception as error:
            _log.exception("A video could not be analysed")
            self._fail(f"{self.request.info.name} could not be analyzed: {type(error).__name__}.")
        finally:
            with self._lock:
                self._is_running = False
                self._remove_files()

    def _remove_files(self) -> None:
        """Whichever comes last, the end or ``close``, does it."""
        if self._is_closed and not self._is_running:
            self._folder.cleanup()

    def _fail(self, message: str) -> None:
        self._message, self._status = message, Status.FAILED

    def _analyze(self) -> None:
        request = self.request
        with ExitStack() as stack:
            samples, json = (
                stack.enter_context(path.open("x", encoding="utf-8", newline=""))
                for path in (self.samples_csv, self.json)
            )
            self.results = stack.enter_context(ResultFiles(request.info, request.networks, samples=samples, json=json))
            times = stack.enter_context(
                closing(
                    analyze_video(
                        request.source,
                        request.info,
                        self._analyzer,
                        [*self.results.sinks, self.crops],
                        request.attributes,
                        request.sampling,
                        AnnotatedCopy(self.annotated, request.style),
                    )
                )
            )
            for time_s in times:
                self._done_s = time_s
                if self._cancelled.is_set():
                    return
        self._message = describe_early_end(request.info, request.sampling, self._done_s)

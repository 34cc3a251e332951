"""Video jobs: one at a time, cancelled at any moment, and without leftovers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DetectorError
from core.settings import Attributes
from core.types import Analysis
from core.video.job import CROP_PX, JobState, Status, VideoJob, VideoRequest
from core.video.reader import probe_video
from tests.fakes.core import FakeAnalyzer
from tests.fakes.videos import portrait, video

LONG_S = 60.0
DATA = video(frames=[portrait()] * 30)


class PausedAnalyzer(FakeAnalyzer):
    """Waits before its third frame until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.paused, self.go_on = threading.Event(), threading.Event()

    def analyze(self, frame: NDArray[np.uint8], attributes: Attributes = Attributes()) -> Analysis:
        if len(self.calls) == 2:
            self.paused.set()
            assert self.go_on.wait(LONG_S)
        return super().analyze(frame, attributes)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[VideoJob]]:
    """All jobs of a test; its temporary files are in ``tmp_path``."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    started: list[VideoJob] = []
    yield started
    for job in started:
        job.close()
        job.join(LONG_S)


def start(jobs: list[VideoJob], analyzer: FakeAnalyzer, clock: Clock | None = None) -> VideoJob:
    job = VideoJob(VideoRequest(DATA, probe_video(DATA, "clip")), analyzer, clock or Clock())
    jobs.append(job)
    job.start()
    return job


def finished(job: VideoJob) -> JobState:
    job.join(LONG_S)
    return job.state()


def test_a_job_ends_with_results(jobs: list[VideoJob], tmp_path: Path) -> None:
    job = start(jobs, FakeAnalyzer())
    state = finished(job)
    assert (state.status, state.is_over, state.message) == (Status.DONE, True, "")
    assert state.share == pytest.approx(2.8 / 3)
    assert len(job.samples_csv.read_text().splitlines()) == 16
    assert probe_video(job.annotated, "a").duration_s == pytest.approx(3.0)
    assert [person.track_id for person in job.results.log.people()] == [1]
    assert job.crops.by_track[1].shape == (CROP_PX, CROP_PX, 3)
    assert list(tmp_path.iterdir())
    job.close()
    assert list(tmp_path.iterdir()) == []


def test_progress_and_time_left(jobs: list[VideoJob]) -> None:
    analyzer, clock = PausedAnalyzer(), Clock()
    job = start(jobs, analyzer, clock)
    assert analyzer.paused.wait(LONG_S)
    clock.now_s += 4.0
    state = job.state()
    assert (state.status, state.is_over, state.done_s) == (Status.RUNNING, False, pytest.approx(0.2))
    assert state.left_s == pytest.approx(4.0 * (3.0 - 0.2) / 0.2)
    analyzer.go_on.set()


def test_cancelling_keeps_what_was_done(jobs: list[VideoJob]) -> None:
    analyzer = PausedAnalyzer()
    job = start(jobs, analyzer)
    assert analyzer.paused.wait(LONG_S)
    job.cancel()
    analyzer.go_on.set()
    assert finished(job).status is Status.CANCELLED
    assert len(job.samples_csv.read_text().splitlines()) == 4
    assert probe_video(job.annotated, "a").duration_s is not None


def test_the_next_job_waits_for_its_turn(jobs: list[VideoJob]) -> None:
    analyzer = PausedAnalyzer()
    first = start(jobs, analyzer)
    assert analyzer.paused.wait(LONG_S)
    second, third = start(jobs, FakeAnalyzer()), start(jobs, FakeAnalyzer())
    third.cancel()
    assert finished(third).status is Status.CANCELLED
    assert second.state().status is Status.WAITING
    analyzer.go_on.set()
    assert [finished(job).status for job in (first, second)] == [Status.DONE, Status.DONE]


def test_a_closed_job_leaves_nothing(jobs: list[VideoJob], tmp_path: Path) -> None:
    analyzer = PausedAnalyzer()
    job = start(jobs, analyzer)
    assert analyzer.paused.wait(LONG_S)
    job.close_later(0.0)
    analyzer.go_on.set()
    job.join(LONG_S)
    while job._leaving is not None and job._leaving.is_alive():
        job._leaving.join(LONG_S)
    assert list(tmp_path.iterdir()) == []


def test_whoever_comes_back_in_time_keeps_the_job(jobs: list[VideoJob]) -> None:
    job = start(jobs, FakeAnalyzer())
    job.close_later(LONG_S)
    job.stay()
    assert finished(job).status is Status.DONE
    assert job.annotated.is_file()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DetectorError("the detector is broken"), "the detector is broken"),
        (ValueError("x"), "clip could not be analyzed: ValueError."),
    ],
    ids=["expected", "unexpected"],
)
def test_failures_are_told(error: Exception, message: str, jobs: list[VideoJob]) -> None:
    state = finished(start(jobs, FakeAnalyzer(error=error)))  # type: ignore[arg-type]
    assert (state.status, state.message) == (Status.FAILED, message)
    assert finished(start(jobs, FakeAnalyzer())).status is Status.DONE, "the turn was given back"

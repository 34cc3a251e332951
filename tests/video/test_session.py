"""The object between the video thread and the page: counters, bounds, errors and threads, with a fake analyzer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from core.drawing import annotator
from core.errors import DetectorError
from core.settings import Attributes, LiveSettings, OverlayStyle, TrackingSettings
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face, GenderEstimate
from core.video.session import LiveSession, LiveSnapshot

HAPPY = EmotionEstimate((0, 0, 0, 1, 0, 0, 0))
SAD = EmotionEstimate((0, 0, 0, 0, 1, 0, 0))
SOMEBODY = Face(Detection(Box(20, 10, 60, 50), 0.9), HAPPY, AgeEstimate(31, 25, 38), GenderEstimate((0.25, 0.75)))
FRAME = np.random.default_rng(1).integers(0, 256, (72, 96, 3), dtype=np.uint8)


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class FakeAnalyzer:
    """Finds ``faces`` in every frame and takes ``takes_s`` of ``clock`` for it, or raises ``error``."""

    faces: tuple[Face, ...] = (SOMEBODY,)
    clock: Clock | None = None
    takes_s: float = 0.0
    error: Exception | None = None
    asked: list[Attributes] = field(default_factory=list)

    def analyze(self, frame: np.ndarray, attributes: Attributes = Attributes()) -> Analysis:
        self.asked.append(attributes)
        if self.error is not None:
            raise self.error
        if self.clock is not None:
            self.clock.now_s += self.takes_s
        return Analysis(frame.shape[1], frame.shape[0], self.faces)


def play(session: LiveSession, count: int, fps: float = 10, start_s: float = 0.0) -> None:
    for i in range(count):
        session.process(FRAME, start_s + i / fps)


def test_process_annotates_and_counts_a_frame() -> None:
    session = LiveSession(FakeAnalyzer())
    before = FRAME.copy()
    result = session.process(FRAME, 0.0)
    assert result.shape == FRAME.shape
    assert not np.array_equal(result, FRAME)
    assert np.array_equal(FRAME, before)
    state = session.snapshot(0.0)
    assert (state.frames, state.frames_with_faces, state.errors) == (1, 1, 0)
    assert [face.track_id for face in state.faces] == [1]


def test_frames_without_faces_are_counted_separately() -> None:
    session = LiveSession(FakeAnalyzer(faces=()))
    assert session.snapshot() == LiveSnapshot()
    play(session, 5)
    state = session.snapshot(0.5)
    assert (state.frames, state.frames_with_faces, state.faces, state.history) == (5, 0, (), ())


def test_frame_rate_and_latency_cover_the_last_seconds() -> None:
    clock = Clock()
    session = LiveSession(FakeAnalyzer(clock=clock, takes_s=0.02), clock=clock)
    for _ in range(50):
        session.process(FRAME)
        clock.now_s += 0.08
    state = session.snapshot()
    assert state.processed_fps == pytest.approx(10)
    assert state.latency_ms == pytest.approx(20)
    assert state.running
    assert len(state.faces) == 1
    clock.now_s += 10
    state = session.snapshot()
    assert (state.processed_fps, state.latency_ms, state.running, state.faces) == (0.0, 0.0, False, ())
    assert state.elapsed_s == pytest.approx(4.9)


@pytest.mark.parametrize("error", [DetectorError("no cascade"), ZeroDivisionError("oops")], ids=["on purpose", "a bug"])
def test_error_is_counted_and_the_frame_returned_unchanged(error: Exception) -> None:
    session = LiveSession(FakeAnalyzer(error=error))
    assert session.process(FRAME, 0.0) is FRAME
    state = session.snapshot(0.0)
    assert (state.errors, state.frames) == (1, 0)
    assert state.last_error == f"{type(error).__name__}: {error}"


def test_each_kind_of_error_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    session = LiveSession(FakeAnalyzer(error=DetectorError("no cascade")))
    for _ in range(5):
        session.process(FRAME, 0.0)
    session.note_error(ValueError("other"))
    session.process(FRAME, 0.0)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["no cascade", "other"]
    assert session.snapshot(0.0).errors == 7
    for number in range(300):
        session.note_error(ValueError(f"frame {number}"))
    assert len(caplog.records) <= 100
    assert session.snapshot(0.0).last_error == "ValueError: frame 299"


def test_error_does_not_uncover_blurred_faces() -> None:
    session = LiveSession(FakeAnalyzer(error=DetectorError("no cascade")))
    session.configure(style=OverlayStyle(blur_faces=True))
    assert not (session.process(FRAME, 0.0) == FRAME).all(axis=2).mean() > 0.1


@pytest.mark.parametrize("reset", [False, True], ids=["lost", "lost and reset"])
def test_lost_face_stays_blurred_for_a_moment(reset: bool) -> None:
    session = LiveSession(FakeAnalyzer())
    session.configure(style=OverlayStyle(blur_faces=True))
    session.process(FRAME, 0.0)
    session.configure(analyzer=FakeAnalyzer(faces=()))
    if reset:
        session.reset()
    assert not np.array_equal(session.process(FRAME, 0.1)[20:40, 30:50], FRAME[20:40, 30:50])
    assert np.array_equal(session.process(FRAME, 5.0), FRAME)


def test_settings_apply_from_the_next_frame() -> None:
    analyzer, other = FakeAnalyzer(), FakeAnalyzer(faces=())
    session = LiveSession(analyzer)
    session.process(FRAME, 0.0)
    session.configure(attributes=Attributes(age=False), style=OverlayStyle(mirror=True))
    session.process(FRAME, 0.1)
    assert [asked.age for asked in analyzer.asked] == [True, False]
    session.configure(analyzer=other)
    assert np.array_equal(session.process(FRAME, 0.2), FRAME[:, ::-1])
    assert other.asked == [Attributes(age=False)]


def test_smoothing_can_be_changed_while_running() -> None:
    session = LiveSession(FakeAnalyzer())
    session.configure(tracking=TrackingSettings(smoothing_s=100))
    session.process(FRAME, 0.0)
    sad = FakeAnalyzer(faces=(replace(SOMEBODY, emotion=SAD),))
    session.configure(analyzer=sad)
    session.process(FRAME, 0.1)
    slow = session.snapshot(0.1).faces[0].emotion
    session.configure(tracking=TrackingSettings(smoothing_s=0))
    session.process(FRAME, 0.2)
    fast = session.snapshot(0.2).faces[0].emotion
    assert slow is not None
    assert slow.label == "happy"
    assert fast == SAD


def test_history_is_sampled() -> None:
    session = LiveSession(FakeAnalyzer(), LiveSettings(sample_every_s=0.5))
    play(session, 31, fps=10)
    assert [row.time_s for row in session.snapshot(3.0).history] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(LiveSettings(history_rows=10, sample_every_s=0.1), 10, id="rows"),
        pytest.param(LiveSettings(history_s=2.0, sample_every_s=0.1), 21, id="seconds"),
    ],
)
def test_history_is_bounded(settings: LiveSettings, expected: int) -> None:
    session = LiveSession(FakeAnalyzer(), settings)
    play(session, 100, fps=10)
    assert len(session.snapshot(10.0).history) == pytest.approx(expected, abs=1)


def test_reset_clears_results_and_keeps_settings() -> None:
    analyzer = FakeAnalyzer()
    session = LiveSession(analyzer)
    session.configure(attributes=Attributes(gender=False))
    play(session, 20)
    session.note_error(ValueError("x"))
    session.reset()
    state = session.snapshot(2.0)
    assert (state.frames, state.errors, state.last_error, state.history, state.faces) == (0, 0, "", (), ())
    session.process(FRAME, 50.0)
    after = session.snapshot(50.0)
    assert after.history[0].time_s == 0.0
    assert after.faces[0].track_id == 2, "numbers are never used again"
    assert analyzer.asked[-1] == Attributes(gender=False)


def test_page_does_not_wait_for_a_frame_being_analysed() -> None:
    entered, release = threading.Event(), threading.Event()

    class Slow(FakeAnalyzer):
        def analyze(self, frame: np.ndarray, attributes: Attributes = Attributes()) -> Analysis:
            entered.set()
            assert release.wait(5)
            return super().analyze(frame, attributes)

    session = LiveSession(Slow())
    video = threading.Thread(target=session.process, args=(FRAME, 0.0))
    video.start()
    assert entered.wait(5)
    session.configure(style=OverlayStyle(mirror=True))
    assert session.snapshot(0.0).frames == 0
    session.reset()
    release.set()
    video.join(5)
    # Taken before the reset, but recorded after it: the first frame of the new session.
    state = session.snapshot(0.0)
    assert (state.frames, state.errors) == (1, 0)


def test_reset_during_annotation_discards_that_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    session = LiveSession(FakeAnalyzer())
    annotate = annotator.annotate

    def reset_and_annotate(*arguments: Any, **named: Any) -> np.ndarray:
        session.reset()
        return annotate(*arguments, **named)

    monkeypatch.setattr(annotator, "annotate", reset_and_annotate)
    session.process(FRAME, 0.0)
    monkeypatch.undo()
    assert session.snapshot(0.0).frames == 0
    session.process(FRAME, 0.1)
    assert session.snapshot(0.1).frames == 1


def test_no_frame_is_lost_with_many_threads() -> None:
    session = LiveSession(FakeAnalyzer())

    def work(number: int) -> None:
        session.process(FRAME, number % 25 / 10)
        session.snapshot()
        session.configure(style=OverlayStyle(labels=bool(number % 2)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(100)))
    state = session.snapshot(2.4)
    assert (state.frames, state.errors) == (100, 0)


def test_next_frame_comes_plain_and_drawn_to_whoever_waits() -> None:
    session = LiveSession(FakeAnalyzer())
    session.configure(style=OverlayStyle(mirror=True))
    session.process(FRAME)
    assert session.next_frame(0.0) is None, "frames that nobody waits for are not kept"
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(session.next_frame, 30) for _ in range(2)]
        while not all(future.done() for future in waiting):
            drawn = session.process(FRAME)
    for pair in (future.result() for future in waiting):
        assert pair is not None
        assert np.array_equal(pair.frame, FRAME)
        assert pair.annotated.shape == drawn.shape
        assert not np.array_equal(pair.annotated, FRAME)


def test_frame_that_cannot_be_analysed_is_no_next_frame() -> None:
    session = LiveSession(FakeAnalyzer(error=ValueError("broken")))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(session.next_frame, 0.2)
        while not waiting.done():
            session.process(FRAME)
    assert waiting.result() is None


def test_the_audience_is_counted_only_if_wanted() -> None:
    session = LiveSession(FakeAnalyzer())
    play(session, 20)
    assert session.audience(10.0).total.people == 0
    session.configure(count_audience=True)
    play(session, 30, start_s=2.0)
    total = session.audience(10.0).total
    assert (total.people, total.shares["happy"]) == (1, 1.0)
    assert total.seconds == pytest.approx(3.0, abs=0.35)
    session.configure(count_audience=True, style=OverlayStyle(labels=False))
    assert session.audience(10.0).total.people == 1, "other settings change nothing"
    session.reset()
    assert session.audience(10.0).total.people == 0
    play(session, 30, start_s=5.0)
    session.configure(count_audience=False)
    assert session.audience(10.0).total.people == 0, "forgotten"


def test_short_first_sample_of_an_audience() -> None:
    session = LiveSession(FakeAnalyzer())
    session.configure(count_audience=True)
    play(session, 4)
    assert session.audience(10.0).total.people == 0

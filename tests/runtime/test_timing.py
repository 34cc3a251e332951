"""The stopwatch: what is counted, and in which order."""

from __future__ import annotations

from itertools import count

import cv2
import pytest

from core.runtime.timing import median_ms, single_thread, time_calls


def test_calls_take_turns_and_the_warm_up_does_not_count() -> None:
    called: list[str] = []
    told: list[float] = []
    ticks = count()
    calls = {name: lambda name=name: called.append(name) for name in ("a", "b")}
    times = time_calls(calls, 2, warm_up=1, progress=told.append, clock=lambda: next(ticks) / 1000)
    assert called == ["a", "b"] * 3
    assert {name: pytest.approx(values) for name, values in times.items()} == {"a": [1, 1], "b": [1, 1]}
    assert told == pytest.approx([1 / 3, 2 / 3, 1])


def test_a_measurement_that_fails_leaves_opencv_as_it_was() -> None:
    threads = cv2.getNumThreads()
    seen = []

    def fail() -> None:
        with single_thread():
            seen.append(cv2.getNumThreads())
            raise InterruptedError

    for _ in range(2):
        with pytest.raises(InterruptedError):
            fail()
    assert seen == [1, 1]
    assert cv2.getNumThreads() == threads


def test_median_is_over_inputs_and_repeats() -> None:
    called: list[int] = []
    assert median_ms(called.append, [1, 2, 3], repeats=2) >= 0
    assert called == [1, 1, 2, 3, 1, 2, 3]

"""The stopwatch of all measurements of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import cv2
import numpy as np

Input = TypeVar("Input")
Calls = Mapping[str, Callable[[], object]]
"""Name -> the work to be timed."""

_LOCK = threading.Lock()


@contextmanager
def single_thread() -> Iterator[None]:
    """Limit OpenCV to one thread and keep other measurements waiting for the length of a ``with`` block.

    Two measurements at once would slow each other, and OpenCV's number of threads is one for the whole process.
    """
    with _LOCK:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield
        finally:
            cv2.setNumThreads(threads)


def time_calls(
    calls: Calls,
    repeats: int,
    warm_up: int = 5,
    progress: Callable[[float], object] = lambda share: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time each of ``calls`` ``repeats`` times, in milliseconds, after ``warm_up`` calls that are not timed.

    The calls take turns, so that a busy machine slows all of them alike and their ratios hold. ``progress`` gets the
    share done, in (0, 1]; ``clock`` gives seconds.
    """
    elapsed_ms: dict[str, list[float]] = {name: [] for name in calls}
    for run in range(-warm_up, repeats):
        for name, call in calls.items():
            start_s = clock()
            call()
            if run >= 0:
                elapsed_ms[name].append((clock() - start_s) * 1000)
        progress((run + warm_up + 1) / (warm_up + repeats))
    return elapsed_ms


def median_ms(
    call: Callable[[Input], object],
    inputs: Sequence[Input],
    repeats: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Measure the median milliseconds of ``call`` over all inputs and repeats, after one call that is not timed."""
    call(inputs[0])
    calls = {str(row): partial(call, item) for row, item in enumerate(inputs)}
    return float(np.median([*time_calls(calls, repeats, warm_up=0, clock=clock).values()]))

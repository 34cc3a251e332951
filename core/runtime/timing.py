"""What all measurements of time share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import cv2
import numpy as np

Input = TypeVar("Input")
TIMING_LOCK = threading.Lock()
"""Held while something is timed: two at once would slow each other, and OpenCV's number of threads, which some of them
set, is one for the whole process."""


@contextmanager
def single_thread() -> Iterator[None]:
    """Limit OpenCV to one thread and keep other measurements waiting."""
    with TIMING_LOCK:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield
        finally:
            cv2.setNumThreads(threads)


def median_ms(call: Callable[[Input], object], inputs: Sequence[Input], repeats: int = 1) -> float:
    """Measure the median milliseconds of ``call`` over all inputs and repeats, after one call that is not timed."""
    call(inputs[0])
    elapsed_ms = []
    for item in [*inputs] * repeats:
        start_s = time.perf_counter()
        call(item)
        elapsed_ms.append((time.perf_counter() - start_s) * 1000)
    return float(np.median(elapsed_ms))

"""Things that are not safe to share between threads, lent to one call at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Lent = TypeVar("Lent")


class Pool(Generic[Lent]):
    """One is made at once and others only when all are lent, at most as many as there are processors: more calls at the
    same time would not be done sooner, so they wait.

    They belong to no thread: making one takes many times as long as using it, and a page has a new thread for each of
    its runs.
    """

    def __init__(self, make: Callable[[], Lent], most: int = max(2, os.cpu_count() or 1)) -> None:
        """Raises what ``make`` raises."""
        self._make = make
        self._lock = threading.Lock()
        self._free = [make()]
        self._turns = threading.Semaphore(most)

    @contextmanager
    def borrow(self) -> Iterator[Lent]:
        """The caller's alone for the length of a ``with`` block; not lent again if that ends in an exception, which may
        have left it half-way."""
        with self._turns:
            with self._lock:
                taken = self._free.pop() if self._free else None
            one = self._make() if taken is None else taken
            yield one
            with self._lock:
                self._free.append(one)

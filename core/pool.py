"""Things that are not safe to share between threads, lent to one call at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Lent = TypeVar("Lent")


class Pool(Generic[Lent]):
    """One is made at once and others only when all are lent, so there are as many as calls ever ran at the same time.

    They belong to no thread: making one takes many times as long as using it, and a page has a new thread for each of
    its runs.
    """

    def __init__(self, make: Callable[[], Lent]) -> None:
        """Raises what ``make`` raises."""
        self._make = make
        self._lock = threading.Lock()
        self._free = [make()]

    @contextmanager
    def lent(self) -> Iterator[Lent]:
        """The caller's alone for the length of a ``with`` block; not lent again if that ends in an exception, which may
        have left it half-way."""
        with self._lock:
            taken = self._free.pop() if self._free else None
        one = self._make() if taken is None else taken
        yield one
        with self._lock:
            self._free.append(one)

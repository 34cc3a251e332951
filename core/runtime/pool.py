"""A pool of objects that are not safe to share between threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Pool(Generic[Item]):
    """Lends each item to one call at a time.

    One item is made at once, others only when all are borrowed, at most ``max_items``: more calls than processors would
    not finish sooner, so they wait. Items are not bound to threads: making one takes many times as long as using it,
    and a page has a new thread for each of its runs.
    """

    def __init__(self, make: Callable[[], Item], max_items: int = max(2, os.cpu_count() or 1)) -> None:
        """Raises what ``make`` raises."""
        self._make = make
        self._lock = threading.Lock()
        self._free = [make()]
        self._turns = threading.Semaphore(max_items)

    @contextmanager
    def borrow(self) -> Iterator[Item]:
        """Lend an item for the length of a ``with`` block.

        An item is not lent again if the block raises: it may be in an undefined state.
        """
        with self._turns:
            with self._lock:
                free = self._free.pop() if self._free else None
            item = self._make() if free is None else free
            yield item
            with self._lock:
                self._free.append(item)

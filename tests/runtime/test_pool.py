"""What is lent is the borrower's alone, and comes back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.runtime.pool import Pool


def counting_pool(max_items: int = 2) -> tuple[Pool[object], list[object]]:
    """A pool, and what it has made so far."""
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    return Pool(make, max_items), made


def borrow(pool: Pool[object], borrowed: list[object], meet: threading.Barrier | None = None) -> None:
    with pool.borrow() as item:
        borrowed.append(item)
        if meet is not None:
            meet.wait()


def test_one_serves_threads_that_come_one_after_the_other() -> None:
    pool, made = counting_pool()
    borrowed: list[object] = []
    for _ in range(3):
        thread = threading.Thread(target=borrow, args=(pool, borrowed))
        thread.start()
        thread.join()
    assert borrowed == made * 3


def test_two_at_once_get_two_and_both_come_back() -> None:
    pool, made = counting_pool()
    meet = threading.Barrier(2, timeout=10)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            borrowed: list[object] = []
            list(threads.map(borrow, [pool] * 2, [borrowed] * 2, [meet] * 2))
            assert len(made) == 2
            assert set(borrowed) == set(made)


def test_what_failed_in_use_is_not_lent_again() -> None:
    pool, made = counting_pool()
    with pytest.raises(ValueError, match="half-way"), pool.borrow():
        raise ValueError("half-way")
    borrowed: list[object] = []
    borrow(pool, borrowed)
    assert borrowed == made[1:]


def test_what_cannot_be_made_is_said_at_once() -> None:
    with pytest.raises(ZeroDivisionError):
        Pool(lambda: 1 / 0)


def test_calls_beyond_the_most_wait_for_one_to_come_back() -> None:
    pool, made = counting_pool(max_items=2)
    borrowed: list[object] = []
    with pool.borrow(), pool.borrow():
        third = threading.Thread(target=borrow, args=(pool, borrowed))
        third.start()
        third.join(0.2)
        assert borrowed == []
    third.join(10)
    assert len(borrowed) == 1
    assert len(made) == 2

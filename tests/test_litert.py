"""How runners are lent, with the installed network for emotions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.artifact import ARTIFACTS_DIR, SERVED_FILE
from core.litert import RunnerPool

CONTENT = (ARTIFACTS_DIR / "emotion" / SERVED_FILE).read_bytes()
CROPS = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


class CountingPool(RunnerPool):
    """Counts the runners that it made."""

    made = 0

    def _made(self) -> Any:
        self.made += 1
        return super()._made()


class MeetingPool(RunnerPool):
    """Its runners do nothing but wait until two of them run."""

    def __init__(self) -> None:
        super().__init__(CONTENT)
        self.met = threading.Barrier(2, timeout=10)
        self.running: list[object] = []
        self._free.clear()

    def _made(self) -> Any:
        if not hasattr(self, "met"):
            return super()._made()

        def runner() -> dict[str, Any]:
            self.running.append(runner)
            self.met.wait()
            return {}

        return runner


def answer(pool: RunnerPool, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    (name,) = pool.inputs
    return pool.run(**{name: crops})["emotion"]


def test_one_runner_serves_threads_that_come_one_after_the_other() -> None:
    pool = CountingPool(CONTENT)
    for _ in range(3):
        thread = threading.Thread(target=answer, args=(pool, CROPS))
        thread.start()
        thread.join()
    assert pool.made == 1


def test_threads_at_once_get_the_same_answers_from_no_more_runners_than_threads() -> None:
    pool = CountingPool(CONTENT)
    alone = [answer(pool, CROPS[row : row + 1]) for row in range(3)]
    rows = [0, 1, 2] * 40
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda row: answer(pool, CROPS[row : row + 1]), rows))
    assert all(np.array_equal(found, alone[row]) for row, found in zip(rows, together, strict=True))
    assert pool.made <= 4


def test_a_lent_runner_is_lent_to_nobody_else() -> None:
    pool = MeetingPool()
    threads = [threading.Thread(target=pool.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = pool.running
    assert first is not second
    assert len(pool._free) == 2, "both came back"


def test_later_calls_do_not_change_an_earlier_answer() -> None:
    pool = RunnerPool(CONTENT)
    first = answer(pool, CROPS[:1])
    before = first.copy()
    second = answer(pool, CROPS[1:2])
    assert not np.array_equal(first, second)
    assert np.array_equal(first, before)


def test_a_runner_that_failed_is_not_lent_again() -> None:
    pool = CountingPool(CONTENT)
    with pytest.raises(ValueError, match="Cannot set tensor"):
        answer(pool, CROPS.astype(np.float32))
    assert answer(pool, CROPS).shape == (3, 7)
    assert pool.made == 2


def test_what_is_no_model_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="not a valid"):
        RunnerPool(b"no model at all")

"""Calls from several threads, with the installed network for emotions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from core.artifacts.model_card import ARTIFACTS_DIR, SERVED_FILE
from core.attributes.estimator import LiteRTModel
from core.runtime.litert import LiteRTRunners

CONTENT = (ARTIFACTS_DIR / "emotion" / SERVED_FILE).read_bytes()
CROPS = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)


def answer(runners: LiteRTRunners, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    (name,) = runners.inputs
    return runners.run(**{name: crops})["emotion"]


def test_threads_at_once_get_the_same_answers() -> None:
    runners = LiteRTRunners(CONTENT)
    alone = [answer(runners, CROPS[row : row + 1]) for row in range(3)]
    rows = [0, 1, 2] * 40
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda row: answer(runners, CROPS[row : row + 1]), rows))
    assert all(np.array_equal(found, alone[row]) for row, found in zip(rows, together, strict=True))


def test_later_calls_do_not_change_an_earlier_answer() -> None:
    runners = LiteRTRunners(CONTENT)
    first = answer(runners, CROPS[:1])
    before = first.copy()
    second = answer(runners, CROPS[1:2])
    assert not np.array_equal(first, second)
    assert np.array_equal(first, before)


def test_many_crops_are_asked_about_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, run = [], LiteRTRunners.run

    def counting(runners: LiteRTRunners, **inputs: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        sizes.extend(len(crops) for crops in inputs.values())
        return run(runners, **inputs)

    monkeypatch.setattr(LiteRTRunners, "run", counting)
    assert LiteRTModel(CONTENT).predict(np.zeros((145, 48, 48, 1), np.uint8))["emotion"].shape == (145, 7)
    assert sum(sizes) == 145
    assert max(sizes) <= 32


def test_an_answer_follows_a_call_that_failed() -> None:
    runners = LiteRTRunners(CONTENT)
    with pytest.raises(ValueError, match="Cannot set tensor"):
        answer(runners, CROPS.astype(np.float32))
    assert answer(runners, CROPS).shape == (3, 7)


def test_what_is_no_model_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="not a valid"):
        LiteRTRunners(b"no model at all")

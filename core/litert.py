"""A LiteRT model from memory for any number of threads: one interpreter is not safe to share, so they are lent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ai_edge_litert.interpreter import Interpreter, SignatureRunner
from numpy.typing import NDArray

Outputs = dict[str, NDArray[Any]]


class RunnerPool:
    """Runs the signature ``serving_default``; safe to call from several threads.

    A runner is lent to one call at a time and made only when all are lent, so there are as many as calls ever ran at
    once. It belongs to no thread: building one takes many times as long as an answer, and a page has a new thread for
    each of its runs.
    """

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        """Raises ``ValueError`` or ``RuntimeError`` if the content is no LiteRT model with ``serving_default``."""
        self._content = content
        self._num_threads = num_threads
        self._lock = threading.Lock()
        first = self._made()
        self.inputs: dict[str, dict[str, Any]] = first.get_input_details()
        self.outputs: dict[str, dict[str, Any]] = first.get_output_details()
        self._free = [first]

    def run(self, **inputs: NDArray[Any]) -> Outputs:
        """Arrays by input name -> arrays by output name, which are the caller's own."""
        runner = self._taken() or self._made()
        outputs: Outputs = runner(**inputs)
        # Not after a failure: a runner that stopped half-way is not lent again.
        with self._lock:
            self._free.append(runner)
        return outputs

    def _taken(self) -> SignatureRunner | None:
        with self._lock:
            return self._free.pop() if self._free else None

    def _made(self) -> SignatureRunner:
        interpreter = Interpreter(model_content=self._content, num_threads=self._num_threads)
        return interpreter.get_signature_runner("serving_default")


class ThreadRunners(RunnerPool):
    """The same for ``core.detection``, which asks for what to call first."""

    def get(self) -> Callable[..., Outputs]:
        return self.run

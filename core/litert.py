"""A LiteRT model from memory with an interpreter for each thread: one interpreter is not safe to share."""

from __future__ import annotations

import threading

from ai_edge_litert.interpreter import Interpreter, SignatureRunner


class ThreadRunners:
    """Gives each thread its own runner of the signature ``serving_default``, made on first use."""

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        self._content = content
        self._num_threads = num_threads
        self._local = threading.local()

    def get(self) -> SignatureRunner:
        """Raises ``ValueError`` or ``RuntimeError`` if the content is no LiteRT model with ``serving_default``."""
        runner: SignatureRunner | None = getattr(self._local, "runner", None)
        if runner is None:
            interpreter = Interpreter(model_content=self._content, num_threads=self._num_threads)
            runner = self._local.runner = interpreter.get_signature_runner("serving_default")
        return runner

"""A LiteRT model from memory, safe to call from any number of threads."""

from __future__ import annotations

from typing import Any

from ai_edge_litert.interpreter import Interpreter, SignatureRunner
from numpy.typing import NDArray

from core.runtime.pool import Pool

Outputs = dict[str, NDArray[Any]]


class LiteRTRunners:
    """Runs the signature ``serving_default``, each call on an interpreter of its own."""

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        """Raises ``ValueError`` or ``RuntimeError`` unless ``content`` is a LiteRT model with ``serving_default``."""

        def make() -> SignatureRunner:
            interpreter = Interpreter(model_content=content, num_threads=num_threads)
            return interpreter.get_signature_runner("serving_default")

        self._runners = Pool(make)
        with self._runners.borrow() as runner:
            self.inputs: dict[str, dict[str, Any]] = runner.get_input_details()
            self.outputs: dict[str, dict[str, Any]] = runner.get_output_details()

    def run(self, **inputs: NDArray[Any]) -> Outputs:
        """Run arrays by input name; returns new arrays by output name."""
        with self._runners.borrow() as runner:
            outputs: Outputs = runner(**inputs)
            return outputs

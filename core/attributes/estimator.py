"""Attribute networks: LiteRT models from raw uint8 crops to probabilities.

Each call borrows an interpreter, see ``core.runtime.litert``. Outputs do not depend on the batch size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import SERVED_FILE, ModelCard, load_card, verified_file
from core.errors import ArtifactCorruptError
from core.runtime.litert import LiteRTRunners
from core.tasks import CLASSES, TASKS
from core.types import MAX_AGE

OUTPUT_WIDTHS: dict[str, tuple[int, ...]] = {
    **{output: (len(classes),) for output, classes in CLASSES.items()},
    "age": (MAX_AGE + 1, 1),
}
"""Output name -> allowed numbers of values: probabilities, or one number of years."""
BATCH_SIZE = 32
"""Crops per call; more are not faster, and interpreters keep the memory of their largest batch."""


class CropModel(Protocol):
    """Predicts probabilities for a batch of crops; thread-safe."""

    def predict(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """(N, size, size, channels) uint8, grey or BGR -> output name -> (N, K) float32 probabilities, or (N, 1) years
        for an age; N may be 0."""
        ...


class Estimator(CropModel, Protocol):
    """A model with its card, which says what it predicts and how faces are aligned for it."""

    @property
    def card(self) -> ModelCard: ...


class LiteRTModel:
    """A LiteRT model from memory; thread-safe."""

    def __init__(self, content: bytes, num_threads: int = 1) -> None:
        """Raises ``ValueError`` or ``RuntimeError`` if ``content`` is not a LiteRT model with ``serving_default``."""
        self._runners = LiteRTRunners(content, num_threads)
        (self._input_name, details), *_ = self._runners.inputs.items()
        self.crop_shape = tuple(int(side) for side in details["shape"][1:])
        self.widths = {name: int(d["shape"][-1]) for name, d in self._runners.outputs.items()}

    def predict(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """See ``CropModel``. Raises ``ValueError`` for crops of another shape or dtype."""
        if crops.dtype != np.uint8 or crops.shape[1:] != self.crop_shape:
            raise ValueError(f"crops must be (N, *{self.crop_shape}) uint8, got {crops.shape} {crops.dtype}")
        parts = [
            self._runners.run(**{self._input_name: crops[start : start + BATCH_SIZE]})
            for start in range(0, len(crops), BATCH_SIZE)
        ]
        return {
            name: np.concatenate([np.empty((0, width), np.float32), *(part[name] for part in parts)])
            for name, width in self.widths.items()
        }


class LiteRTEstimator:
    """The verified ``model.tflite`` of an artifact folder."""

    def __init__(self, folder: Path, num_threads: int = 1) -> None:
        """Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
        self.card = load_card(folder)
        file = verified_file(folder, SERVED_FILE, self.card)
        try:
            self._model = LiteRTModel(file.read_bytes(), num_threads)
        except (ValueError, RuntimeError) as error:
            raise ArtifactCorruptError(f"{file} is not a valid LiteRT model: {error}") from error
        self._check_shapes(file)

    def _check_shapes(self, file: Path) -> None:
        size, wanted = self.card.input_size, set(TASKS[self.card.task].outputs)
        expected = (size, size, self.card.channels)
        fitting = {name for name in wanted if self._model.widths.get(name) in OUTPUT_WIDTHS[name]}
        if not wanted or self._model.crop_shape != expected or fitting != wanted:
            promised = {name: " or ".join(map(str, OUTPUT_WIDTHS[name])) for name in sorted(wanted)}
            raise ArtifactCorruptError(
                f"{file} has the input {self._model.crop_shape} and the outputs "
                f"{dict(sorted(self._model.widths.items()))}; its card says {expected} and {promised or 'no outputs'}"
            )

    def predict(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """See ``CropModel``."""
        return self._model.predict(crops)

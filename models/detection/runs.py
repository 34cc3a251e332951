"""Files of a detector run: weights by Keras layer, which PyTorch and Keras exchange, and the log."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS_FILE, STATE_FILE, LOG_FILE, RECIPE_FILE = "last.npz", "state.pt", "log.jsonl", "recipe.json"

Weights = dict[str, list[NDArray[np.float32]]]
"""Layer of ``models.architectures.face_detector`` -> its weights, in Keras's order."""


def save_weights(weights: Mapping[str, list[NDArray[np.float32]]], file: Path) -> None:
    """Write an ``.npz`` whose keys are ``<layer>/<number>``."""
    arrays = {f"{layer}/{number}": array for layer, parts in weights.items() for number, array in enumerate(parts)}
    np.savez(file, **arrays)  # type: ignore[arg-type]


def load_weights(file: Path) -> Weights:
    """Read weights from what ``save_weights`` wrote, or from the ``model.keras`` of an artifact."""
    if file.suffix == ".keras":
        # Here, since training needs Keras for nothing else.
        import keras

        model = keras.models.load_model(file, compile=False)
        return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    weights: Weights = {}
    with np.load(file) as stored:
        for key in sorted(stored.files):
            weights.setdefault(key.split("/")[0], []).append(stored[key])
    return weights


def history_csv(run: Path) -> str:
    """Convert the log of ``run`` to CSV."""
    rows = [json.loads(line) for line in (run / LOG_FILE).read_text(encoding="utf-8").splitlines()]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()

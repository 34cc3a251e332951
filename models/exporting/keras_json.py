"""Networks in the format of older Keras projects: the architecture as JSON, the weights as HDF5.

``keras.models.model_from_json`` and ``load_weights`` of Keras 3 read them back. Preprocessing is part of each network.
"""

from __future__ import annotations

from pathlib import Path

import keras

# Saved networks may refer to these losses by name.
import models.training.losses  # noqa: F401
from core.artifacts.model_card import KERAS_FILE, load_card, verified_file
from models import registry
from models.training.recipes import CONFIGS
from models.training.runs import WEIGHTS_FILE, load_best_weights


def load_trained_model(name: str, run_folder: Path, artifact_folder: Path) -> keras.Model:
    """Load the network of the artifact, or where its ``model.keras`` is missing, that of the run.

    Raises ``ArtifactError`` where both are missing, or the artifact is broken.
    """
    if not (artifact_folder / KERAS_FILE).is_file() and name in CONFIGS and (run_folder / WEIGHTS_FILE).is_file():
        config = CONFIGS[name]
        model = registry.build(config.architecture, **config.architecture_arguments)
        model.set_weights(load_best_weights(config, run_folder))
        return model
    file = verified_file(artifact_folder, KERAS_FILE, load_card(artifact_folder))
    return keras.saving.load_model(file, compile=False)


def write_json_h5(model: keras.Model, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``NAME.json`` and ``NAME.weights.h5`` into ``folder``, which is created, and return both."""
    folder.mkdir(parents=True, exist_ok=True)
    architecture, weights = folder / f"{name}.json", folder / f"{name}.weights.h5"
    architecture.write_text(model.to_json(), encoding="utf-8")
    model.save_weights(weights)
    return architecture, weights


def read_json_h5(architecture: Path, weights: Path) -> keras.Model:
    """Read what ``write_json_h5`` wrote."""
    model = keras.models.model_from_json(architecture.read_text(encoding="utf-8"))
    model.load_weights(weights)
    return model

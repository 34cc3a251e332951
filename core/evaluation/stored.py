"""Load what is stored with an installed artifact: its predictions on one split, and its training history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.artifacts.model_card import (
    HISTORY_FILE,
    PREDICTIONS_FILE,
    InstalledArtifact,
    ModelCard,
    restore_command,
    verified_file,
)
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.predictions import Predictions, load_predictions


@dataclass(frozen=True)
class StoredEvaluation:
    """One artifact with its predictions on one split, at least one."""

    name: str
    folder: Path
    card: ModelCard
    split: str
    predictions: Predictions

    @property
    def stem(self) -> str:
        """What the names of downloads begin with."""
        return f"{self.name}_{self.split}"


def load_stored(artifact: InstalledArtifact, split: str) -> StoredEvaluation:
    """Raises the artifact's own error, or an ``ArtifactError`` that names the file."""
    if artifact.card is None:
        raise artifact.error or ArtifactMissingError(f"{artifact.folder} has no card")
    file = artifact.folder / PREDICTIONS_FILE
    if file.is_file() and PREDICTIONS_FILE in artifact.card.files:
        verified_file(artifact.folder, PREDICTIONS_FILE, artifact.card)
    splits = load_predictions(file)
    advice = f"Restore it with: python -m models.evaluate {artifact.name} --data DIR --store"
    if split not in splits:
        raise ArtifactMissingError(f"{file} has no predictions on {split!r}, only on {', '.join(splits)}. {advice}")
    predictions = splits[split]
    if predictions.task != artifact.card.task or len(predictions) == 0:
        raise ArtifactCorruptError(f"{file} has no usable {artifact.card.task} predictions on {split!r}. {advice}")
    return StoredEvaluation(artifact.name, artifact.folder, artifact.card, split, predictions)


def load_history(folder: Path) -> pd.DataFrame:
    """Read ``history.csv``: one row per epoch with ``epoch``, ``learning_rate``, ``elapsed_s`` and the Keras logs.

    The detector's training has no epochs: one row per 100 steps with ``step`` and the losses.

    Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file.
    """
    file = Path(folder) / HISTORY_FILE
    advice = restore_command(file.parent.name)
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {advice}")
    try:
        history = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise ArtifactCorruptError(f"{file} is not a CSV table ({error}). {advice}") from error
    text = [name for name in history.columns if not pd.api.types.is_numeric_dtype(history[name])]
    if text or not {"epoch", "step"} & set(history.columns):
        raise ArtifactCorruptError(f"{file} needs a column 'epoch' or 'step' and numbers only, not {text}. {advice}")
    return history

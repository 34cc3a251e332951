"""Made-up answers and artifact folders of the kinds that only rebuilt networks have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.evaluation.predictions import Predictions
from core.tasks import ATTRIBUTE_TASKS, TASKS
from tests.fakes.evaluation import predictions_of, write_artifact

CLAIM = {"output": "gender", "measure": "accuracy", "text": "94 %", "low": 0.94, "high": 0.94, "source": "a report"}
LARGE = {"model.tflite": {"bytes": 57_000_000, "sha256": "a" * 64}}


def write_classic(root: Path, name: str, task: str, **card_changes: Any) -> Path:
    """An artifact of a rebuilt network with both of its splits, too large to be included."""
    splits: dict[str, Predictions] = {
        TASKS[task].validation_split.name: predictions_of(task, seed=1),
        TASKS[task].test_split.name: predictions_of(task, seed=2),
    }
    facts: dict[str, Any] = {
        "recipe": "the authors'",
        "recipe_epochs": 50,
        "claims": [CLAIM],
        "not_included": LARGE,
        "training": {"start": "random weights", "rounds": [{"epochs_run": 12}]},
        "trainable_parameters": 600_000,
        "frozen_parameters": 80_000,
        "input": {"size": 48, "channels": 1 if task.startswith("emotion") else 3},
    }
    return write_artifact(root, name, task, splits, **(facts | card_changes))


def write_every_kind(root: Path) -> None:
    """A rebuilt network of each task."""
    for task in ATTRIBUTE_TASKS:
        write_classic(root, f"classic_{task}", task)

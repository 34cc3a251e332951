"""Made-up robustness reports, and artifact folders that hold them."""

from __future__ import annotations

import json
from pathlib import Path

from core.artifacts.model_card import ModelCard, load_card
from core.artifacts.storage import sha256_of
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.robustness import ConditionMetrics, CorruptionMetrics, RobustnessReport, save_report
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, write_artifact

MODEL_SHA256 = "0" * 64
CORRECT = {"noise": (70, 60, 50, 40, 30), "glasses": (78, 76, 74, 72, 70)}
"""Correct predictions of 100 by severity; 80 are correct on clean images."""


def example_report(task: str = "emotion", **changes: object) -> RobustnessReport:
    """Two corruptions of 100 of 250 images; ages are 5 years off, and a year more with every 10 wrong predictions."""

    def metrics(correct: int) -> ConditionMetrics:
        off = 5 + (80 - correct) / 10
        age = MetricValue(off, off - 1, off + 1, 100) if task == "age_gender" else None
        return ConditionMetrics(wilson_interval(correct, 100), correct / 100 + 0.05, age)

    values: dict[str, object] = {
        "artifact": task,
        "task": task,
        "split": "private" if task == "emotion" else "test",
        "model_sha256": MODEL_SHA256,
        "seed": 0,
        "images": 100,
        "split_images": 250,
        "limited_by": "time",
        "fingerprint": "0123456789abcdef",
        "elapsed_s": 12.5,
        "clean": metrics(80),
        "corruptions": tuple(
            CorruptionMetrics(name, name.capitalize(), "steps", (1.0, 2.0, 3.0, 4.0, 5.0), tuple(map(metrics, correct)))
            for name, correct in CORRECT.items()
        ),
    }
    return RobustnessReport(**(values | changes))  # type: ignore[arg-type]


def write_measured(root: Path, task: str = "emotion", **changes: object) -> Path:
    """An artifact folder with predictions and a report, both on its card."""
    splits = {"private": emotion_predictions()} if task == "emotion" else {"test": age_gender_predictions()}
    folder = write_artifact(root, task, task, dict(splits))
    file = save_report(folder, example_report(task, **changes))
    list_on_card(folder, file.name)
    return folder


def list_on_card(folder: Path, file_name: str) -> ModelCard:
    """List the file as it is now, beside a served network of ``MODEL_SHA256``."""
    file = folder / file_name
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["files"] = {
        "model.tflite": {"bytes": 1, "sha256": MODEL_SHA256},
        file_name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)},
    }
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return load_card(folder)

"""Artifact folders with made-up predictions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.age_groups import AGE_GROUPS
from core.evaluation.metrics import bracket_indices
from core.evaluation.predictions import (
    AgeArrays,
    MissedFaces,
    Predictions,
    classifier_outputs,
    save_predictions,
    truth_of,
)
from core.tasks import TASKS
from core.types import EMOTIONS


def predictions_of(task: str, count: int = 150, seed: int = 0) -> Predictions:
    """Make up predictions of any task; those of the same count and seed are about the same people."""
    if "emotion" in TASKS[task].outputs:
        return emotion_predictions(count, seed, task=task)
    return people_predictions(task, count, seed)


def emotion_predictions(
    count: int = 120, seed: int = 0, ids: NDArray[np.str_] | None = None, task: str = "emotion"
) -> Predictions:
    """Make up predictions that are right about two times in three."""
    rng = np.random.default_rng(seed)
    known = np.array([EMOTIONS.index(emotion) for emotion in TASKS[task].emotions])
    truth = known[rng.integers(0, len(known), count)]
    probabilities = np.zeros((count, len(EMOTIONS)))
    probabilities[:, known] = rng.dirichlet(np.full(len(known), 0.6), count)
    probabilities[np.arange(count), truth] += 0.5
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    names = np.array([f"PrivateTest_{row}" for row in range(count)], dtype=np.str_) if ids is None else ids
    return Predictions(task, names, {"emotion": truth}, {"emotion": probabilities.astype(np.float32)})


def age_gender_predictions(count: int = 150, seed: int = 0) -> Predictions:
    return people_predictions("age_gender", count, seed)


def people_predictions(task: str, count: int, seed: int) -> Predictions:
    """Make up ages about six years off, genders that are right nine times in ten and age groups half of the time."""
    rng = np.random.default_rng(seed)
    age, gender, race = rng.integers(1, 111, count), rng.integers(0, 2, count), rng.integers(0, 5, count)
    years = np.clip(age + rng.normal(0, 6, count), 0, 100).astype(np.float32)
    sure = rng.uniform(0.2, 1.0, count) ** 0.5
    male = np.where(gender == 0, sure, 1 - sure)
    truth = truth_of(task, {"age": age, "gender": gender, "race": race})
    probabilities = {"gender": np.stack([male, 1 - male], axis=1)}
    if "age_group" in truth:
        groups = rng.dirichlet(np.full(len(AGE_GROUPS), 0.5), count)
        groups[np.arange(count), truth["age_group"]] += 0.4
        probabilities["age_group"] = groups / groups.sum(axis=1, keepdims=True)
    ids = [f"{age[n]}_{gender[n]}_{race[n]}_{n:05d}.jpg.chip.jpg" for n in range(count)]
    ages = AgeArrays(years, np.maximum(years - 9, 0).astype(np.float32), (years + 9).astype(np.float32))
    return Predictions(
        task,
        np.array(ids, dtype=np.str_),
        truth,
        {name: probabilities[name].astype(np.float32) for name in classifier_outputs(task)},
        ages if "age" in TASKS[task].attributes else None,
    )


def fairface_predictions(count: int = 140, missed: int = 10, seed: int = 0) -> Predictions:
    """Make up predictions of photographs with age brackets and seven races; faces were missed in some."""
    people, rng = age_gender_predictions(count + missed, seed), np.random.default_rng(seed)
    truth = {"age_bracket": bracket_indices(people.truth["age"]), "gender": people.truth["gender"]}
    truth["fairface_race"] = rng.integers(0, 7, count + missed)
    ids = np.array([f"val/{row}.jpg" for row in range(count + missed)])
    found = replace(people, ids=ids, truth=truth).take(np.arange(count))
    lost = MissedFaces(ids[count:], {name: labels[count:] for name, labels in truth.items()})
    return replace(found, missed=lost)


def card_dict(name: str, task: str, **changes: Any) -> dict[str, Any]:
    card: dict[str, Any] = {
        "name": name,
        "title": f"The {name} network",
        "task": task,
        "architecture": "residual",
        "parameters": 680_000,
        "input": {"size": 48, "channels": 1 if task == "emotion" else 3},
        "crop": {"scale": 1.1, "shift_y": 0.0},
        "metrics": {"private": {"accuracy": 0.68, "n": 120}},
        "training": {"epochs": 3, "config": {"learning_rate": 0.1}},
        "data": {"name": "fake"},
        "files": {},
        "license": "research only",
        "intended_use": "Tests.",
        "limits": "Made-up predictions.",
    }
    return card | changes


def write_artifact(root: Path, name: str, task: str, splits: dict[str, Predictions], **card_changes: Any) -> Path:
    """An artifact folder with card, predictions and history, but no model."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(card_dict(name, task, **card_changes)), encoding="utf-8")
    save_predictions(folder / "predictions.npz", splits)
    log = "accuracy" if task == "emotion" else "age_mae"
    rows = [f"{epoch},0.1,{epoch * 2},{0.5 + epoch / 20},{0.4 + epoch / 20},1.2,1.3" for epoch in (1, 2, 3)]
    header = f"epoch,learning_rate,elapsed_s,{log},val_{log},loss,val_loss"
    (folder / "history.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return folder


def write_baseline(root: Path, name: str, task: str, **card_changes: Any) -> Path:
    """Write an artifact of a baseline with both of its splits, whose served file is too large for the repository."""
    test_split, validation_split = TASKS[task].splits
    splits = {validation_split.name: predictions_of(task, seed=1), test_split.name: predictions_of(task, seed=2)}
    card: dict[str, Any] = {
        "recipe": "the authors'",
        "recipe_epochs": 50,
        "claims": [{"output": "gender", "measure": "accuracy", "text": "94 %", "source": "a report"}],
        "not_included": {"model.tflite": {"bytes": 57_000_000, "sha256": "a" * 64}},
        "training": {"start": "random weights", "rounds": [{"epochs_run": 12}]},
        "trainable_parameters": 600_000,
        "frozen_parameters": 80_000,
        "input": {"size": 48, "channels": 1 if task.startswith("emotion") else 3},
    }
    return write_artifact(root, name, task, splits, **(card | card_changes))


def write_artifacts(root: Path) -> Path:
    """Two emotion models and one age and gender model, each with both of its splits."""
    for name, seed in (("emotion", 0), ("emotion_small", 5)):
        splits = {"private": emotion_predictions(seed=seed), "public": emotion_predictions(seed=seed + 1)}
        write_artifact(root, name, "emotion", splits)
    both = {"validation": age_gender_predictions(seed=2), "test": age_gender_predictions(seed=3)}
    write_artifact(root, "age_gender", "age_gender", both)
    return root


def write_fer2013_csv(data_dir: Path, private: int = 12, public: int = 2, training: int = 2) -> Path:
    """``fer2013.csv`` with images of random pixels, so many of each usage."""
    rng = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for usage in ["Training"] * training + ["PublicTest"] * public + ["PrivateTest"] * private:
        pixels = " ".join(str(value) for value in rng.integers(0, 256, 48 * 48))
        lines.append(f"{rng.integers(0, 7)},{pixels},{usage}")
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "fer2013.csv").write_text("\n".join(lines), encoding="utf-8")
    return data_dir

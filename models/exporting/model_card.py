"""Model cards: build, read and write ``card.json``, and join the histories of training stages."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np

from core.artifacts.model_card import (
    CARD_FILE,
    CONSISTENCY_FILE,
    HISTORY_FILE,
    KERAS_FILE,
    PREDICTIONS_FILE,
    ROBUSTNESS_FILE,
    SERVED_FILE,
    SEVERAL_VIEWS_FILE,
    artifacts_dir,
)
from core.artifacts.storage import save_json, sha256_of, to_json
from core.attributes.postprocessing import AgeCalibration
from core.evaluation.detection.store import NUMBERS_FILE, REPORT_FILE
from core.tasks import TASKS
from models.architectures.baselines.mobilenet_transfer import find_initialization
from models.exporting.card_texts import INTENDED_USE, LICENSE, LIMITS, describe_dataset, format_title
from models.exporting.reported_results import REPORTED_RESULTS
from models.training.config import TrainConfig
from models.training.recipes import get_recipe
from models.training.runs import read_best_epoch, read_run
from models.training.tasks import TASKS as TRAINING_TASKS

MAX_COMMITTED_BYTES = 5_000_000
"""Model files of this size and more do not go into the repository."""
_MODEL_FILES = (SERVED_FILE, KERAS_FILE)
_OTHER_FILES = (
    PREDICTIONS_FILE,
    SEVERAL_VIEWS_FILE,
    REPORT_FILE,
    NUMBERS_FILE,
    ROBUSTNESS_FILE,
    CONSISTENCY_FILE,
    HISTORY_FILE,
)
_NETWORK_KEYS = ("trainable_parameters", "frozen_parameters", "start")
_NOT_ABOUT_DATA = ("config", "backend", *_NETWORK_KEYS)
"""What a run records about the training itself; the rest of it is about the data."""
_BOX_ALIGNMENT = {"scale": 1.0, "shift_y": 0.0}
"""Aligned by the detector's box, as it is."""
_ALIGNMENT_FROM = {
    "fer2013": "emotion",
    "fer2013_five": "emotion",
    "utkface": "age_gender",
    "utkface_published": "age_gender",
}
"""Data set -> artifact whose alignment was fitted. All images of a data set are aligned alike."""


def build_card(
    config: TrainConfig,
    run_folder: Path,
    parameters: int,
    channels: int = 3,
    network: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Build a card without metrics, which are added with the predictions.

    ``network``: from ``describe_network``, for runs that did not record it; a record counts more.
    """
    task, run = TRAINING_TASKS[config.task].core_task, read_run(run_folder)
    recorded = {key: run.get(key, network.get(key)) for key in _NETWORK_KEYS}
    start = recorded.pop("start")
    card = {
        "name": config.name,
        "title": "",
        "task": task,
        "architecture": config.architecture,
        "parameters": parameters,
        **recorded,
        "input": {"size": config.image_size, "channels": channels, "dtype": "uint8", "colour_order": "BGR"},
        "crop": read_alignment(task),
        **_age_calibration(config.task),
        "metrics": {},
        "claims": [asdict(result) for result in REPORTED_RESULTS.get(config.name, ())],
        "recipe": config.recipe,
        "recipe_epochs": config.epochs if config.recipe else None,
        "training": {
            "start": f"weights of {config.start_from}" if config.start_from else start,
            "rounds": [_describe_stage(folder) for folder in list_stages(config, run_folder)],
            "backend": run["backend"],
        },
        "data": {key: value for key, value in run.items() if key not in _NOT_ABOUT_DATA},
        "files": {},
        "not_included": {},
    }
    return renew_texts(card)


def renew_texts(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``card`` with the texts that are written for its task, architecture and data set now.

    Texts about peers are written by ``models.peers``."""
    if "package" in card:
        return dict(card)
    task, image = card["task"], card["input"]
    # The detector is trained for minutes, not in rounds of epochs.
    stages = card["training"].get("rounds") or [{"config": {}}]
    soft_labels = stages[-1]["config"].get("annotators_share", 0) > 0
    data = card["data"]
    sources, teacher, unlabelled = data.get("sources", ()), bool(data.get("teacher")), data.get("unlabelled", ())
    return dict(card) | {
        "title": format_title(task, card["architecture"], image["size"], image["channels"]),
        "data": dict(data) | {"dataset": describe_dataset(task, soft_labels, sources, teacher, unlabelled)},
        "license": LICENSE,
        "intended_use": INTENDED_USE,
        "limits": LIMITS[task],
    }


def _age_calibration(task: str) -> dict[str, Any]:
    """The part that is known before calibration: the width of the age distributions in training."""
    sigma = TRAINING_TASKS[task].objective.age_sigma if task in TRAINING_TASKS else 0.0
    return {"age_calibration": to_json(AgeCalibration(target_sigma=sigma))} if sigma else {}


def read_alignment(task: str) -> dict[str, Any]:
    """Read how faces are aligned in the data set of ``task``, as ``python -m models alignment`` fitted it.

    The detector's box where no artifact says it.
    """
    file = artifacts_dir() / _ALIGNMENT_FROM[TASKS[task].dataset] / CARD_FILE
    if not file.is_file():
        return _BOX_ALIGNMENT
    alignment: dict[str, Any] = read_card(file.parent).get("crop", _BOX_ALIGNMENT)
    return alignment


def describe_network(model: keras.Model) -> dict[str, Any]:
    """Count trainable and frozen parameters (batch-norm statistics are frozen ones); tell what training starts from."""
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return {
        "trainable_parameters": trainable,
        "frozen_parameters": model.count_params() - trainable,
        "start": find_initialization(model),
    }


def read_card(folder: Path) -> dict[str, Any]:
    """Read ``card.json`` as it is, without the checks of ``load_card``."""
    card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    return card


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write ``card`` with the size and SHA-256 of the files that are in ``folder`` now.

    Large model files are listed under ``not_included``, also where they are missing, and git is told to ignore them.
    """
    files = [folder / name for name in (*_MODEL_FILES, *_OTHER_FILES) if (folder / name).is_file()]
    listed: dict[str, dict[str, Any]] = {
        file.name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)} for file in files
    }
    missing = {name: entry for name, entry in card.get("not_included", {}).items() if name not in listed}
    large = {name for name in _MODEL_FILES if name in listed and listed[name]["bytes"] >= MAX_COMMITTED_BYTES}
    card["files"] = {name: entry for name, entry in listed.items() if name not in large}
    card["not_included"] = {name: entry for name, entry in listed.items() if name in large} | missing
    _ignore(folder, card["not_included"])
    save_json(folder / CARD_FILE, card, indent=2)


def _ignore(folder: Path, names: Iterable[str]) -> None:
    lines = [f"/{name}\n" for name in sorted(names)]
    ignored = folder / ".gitignore"
    if lines:
        ignored.write_text("# Too large for the repository: see not_included on the card.\n" + "".join(lines))
    else:
        ignored.unlink(missing_ok=True)


def list_stages(config: TrainConfig, run_folder: Path) -> list[Path]:
    """List the run folders of all training stages that the weights went through, first stage first."""
    if config.start_from is None:
        return [run_folder]
    return [*list_stages(get_recipe(config.start_from), run_folder.parent / config.start_from), run_folder]


def join_histories(run_folders: Sequence[Path]) -> str:
    """Join the histories of all stages to one CSV text; epochs and seconds count on, column ``round`` is the stage."""
    epoch, elapsed_s = 0, 0.0
    rows: list[dict[str, str]] = []
    for stage, folder in enumerate(run_folders, start=1):
        history = _read_history(folder)
        clock_s = np.cumsum(_epoch_seconds(history))
        for row, seconds in zip(history, clock_s, strict=True):
            continued = {"epoch": str(epoch + int(row["epoch"])), "elapsed_s": f"{elapsed_s + seconds:.1f}"}
            rows.append(row | continued | {"round": str(stage)})
        epoch, elapsed_s = int(rows[-1]["epoch"]), float(rows[-1]["elapsed_s"])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _describe_stage(run_folder: Path) -> dict[str, Any]:
    history = _read_history(run_folder)
    return {
        "config": read_run(run_folder)["config"],
        "epochs_run": len(history),
        "chosen_epoch": read_best_epoch(run_folder),
        "duration_s": round(sum(_epoch_seconds(history)), 1),
    }


def _read_history(run_folder: Path) -> list[dict[str, str]]:
    with (run_folder / HISTORY_FILE).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _epoch_seconds(history: Sequence[Mapping[str, str]]) -> list[float]:
    """Seconds of each epoch; in older histories ``elapsed_s`` starts at zero again where a run was resumed."""
    seconds, before = [], 0.0
    for row in history:
        now = float(row["elapsed_s"])
        seconds.append(now - before if now > before else now)
        before = now
    return seconds

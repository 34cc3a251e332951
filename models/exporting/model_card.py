"""Model cards: what the training side knows about an artifact, written beside it."""

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
    HISTORY_FILE,
    KERAS_FILE,
    PREDICTIONS_FILE,
    ROBUSTNESS_FILE,
    SERVED_FILE,
    TWO_VIEWS_FILE,
    artifacts_dir,
)
from core.artifacts.storage import save_json, sha256_of
from core.attributes.postprocessing import AgeCalibration
from core.evaluation.detection.store import NUMBERS_FILE, REPORT_FILE
from core.tasks import TASKS
from models.architectures.baselines.mobilenet_transfer import start_of
from models.exporting.card_texts import DEFAULT_CROP, INTENDED_USE, LICENSE, LIMITS, dataset_text, title_of
from models.exporting.reported_results import CLAIMS
from models.training.config import TrainConfig
from models.training.recipes import config_named
from models.training.runs import best_epoch, recorded_run
from models.training.tasks import ATTRIBUTE_TASKS
from models.training.tasks import TASKS as TRAINING_TASKS

MAX_COMMITTED_BYTES = 5_000_000
"""Model files of this size and more do not go into the repository."""
_MODEL_FILES = (SERVED_FILE, KERAS_FILE)
_OTHER_FILES = (
    PREDICTIONS_FILE,
    TWO_VIEWS_FILE,
    REPORT_FILE,
    NUMBERS_FILE,
    ROBUSTNESS_FILE,
    HISTORY_FILE,
)
_NETWORK_FACTS = ("trainable_parameters", "frozen_parameters", "start")
_NOT_ABOUT_DATA = ("config", "backend", *_NETWORK_FACTS)
"""What a run records about the training itself; the rest of it is about the data."""
_FRAMING_MEASURED_WITH = {
    "fer2013": "emotion",
    "fer2013_five": "emotion",
    "utkface": "age_gender",
    "utkface_published": "age_gender",
}
"""Data set -> network. Faces are framed alike in all images of a data set, whatever is learnt from them."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def new_card(
    config: TrainConfig, run_folder: Path, parameters: int, channels: int = 3, facts: Mapping[str, Any] = _NOTHING
) -> dict[str, Any]:
    """A card without figures: they are added from predictions. ``ConfigError`` for a task that has no card yet.

    ``facts``: ``facts_of`` the network, where the run, which knows better, did not record them.
    """
    task = TRAINING_TASKS[config.task].core_task
    size, run = config.image_size, recorded_run(run_folder)
    network = {name: run.get(name, facts.get(name)) for name in _NETWORK_FACTS}
    start = network.pop("start")
    return {
        "name": config.name,
        "title": title_of(task, config.architecture, size, channels),
        "task": task,
        "architecture": config.architecture,
        "parameters": parameters,
        **network,
        "input": {"size": size, "channels": channels, "dtype": "uint8", "colour_order": "BGR"},
        **({} if task == "detection" else {"crop": crop_of(task)}),
        **_age_calibration(config.task),
        "metrics": {},
        "claims": [asdict(claim) for claim in CLAIMS.get(config.name, ())],
        "recipe": config.recipe,
        "recipe_epochs": config.epochs if config.recipe else None,
        "training": {
            "start": f"weights of {config.start_from}" if config.start_from else start,
            "rounds": [_round(folder) for folder in rounds_of(config, run_folder)],
            "averaged_with": config.averaged_with,
            "backend": run["backend"],
        },
        "data": {
            "dataset": dataset_text(task, softened=config.annotators_share > 0),
            **{name: value for name, value in run.items() if name not in _NOT_ABOUT_DATA},
        },
        "files": {},
        "not_included": {},
        "license": LICENSE,
        "intended_use": INTENDED_USE,
        "limits": LIMITS[task],
    }


def _age_calibration(task: str) -> dict[str, Any]:
    """What is known before the network is: as what distributions it learnt ages."""
    sigma = ATTRIBUTE_TASKS[task].objective.age_sigma if task in ATTRIBUTE_TASKS else 0.0
    return {"age_calibration": AgeCalibration(target_sigma=sigma).to_dict()} if sigma else {}


def crop_of(task: str) -> dict[str, Any]:
    """How faces are framed in the images that networks of ``task`` learn from, as ``models.measuring.alignment`` measured it with
    the network of ours that is installed for them; the detector's box if there is none."""
    measured_with = _FRAMING_MEASURED_WITH[TASKS[task].dataset]
    file = artifacts_dir() / measured_with / CARD_FILE
    if not file.is_file():
        return DEFAULT_CROP
    crop: dict[str, Any] = read_card(file.parent).get("crop", DEFAULT_CROP)
    return crop


def facts_of(model: keras.Model) -> dict[str, Any]:
    """Of a network as it is built for training: what learns and what does not (statistics of batch normalisation
    among it), and what it starts from."""
    learnt = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    return {
        "trainable_parameters": learnt,
        "frozen_parameters": model.count_params() - learnt,
        "start": start_of(model),
    }


def read_card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    return card


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write ``card`` with the size and SHA-256 of the files that stand beside it now.

    Large model files are listed apart, as what does not come with the repository, and git is told to ignore them; so
    they stay listed where they are missing.
    """
    files = [folder / name for name in (*_MODEL_FILES, *_OTHER_FILES) if (folder / name).is_file()]
    listed: dict[str, dict[str, Any]] = {
        file.name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)} for file in files
    }
    missing = {name: facts for name, facts in card.get("not_included", {}).items() if name not in listed}
    large = {name for name in _MODEL_FILES if name in listed and listed[name]["bytes"] >= MAX_COMMITTED_BYTES}
    card["files"] = {name: facts for name, facts in listed.items() if name not in large}
    card["not_included"] = {name: facts for name, facts in listed.items() if name in large} | missing
    _ignore(folder, card["not_included"])
    save_json(folder / CARD_FILE, card, indent=2)


def _ignore(folder: Path, names: Iterable[str]) -> None:
    lines = [f"/{name}\n" for name in sorted(names)]
    ignored = folder / ".gitignore"
    if lines:
        ignored.write_text("# Too large for the repository: see not_included on the card.\n" + "".join(lines))
    else:
        ignored.unlink(missing_ok=True)


def rounds_of(config: TrainConfig, run_folder: Path) -> list[Path]:
    """The run folders that the weights went through, first round first."""
    if config.start_from is None:
        return [run_folder]
    return [*rounds_of(config_named(config.start_from), run_folder.parent / config.start_from), run_folder]


def joined_history(run_folders: Sequence[Path]) -> str:
    """CSV text of all rounds as one training: epochs and seconds are counted on."""
    epoch, elapsed_s = 0, 0.0
    rows: list[dict[str, str]] = []
    for number, folder in enumerate(run_folders, start=1):
        part = _history(folder)
        clock = np.cumsum(_epoch_seconds(part))
        for row, seconds in zip(part, clock, strict=True):
            pluralize = {"epoch": str(epoch + int(row["epoch"])), "elapsed_s": f"{elapsed_s + seconds:.1f}"}
            rows.append(row | pluralize | {"round": str(number)})
        epoch, elapsed_s = int(rows[-1]["epoch"]), float(rows[-1]["elapsed_s"])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _round(run_folder: Path) -> dict[str, Any]:
    history = _history(run_folder)
    return {
        "config": recorded_run(run_folder)["config"],
        "epochs_run": len(history),
        "chosen_epoch": best_epoch(run_folder),
        "duration_s": round(sum(_epoch_seconds(history)), 1),
    }


def _history(run_folder: Path) -> list[dict[str, str]]:
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

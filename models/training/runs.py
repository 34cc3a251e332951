"""Where runs are, and what a finished one left behind: the best epoch and its weights."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ConfigError
from models import registry
from models.training.config import TrainConfig
from models.training.recipes import config_named

RUNS = Path("runs")
WEIGHTS_FILE = "best.weights.h5"
RUN_FILE = "run.json"
"""Config, network and data."""
STATE_FILE = "state.json"
"""Epochs finished so far, and the logs of the best one."""


def folder_of_run(config: TrainConfig, runs: Path, seed: int | None = None) -> Path:
    """The folder of ``config`` in ``runs``, or that of the same training with another ``seed``."""
    return runs / (config.name if seed in (None, config.seed) else f"{config.name}_seed{seed}")


def recorded_run(run_folder: Path) -> dict[str, Any]:
    """What training recorded of config, network and data. ``ConfigError`` if there is no such run."""
    file = run_folder / RUN_FILE
    if not file.is_file():
        raise ConfigError(f"{file} is missing: train first with python -m models.train {run_folder.name} --data DIR")
    run: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return run


def changed_since(run_folder: Path, config: TrainConfig, may_differ: Collection[str]) -> list[str]:
    """Names of what ``config`` says otherwise than the one that the run was trained with, but for ``may_differ``. What
    a config could not say yet when the run was made is what the run did anyway."""
    recorded, now = recorded_run(run_folder)["config"], json.loads(json.dumps(asdict(config)))
    said_by_both = now.keys() & recorded.keys()
    return sorted(name for name in said_by_both - set(may_differ) if recorded[name] != now[name])


def figures_chosen_on(run_folder: Path) -> dict[str, float]:
    """Figures of the best epoch on the side that training chooses on, by name."""
    logs = best_epoch(run_folder)
    return {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}


def best_epoch(run_folder: Path) -> dict[str, float]:
    """``epoch`` and the logs of the best epoch so far."""
    best: dict[str, float] = _state(run_folder)["best"]
    return best


def epochs_run(run_folder: Path) -> int:
    """Epochs that were finished so far; 0 also where there is no run."""
    return int(_state(run_folder)["epoch"]) if (run_folder / STATE_FILE).is_file() else 0


def _state(run_folder: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((run_folder / STATE_FILE).read_text(encoding="utf-8"))
    return state


def best_weights(config: TrainConfig, run_folder: Path) -> list[np.ndarray]:
    """Weights of the best epoch in ``run_folder``. ``ConfigError`` if it has none."""
    file = run_folder / WEIGHTS_FILE
    if not file.is_file():
        raise ConfigError(f"{file} is missing: train first with python -m models.train {config.name} --data DIR")
    # Through a model without an optimizer: the file holds the optimizer of the run too, which is not wanted here.
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.load_weights(file)
    weights: list[np.ndarray] = model.get_weights()
    return weights


def weights_to_export(config: TrainConfig, run_folder: Path) -> list[np.ndarray]:
    """Those of the best epoch, averaged with what ``averaged_with`` would export if the config asks for it."""
    weights = best_weights(config, run_folder)
    if config.averaged_with is None:
        return weights
    others = weights_of(config.averaged_with, config, run_folder.parent)
    return [(one + two) / 2 for one, two in zip(weights, others, strict=True)]


def weights_of(name: str, config: TrainConfig, runs: Path) -> list[np.ndarray]:
    """What the config ``name`` would export, for the network of ``config``: a variant of it may be larger or smaller
    than the one that is trained by that name."""
    other = config_named(name)
    variant = replace(config, name=other.name, averaged_with=other.averaged_with)
    return weights_to_export(variant, runs / other.name)

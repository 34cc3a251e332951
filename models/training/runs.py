"""Run folders: where they are, what training recorded in them, and the weights of the best epoch."""

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

RUNS = Path("runs")
WEIGHTS_FILE = "best.weights.h5"
RUN_FILE = "run.json"
"""Config, network and data."""
STATE_FILE = "state.json"
"""Number of finished epochs, and the logs of the best one."""


def locate_run(config: TrainConfig, runs: Path, seed: int | None = None) -> Path:
    """Return the folder of ``config`` in ``runs``, or that of the same training with another ``seed``."""
    return runs / (config.name if seed in (None, config.seed) else f"{config.name}_seed{seed}")


def read_run(run_folder: Path) -> dict[str, Any]:
    """Read what training recorded of config, network and data. Raises ``ConfigError`` if there is no such run."""
    file = run_folder / RUN_FILE
    if not file.is_file():
        raise ConfigError(f"{file} is missing: train first with python -m models.train {run_folder.name} --data DIR")
    run: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return run


def find_changes(run_folder: Path, config: TrainConfig, may_differ: Collection[str]) -> list[str]:
    """Names of the fields, except ``may_differ``, in which ``config`` differs from the config of the run.

    Fields that did not exist when the run was made are left out: their defaults are what the run did.
    """
    recorded, now = read_run(run_folder)["config"], json.loads(json.dumps(asdict(config)))
    shared = now.keys() & recorded.keys()
    return sorted(name for name in shared - set(may_differ) if recorded[name] != now[name])


def read_best_epoch(run_folder: Path) -> dict[str, float]:
    """Read the number (``epoch``) and the logs of the best epoch so far."""
    best: dict[str, float] = json.loads((run_folder / STATE_FILE).read_text(encoding="utf-8"))["best"]
    return best


def load_best_weights(config: TrainConfig, run_folder: Path) -> list[np.ndarray]:
    """Load the weights of the best epoch in ``run_folder``. Raises ``ConfigError`` if there are none."""
    file = run_folder / WEIGHTS_FILE
    if not file.is_file():
        raise ConfigError(f"{file} is missing: train first with python -m models.train {config.name} --data DIR")
    # Through a model without an optimizer: the file also holds the optimizer of the run, which is not wanted here.
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.load_weights(file)
    weights: list[np.ndarray] = model.get_weights()
    return weights


def load_weights_of(name: str, config: TrainConfig, runs: Path) -> list[np.ndarray]:
    """Load the best weights of the recipe ``name`` into the network of ``config``.

    The network is that of ``config`` since its variants may be larger or smaller than the recipe's own.
    """
    return load_best_weights(replace(config, name=name), runs / name)

"""How much chance decides: ``python -m models.seeds CONFIG --runs runs``.

``python -m models.train CONFIG --seed N`` trains again with another seed, into ``runs/CONFIG_seedN``. This command
reads the run with the config's own seed and those with others, and puts the figures of the best epoch of each, on the
side that training chooses on, and their mean and standard deviation on the card of the artifact. Earlier rounds, if
there are any, are shared: the seeds differ in the last one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.artifacts.model_card import SEEDS_KEY
from core.errors import ConfigError, FacetError
from core.tasks import side_for
from models.exporting.model_card import read_card, write_card
from models.installed import artifact_folder
from models.training.config import TrainConfig
from models.training.recipes import config_named
from models.training.runs import (
    RUNS,
    best_epoch,
    changed_since,
    epochs_run,
    figures_chosen_on,
    folder_of_run,
    recorded_run,
)
from models.training.tasks import CROP_TASKS, card_task


def seed_report(config: TrainConfig, runs: Path) -> dict[str, Any]:
    """``side``, ``runs`` (``seed``, ``epoch`` and the figures of each), ``mean`` and ``standard_deviation`` by figure.

    Runs that are not finished are left out. ``ConfigError`` if fewer than two are left, or if one was trained with
    another recipe.
    """
    if config.task not in CROP_TASKS:
        raise ConfigError(f"{config.name} does not learn from crops of faces: only those are compared")
    folders = [folder_of_run(config, runs), *sorted(runs.glob(f"{config.name}_seed*"))]
    measured = [_measured(config, folder) for folder in folders if epochs_run(folder) >= config.last_epoch]
    if len(measured) < 2:
        raise ConfigError(
            f"{runs} has {len(measured)} finished run(s) of {config.name}: train with "
            f"python -m models.train {config.name} --seed N"
        )
    figures = [name for name in measured[0] if name not in ("seed", "epoch")]
    return {
        "side": side_for(card_task(config.task), chosen_on=True).side,
        "runs": measured,
        "mean": {name: statistics.fmean(_column(measured, name)) for name in figures},
        "standard_deviation": {name: statistics.stdev(_column(measured, name)) for name in figures},
    }


def _measured(config: TrainConfig, folder: Path) -> dict[str, float]:
    if other := changed_since(folder, config, may_differ=("seed",)):
        raise ConfigError(f"{folder} was not trained with the recipe of {config.name}: {', '.join(other)} differ")
    figures = {name: value for name, value in figures_chosen_on(folder).items() if not name.endswith("loss")}
    return {"seed": recorded_run(folder)["config"]["seed"], "epoch": best_epoch(folder)["epoch"], **figures}


def _column(rows: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [row[name] for row in rows]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.seeds", description="Mean and spread over seeds.")
    parser.add_argument("config", help="name of a config, and of the artifact that was made with it")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where run folders are kept (default: runs)")
    options = parser.parse_args(arguments)
    try:
        report = seed_report(config_named(options.config), options.runs)
        folder = artifact_folder(options.config)
        write_card(folder, read_card(folder) | {SEEDS_KEY: report})
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Train several networks in one call: ``python -m models.train_many CHAIN ... --data DIR --minutes 9 --output DIR``.

For machines that are lent for minutes. A chain is the rounds of one network, ``emotion_base+emotion_second+emotion``;
each round is ``CONFIG[:EPOCHS[:SEED]]``. Rounds of a chain follow each other, ``--jobs`` chains run at once, each round
as a process of its own. Prints a table of what the side that training chooses on says, and leaves one ZIP a finished
round in ``--output``, without what only ``--resume`` needs: unpack them into the ``runs`` folder at home.

A round that time runs out on keeps its best epoch; the rounds after it are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from core.artifacts.model_card import HISTORY_FILE
from core.errors import ConfigError, FacetError
from models.cli import positive
from models.markdown import table
from models.training.recipes import config_named
from models.training.runs import (
    RUN_FILE,
    RUNS,
    STATE_FILE,
    WEIGHTS_FILE,
    best_epoch,
    epochs_run,
    figures_chosen_on,
    folder_of_run,
)

_BROUGHT_HOME = (WEIGHTS_FILE, RUN_FILE, STATE_FILE, HISTORY_FILE)
# Several processes share the accelerator: none may take all of its memory at its start, as JAX does.
_ENVIRONMENT = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


@dataclass(frozen=True)
class Round:
    """One call of ``models.train``; ``epochs`` and ``seed`` are the config's where they are ``None``."""

    config: str
    epochs: int | None = None
    seed: int | None = None
    outcome: str = "not begun"

    @classmethod
    def parse(cls, text: str) -> Round:
        """From ``CONFIG[:EPOCHS[:SEED]]``. Raises ``ConfigError``."""
        name, *numbers = text.split(":")
        config_named(name)
        if len(numbers) > 2 or not all(number.isdigit() for number in numbers):
            raise ConfigError(f"a round is CONFIG[:EPOCHS[:SEED]], got {text!r}")
        epochs, seed = (*map(int, numbers), None, None)[:2]
        return cls(name, epochs, seed)

    def folder(self, runs: Path) -> Path:
        return folder_of_run(config_named(self.config), runs, self.seed)

    def arguments(self, data_dir: Path, runs: Path) -> list[str]:
        given = {"--data": data_dir, "--runs": runs, "--epochs": self.epochs, "--seed": self.seed}
        options = [str(part) for name, value in given.items() if value is not None for part in (name, value)]
        return [self.config, *options, "--quiet"]


Train = Callable[[list[str], Path, float], str]
"""Arguments of ``models.train``, where its output goes, and how long it may take in seconds -> how it ended."""


def parsed(chains: Sequence[str]) -> list[list[Round]]:
    """From ``ROUND+ROUND+...``. ``ConfigError`` also for chains that would write into each other's run, and for a seed
    before the last round: the next one starts from the run of the config's own seed."""
    found = [[Round.parse(text) for text in chain.split("+")] for chain in chains]
    folders = [one.folder(Path()).name for chain in found for one in chain]
    if twice := sorted({name for name in folders if folders.count(name) > 1}):
        raise ConfigError(f"each run can be trained once a call, {', '.join(twice)} would be more often")
    for chain in found:
        for one in chain[:-1]:
            if one.seed not in (None, config_named(one.config).seed):
                raise ConfigError(f"only the last round of a chain can have another seed, not {one.config}")
    return found


def train_in_process(arguments: list[str], log: Path, most_s: float) -> str:
    command = [sys.executable, "-m", "models.train", *arguments]
    with log.open("w") as stream:
        try:
            done = subprocess.run(
                command, stdout=stream, stderr=subprocess.STDOUT, timeout=most_s, env=os.environ | _ENVIRONMENT
            )
        except subprocess.TimeoutExpired:
            return "out of time"
    return "done" if done.returncode == 0 else f"failed, see {log}"


def train_chain(
    rounds: Sequence[Round], data_dir: Path, runs: Path, output: Path, until_s: float, train: Train = train_in_process
) -> list[Round]:
    """Train ``rounds`` one after the other until ``time.monotonic()`` is ``until_s`` or one is not done. Returns them
    with their outcomes."""
    ended: list[Round] = []
    for one in rounds:
        left_s = until_s - time.monotonic()
        goes_on = left_s > 0 and all(before.outcome == "done" for before in ended)
        if goes_on:
            folder = one.folder(runs)
            # An earlier run of the same name is overwritten: what it reached must not be taken for the new one's.
            (folder / STATE_FILE).unlink(missing_ok=True)
            outcome = train(one.arguments(data_dir, runs), runs / f"{folder.name}.log", left_s)
            one = replace(one, outcome=outcome)
            bring_home(folder, output)
        ended.append(one)
    return ended


def bring_home(run_folder: Path, output: Path) -> None:
    """``output/NAME.zip`` with what an export needs of a run, if it finished an epoch."""
    if not epochs_run(run_folder):
        return
    with zipfile.ZipFile(output / f"{run_folder.name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _BROUGHT_HOME:
            archive.write(run_folder / name, f"{run_folder.name}/{name}")


def summary(rounds: Sequence[Round], runs: Path) -> str:
    """A Markdown table, one row a round: how it ended, and the figures of its best epoch on the side chosen on."""
    rows = []
    for one in rounds:
        folder = one.folder(runs)
        if one.outcome == "not begun" or not epochs_run(folder):
            rows.append((folder.name, one.outcome, "", "", ""))
            continue
        figures = (f"{name} {value:.4f}" for name, value in figures_chosen_on(folder).items())
        best = str(int(best_epoch(folder)["epoch"]))
        rows.append((folder.name, one.outcome, str(epochs_run(folder)), best, ", ".join(figures)))
    return table(("Run", "Outcome", "Epochs", "Best", "Chosen on"), rows)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.train_many", description="Train several networks.")
    parser.add_argument("chains", nargs="+", metavar="CHAIN", help="CONFIG[:EPOCHS[:SEED]], joined by + where rounds")
    parser.add_argument("--data", type=Path, required=True, help="the data folder, or one that models.pack wrote")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where run folders are kept (default: runs)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the ZIP files")
    parser.add_argument("--jobs", type=positive, default=1, help="chains at once (default: 1)")
    parser.add_argument("--minutes", type=float, default=9.0, help="stop after so many (default: 9)")
    options = parser.parse_args(arguments)
    until_s = time.monotonic() + 60 * options.minutes
    try:
        chains = parsed(options.chains)
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for folder in (options.runs, options.output):
        folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        ended = pool.map(lambda chain: train_chain(chain, options.data, options.runs, options.output, until_s), chains)
        rounds = [one for chain in ended for one in chain]
    print(summary(rounds, options.runs))
    return 0 if all(one.outcome == "done" for one in rounds) else 1


if __name__ == "__main__":
    sys.exit(main())

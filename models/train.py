"""Train a network: ``python -m models.train CONFIG --data DIR [--epochs N] [--seed N] [--resume]``.

Writes ``runs/CONFIG/``: ``last.keras`` (to resume from), ``best.weights.h5`` (averaged weights of the epoch that was
best on the validation split), ``history.csv`` and ``run.json``. ``python -m models export`` makes the artifact.

Keras runs it on TensorFlow; ``KERAS_BACKEND=torch`` or ``jax`` uses those where they are installed.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import keras

from core.artifacts.model_card import HISTORY_FILE
from core.artifacts.storage import replacing, save_json
from core.datasets.splits import SplitDataset
from core.errors import ConfigError
from models import registry
from models.cli import add_data, non_negative_int, positive_int, run
from models.exporting.model_card import describe_network
from models.training.config import TrainConfig
from models.training.ema import EmaWeights
from models.training.optimizers import build_optimizer
from models.training.recipes import get_recipe
from models.training.runs import RUN_FILE, RUNS, STATE_FILE, WEIGHTS_FILE, find_changes, load_weights_of, locate_run
from models.training.tasks import TASKS, TrainingTask

_TO_RESUME = ("last.keras", "average.npz")


def train_and_evaluate(
    config: TrainConfig,
    data: SplitDataset,
    workdir: Path,
    resume: bool = False,
    verbose: int = 1,
    run_eagerly: bool = False,
) -> dict[str, float]:
    """Train ``config`` on the training split of ``data`` and return the logs of the best epoch.

    Everything is written to ``workdir``; with ``resume`` training goes on from ``workdir/last.keras``. ``run_eagerly``
    is as in Keras: faster for a few steps only.
    """
    keras.utils.set_random_seed(config.seed)
    task = TASKS[config.task]
    workdir.mkdir(parents=True, exist_ok=True)
    average = EmaWeights(config.average_momentum)
    progress = _Progress(workdir, task, average, resume)
    batches = task.batches(config, data, progress.epoch)
    if progress.epoch:
        model = _load_last(config, workdir)
    else:
        model = _build(config, task, len(batches), run_eagerly)
        if config.start_from:
            model.set_weights(load_weights_of(config.start_from, config, workdir.parent))
    _write_run(config, data, model, workdir)
    model.fit(
        batches,
        epochs=config.last_epoch,
        initial_epoch=progress.epoch,
        validation_data=task.validation(config, data),
        validation_batch_size=config.validation_batch_size,
        callbacks=[average, progress],
        shuffle=False,
        verbose=verbose,
    )
    return progress.best


def _build(config: TrainConfig, task: TrainingTask, steps_per_epoch: int, run_eagerly: bool) -> keras.Model:
    keras.mixed_precision.set_global_policy(config.precision)
    try:
        model = registry.build(config.architecture, **config.architecture_arguments)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.compile(
        build_optimizer(config, steps_per_epoch),
        loss=task.objective.losses(config.label_smoothing),
        loss_weights=dict(config.loss_weights) if config.loss_weights else None,
        metrics=task.objective.metrics(),
        run_eagerly=run_eagerly,
        # Without it Keras runs JAX one operation at a time; the other backends do not need XLA.
        jit_compile=keras.backend.backend() == "jax",
    )
    _decay_kernels_only(model)
    return model


def _load_last(config: TrainConfig, workdir: Path) -> keras.Model:
    """Load the network and its optimizer as they were left.

    Raises ``ConfigError`` if ``config`` has changed: the learning rate of all steps was settled at the start.
    """
    may_differ = {"recipe", "stop_after"} | ({"epochs"} if config.schedule == "constant" else set())
    if other := find_changes(workdir, config, may_differ):
        raise ConfigError(
            f"{workdir} cannot be resumed: {', '.join(other)} differed when it began; train it again from the start"
        )
    model = keras.saving.load_model(workdir / "last.keras")
    _decay_kernels_only(model)
    return model


def _decay_kernels_only(model: keras.Model) -> None:
    model.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])


class _Progress(keras.callbacks.Callback):
    """Writes after each epoch a row of history, the state to resume from, and the averaged weights if they are best."""

    def __init__(self, workdir: Path, task: TrainingTask, average: EmaWeights, resume: bool) -> None:
        super().__init__()
        self._average = average
        self._workdir = workdir
        self._monitor, self._sign = task.objective.monitor, 1.0 if task.objective.mode == "max" else -1.0
        self._started_s = time.monotonic()
        self._state_file = workdir / STATE_FILE
        self.epoch = 0
        self.best: dict[str, float] = {}
        if resume:
            self._read_state()

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Remove the files of an older run, once everything that can fail beforehand has succeeded."""
        if self.epoch == 0:
            for name in (STATE_FILE, HISTORY_FILE, WEIGHTS_FILE, *_TO_RESUME):
                (self._workdir / name).unlink(missing_ok=True)

    def _read_state(self) -> None:
        if not all((self._workdir / name).is_file() for name in (STATE_FILE, HISTORY_FILE, *_TO_RESUME)):
            raise ConfigError(f"nothing to resume in {self._workdir}: run once without --resume")
        state = json.loads(self._state_file.read_text())
        self.epoch, self.best = state["epoch"], state["best"]
        self._average.load(self._workdir / "average.npz")
        history = self._workdir / HISTORY_FILE
        # An epoch that was interrupted between its row and its state would otherwise appear twice.
        rows = history.read_text().splitlines(keepends=True)[: self.epoch + 1]
        history.write_text("".join(rows))
        (last,) = csv.DictReader([rows[0], rows[-1]])
        self._started_s -= float(last["elapsed_s"])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        if not all(math.isfinite(value) for value in metrics.values()):
            raise ConfigError(
                f"the loss of epoch {epoch + 1} is not finite: the learning rate is too high for this network. "
                f"{self._workdir} is as it was after epoch {epoch}"
            )
        self._append_history(epoch, metrics)
        value = metrics[self._monitor]
        if not self.best or self._sign * value > self._sign * self.best[self._monitor]:
            self.best = metrics | {"epoch": epoch + 1}
            self._save_averaged()
        with replacing(self._workdir / "last.keras") as partial:
            self.model.save(partial)
        with replacing(self._workdir / "average.npz") as partial:
            self._average.save(partial)
        save_json(self._state_file, {"epoch": epoch + 1, "best": self.best})

    def _append_history(self, epoch: int, metrics: dict[str, float]) -> None:
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row = {"epoch": epoch + 1, "learning_rate": rate, "elapsed_s": round(time.monotonic() - self._started_s, 1)}
        row |= metrics
        history = self._workdir / HISTORY_FILE
        with history.open("a", encoding="utf-8") as stream:
            if not history.stat().st_size:
                stream.write(",".join(row) + "\n")
            stream.write(",".join(f"{value:.6g}" for value in row.values()) + "\n")

    def _save_averaged(self) -> None:
        with self._average.in_place(), replacing(self._workdir / WEIGHTS_FILE) as partial:
            self.model.save_weights(partial)


def _write_run(config: TrainConfig, data: SplitDataset, model: keras.Model, workdir: Path) -> None:
    run = {"config": asdict(config), "backend": keras.backend.backend()} | describe_network(model) | data.metadata()
    (workdir / RUN_FILE).write_text(json.dumps(run, indent=2, default=str))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.train", description="Train one of the networks.")
    parser.add_argument("config", help="name of a recipe, see models/training/recipes.py")
    add_data(parser)
    parser.add_argument("--epochs", type=positive_int, help="instead of the recipe's number")
    parser.add_argument("--seed", type=non_negative_int, help="instead of the recipe's, in a run folder CONFIG_seedN")
    parser.add_argument("--limit", type=positive_int, help="use only this many images of each split, to try things out")
    parser.add_argument("--resume", action="store_true", help="go on from the last finished epoch")
    parser.add_argument(
        "--pytorch", action="store_true", help="train a residual classifier in PyTorch, which is faster on a CPU"
    )
    parser.add_argument("--runs", type=Path, default=RUNS, help="where run folders are kept (default: runs)")
    parser.add_argument("--quiet", action="store_true", help="one line per epoch instead of a progress bar")
    return run(parser, _train, arguments)


def _train(options: argparse.Namespace) -> None:
    config = get_recipe(options.config)
    if options.epochs is not None:
        config = config.with_epochs(options.epochs)
    workdir = locate_run(config, options.runs, options.seed)
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    if config.faces is not None:
        # Here and below PyTorch is needed; elsewhere training does without.
        from models.faces.command import train_faces

        best = train_faces(config, options.data, workdir, options.resume, options.limit)
    else:
        data = TASKS[config.task].load(options.data, config)
        if options.limit:
            data = data.limit(options.limit)
        if options.pytorch or config.start_artifact:
            from models.training.torch_trainer import train_in_pytorch

            best = train_in_pytorch(config, data, workdir, options.resume)
        else:
            best = train_and_evaluate(config, data, workdir, options.resume, verbose=2 if options.quiet else 1)
    print(json.dumps(best, indent=2))


if __name__ == "__main__":
    sys.exit(main())

"""Train age and perceived gender on packed faces, in PyTorch with bfloat16.

``run/best.npz`` has the averaged weights of the best epoch by the names of the Keras layers, ``run/last.npz`` the
newest, ``run/state.pt`` what resuming needs, ``run/history.csv`` a row for each epoch.
"""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from core.artifacts.model_card import HISTORY_FILE
from core.artifacts.storage import replacing
from core.errors import ConfigError
from core.types import GENDERS
from models.faces import validation
from models.faces.augmentation import aligned_crop, augment_face, plain_crop
from models.faces.config import FaceLearning
from models.faces.losses import Batch, compute_losses
from models.faces.packing import PackedFaces
from models.faces.targets import YEARS, Targets, sampling_weights
from models.training.config import TrainConfig
from models.training.sampling import systematic_resample
from models.training.torch_residual import TorchResidual, Weights

BEST_FILE, LAST_FILE, RESUME_FILE = "best.npz", "last.npz", "state.pt"
_VALIDATION_BATCH = 128
_CLIP_NORM = 10.0
_AHEAD = 8
_EQUAL_WEIGHTS = {"age": 1.0, "gender": 1.0}


class FaceBatches(IterableDataset[tuple[Tensor, Batch]]):
    """Endless batches: crops (B, 3, n, n) uint8 and their targets; a worker process makes them."""

    def __init__(self, faces: PackedFaces, targets: Targets, config: TrainConfig, first_step: int) -> None:
        self._faces, self._targets, self._config, self._first_step = faces, targets, config, first_step

    def __iter__(self) -> Iterator[tuple[Tensor, Batch]]:
        cv2.setNumThreads(1)
        size, count = self._config.batch_size, len(self._faces)
        weights, per_epoch = sampling_weights(self._faces), max(1, count // size)
        step = self._first_step
        while True:
            epoch, start = divmod(step, per_epoch)
            order = systematic_resample(weights, max(count, size), np.random.default_rng((self._config.seed, epoch)))
            for number in range(start, per_epoch):
                rng = np.random.default_rng((self._config.seed, epoch, number))
                yield self._batch(order[number * size : (number + 1) * size], rng)
                step += 1

    def _batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Batch]:
        faces, config, settings = self._faces, self._config, learning_of(self._config).augmentation
        crops = [
            augment_face(faces.images[row], faces.landmarks[row], config.image_size, settings, rng) for row in rows
        ]
        targets = asdict(self._targets.take(rows))
        images = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
        return images, {name: torch.from_numpy(values) for name, values in targets.items()}


def train(
    config: TrainConfig,
    faces: PackedFaces,
    targets: Targets,
    run: Path,
    resume: bool = False,
    start: Weights | None = None,
    save_minutes: float = 10.0,
    workers: int = 1,
) -> dict[str, float]:
    """Train ``config`` and return the scores of the best validation.

    ``start``: weights to begin with. Each epoch ends with a validation; the state is saved every ``save_minutes`` too.
    """
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    run.mkdir(parents=True, exist_ok=True)
    training, held_out = np.nonzero(faces.split == "train")[0], np.nonzero(faces.split == "validation")[0]
    learnt, checked = faces.take(training), faces.take(held_out)
    network = build_network(config)
    if start is not None:
        network.load_keras_weights(start)
    session = _Session(config, network, run, resume)
    per_epoch = max(1, len(learnt) // config.batch_size)
    batches = FaceBatches(learnt, targets.take(training), config, session.step)
    ahead = {"prefetch_factor": _AHEAD} if workers else {}
    begun_s = saved_s = time.monotonic()
    spent_s = session.spent_s
    for crops, batch in DataLoader(batches, batch_size=None, num_workers=workers, **ahead):
        if session.step >= config.epochs * per_epoch:
            break
        session.learn(crops, batch, learning_rate(config, session.step / per_epoch))
        session.spent_s = spent_s + time.monotonic() - begun_s
        if session.step % per_epoch == 0:
            session.check(checked, session.step // per_epoch)
        if session.step % per_epoch == 0 or time.monotonic() - saved_s > 60 * save_minutes:
            session.save()
            saved_s = time.monotonic()
    return session.best


def learning_rate(config: TrainConfig, epochs_done: float) -> float:
    """Compute the rate of a step: a linear rise, then half a cosine down to a thousandth."""
    cosine = (1 + math.cos(math.pi * min(1.0, epochs_done / config.epochs))) / 2
    return config.learning_rate * min(1.0, 0.01 + epochs_done / config.warmup_epochs) * (0.001 + 0.999 * cosine)


def learning_of(config: TrainConfig) -> FaceLearning:
    """Return what ``config`` says about packed faces. Raises ``ConfigError`` if it learns from something else."""
    if config.faces is None:
        raise ConfigError(f"{config.name} does not learn from packed faces")
    return config.faces


def build_network(config: TrainConfig) -> TorchResidual:
    """Build the network of ``config`` with random weights."""
    arguments = {name: value for name, value in config.architecture_arguments.items() if name != "input_size"}
    return TorchResidual({"age": YEARS, "gender": len(GENDERS)}, **arguments)  # type: ignore[arg-type]


@torch.no_grad()
def predict(network: nn.Module, faces: PackedFaces, size: int, aligned: bool) -> tuple[NDArray[np.float32], ...]:
    """Predict (N, 101) and (N, 2) probabilities, from the data sets' squares or, ``aligned``, as the app cuts them."""
    network.eval()
    parts = []
    for first in range(0, len(faces), _VALIDATION_BATCH):
        rows = range(first, min(first + _VALIDATION_BATCH, len(faces)))
        crops = np.stack([_crop(faces, row, size, aligned) for row in rows])
        images = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(images)
        parts.append([logits[name].softmax(-1).numpy() for name in ("age", "gender")])
    network.train()
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _crop(faces: PackedFaces, row: int, size: int, aligned: bool) -> NDArray[np.uint8]:
    if aligned and np.isfinite(faces.landmarks[row]).all():
        return aligned_crop(faces.images[row], faces.landmarks[row], size)
    return plain_crop(faces.images[row], size)


class _Session:
    """Network, average and optimizer, and the files that they are kept in."""

    def __init__(self, config: TrainConfig, network: TorchResidual, run: Path, resume: bool) -> None:
        self._config, self._network, self._run = config, network, run
        self._average = copy.deepcopy(network)
        self._kernels = [values for values in network.parameters() if values.ndim > 1]
        self._optimizer = torch.optim.SGD(
            network.parameters(), lr=config.learning_rate, momentum=config.momentum, nesterov=True, fused=True
        )
        self.step, self.spent_s = 0, 0.0
        self.best: dict[str, float] = {}
        self._means: dict[str, float] = {}
        if resume:
            self._load()
        else:
            (run / HISTORY_FILE).unlink(missing_ok=True)

    def learn(self, crops: Tensor, batch: Batch, rate: float) -> None:
        """Take one step at the learning rate ``rate``."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            logits = self._network(crops.contiguous(memory_format=torch.channels_last))
        config = self._config
        parts = compute_losses(
            logits, batch, learning_of(config), config.label_smoothing, config.loss_weights or _EQUAL_WEIGHTS
        )
        torch.stack(list(parts.values())).sum().backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), _CLIP_NORM)
        self._optimizer.step()
        with torch.no_grad():
            torch._foreach_mul_(self._kernels, 1 - rate * config.weight_decay)
        self._optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._update_average(min(self._config.average_momentum, (1 + self.step) / (10 + self.step)))
        for name, value in parts.items():
            self._means[name] = 0.99 * self._means.get(name, value.item()) + 0.01 * value.item()

    def check(self, faces: PackedFaces, epoch: int) -> None:
        """Score the averaged weights on ``faces``, add a row to the history, and keep the weights if they are best.

        Each score is measured on the data sets' squares, and as ``aligned_...`` on crops as the app cuts them.
        """
        if not math.isfinite(sum(self._means.values())):
            raise ConfigError(f"the loss of epoch {epoch} is not finite: lower the learning rate")
        scores: dict[str, float] = {}
        for prefix, aligned in (("", False), ("aligned_", True)):
            predicted = predict(self._average, faces, self._config.image_size, aligned)
            scores |= {f"{prefix}{name}": value for name, value in validation.score(faces, *predicted).items()}
        rate = self._optimizer.param_groups[0]["lr"]
        row = {"epoch": epoch, "learning_rate": rate, "elapsed_s": self.spent_s} | self._means | scores
        self._append(row)
        if not self.best or _total(scores) < _total(self.best):
            self.best = scores | {"epoch": epoch}
            save_weights(self._average.keras_weights(), self._run / BEST_FILE)

    def save(self) -> None:
        """Write what resuming needs, and the averaged weights."""
        save_weights(self._average.keras_weights(), self._run / LAST_FILE)
        state = {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "spent_s": self.spent_s,
            "best": self.best,
        }
        with replacing(self._run / RESUME_FILE) as partial:
            torch.save(state, partial)

    def _load(self) -> None:
        state = torch.load(self._run / RESUME_FILE, weights_only=True)
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.spent_s, self.best = state["step"], state["spent_s"], state["best"]

    def _append(self, row: Mapping[str, float]) -> None:
        file = self._run / HISTORY_FILE
        is_new = not file.is_file()
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            if is_new:
                writer.writerow(row)
            writer.writerow(f"{value:.6g}" for value in row.values())

    @torch.no_grad()
    def _update_average(self, momentum: float) -> None:
        pairs = (self._average, self._network)
        averages, values = (list(network.parameters()) for network in pairs)
        torch._foreach_lerp_(averages, values, 1 - momentum)
        for average, value in zip(self._average.buffers(), self._network.buffers(), strict=True):
            if average.dtype.is_floating_point:
                average.lerp_(value, 1 - momentum)


def _total(scores: Mapping[str, float]) -> float:
    return scores["total"] + scores["aligned_total"]


def save_weights(weights: Weights, file: Path) -> None:
    """Write weights to an NPZ file with keys ``layer/number``."""
    arrays = {f"{layer}/{number}": values for layer, parts in weights.items() for number, values in enumerate(parts)}
    with replacing(file) as partial, partial.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def load_weights(file: Path) -> Weights:
    """Read what ``save_weights`` wrote."""
    weights: Weights = {}
    with np.load(file) as stored:
        for key in sorted(stored.files):
            weights.setdefault(key.rpartition("/")[0], []).append(stored[key])
    return weights

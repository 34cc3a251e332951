"""Train age and perceived gender on packed faces, in PyTorch with bfloat16.

``models.training.torch_session`` says which files a run has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

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
from models.training.torch_session import TorchSession, predict

_VALIDATION_BATCH = 128
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
    workers: int = 1,
) -> dict[str, float]:
    """Train ``config`` and return the scores of the best epoch; ``start``: weights to begin with."""
    torch.manual_seed(config.seed)
    training, held_out = np.nonzero(faces.split == "train")[0], np.nonzero(faces.split == "validation")[0]
    network = build_network(config)
    if start is not None:
        network.load_keras_weights(start)
    session = TorchSession(config, network, max(1, len(training) // config.batch_size), run, resume)
    if session.is_complete:
        return session.best
    batches = FaceBatches(faces.take(training), targets.take(training), config, session.step)
    ahead = {"prefetch_factor": _AHEAD} if workers else {}
    learning, weights = learning_of(config), config.loss_weights or _EQUAL_WEIGHTS
    for crops, batch in DataLoader(batches, batch_size=None, num_workers=workers, **ahead):
        session.learn(crops, partial(compute_losses, batch, learning, config.label_smoothing, weights))
        if session.ends_epoch:
            scores = _validate(session.average, faces.take(held_out), config.image_size)
            session.end_epoch(scores, scores["total"] + scores["aligned_total"])
        if session.is_complete:
            break
    return session.best


def learning_of(config: TrainConfig) -> FaceLearning:
    """Return what ``config`` says about packed faces. Raises ``ConfigError`` if it learns from something else."""
    if config.faces is None:
        raise ConfigError(f"{config.name} does not learn from packed faces")
    return config.faces


def build_network(config: TrainConfig) -> TorchResidual:
    """Build the network of ``config`` with random weights."""
    arguments = {name: value for name, value in config.architecture_arguments.items() if name != "input_size"}
    return TorchResidual({"age": YEARS, "gender": len(GENDERS)}, **arguments)  # type: ignore[arg-type]


def _validate(network: TorchResidual, faces: PackedFaces, size: int) -> dict[str, float]:
    """Score a network on the data sets' squares, and as ``aligned_...`` on crops as the app cuts them."""
    scores: dict[str, float] = {}
    for prefix, aligned in (("", False), ("aligned_", True)):
        parts = []
        for first in range(0, len(faces), _VALIDATION_BATCH):
            rows = range(first, min(first + _VALIDATION_BATCH, len(faces)))
            parts.append(predict(network, np.stack([_crop(faces, row, size, aligned) for row in rows])))
        age, gender = (np.concatenate([part[name] for part in parts]) for name in ("age", "gender"))
        scores |= {f"{prefix}{name}": value for name, value in validation.score(faces, age, gender).items()}
    return scores


def _crop(faces: PackedFaces, row: int, size: int, aligned: bool) -> NDArray[np.uint8]:
    if aligned and np.isfinite(faces.landmarks[row]).all():
        return aligned_crop(faces.images[row], faces.landmarks[row], size)
    return plain_crop(faces.images[row], size)

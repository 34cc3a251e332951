"""Train the face detector in PyTorch for as long as there is time.

    python -m models detector-train --photos DIR --run DIR --minutes 120 [--negatives FILE]

The run folder holds ``last.npz`` (averaged weights, for ``detector-export`` and ``detector-negatives``), ``state.pt``
(to resume from), ``log.jsonl`` and ``recipe.json``. Training has no epochs: every crop is composed anew.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from models.cli import non_negative_int, positive_int, run
from models.detection.network import TorchDetector
from models.detection.photo_cache import HardNegatives, PhotoCache
from models.detection.runs import LOG_FILE, RECIPE_FILE, STATE_FILE, WEIGHTS_FILE, load_weights, save_weights
from models.detection.scenes import SceneMix, Scenes
from models.detection.targets import encode

_WARMUP_STEPS, _LOG_STEPS = 300, 100
_AVERAGE_MOMENTUM, _MAX_GRADIENT_NORM = 0.999, 5.0
_SMOOTH_L1_BETA = 0.01
_MIN_FACES_PER_CROP = 0.5

Batch = tuple[Tensor, list[Tensor], list[Tensor]]
"""Images (B, 3, n, n) uint8, and for each stride the targets ``score`` and ``geometry`` of all crops."""


@dataclass(frozen=True)
class DetectorTraining:
    """How to train. ``batch_size`` is at 256 px; smaller crops come in larger batches."""

    minutes: float
    """Of the whole cosine schedule."""
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    box_weight: float = 1.0
    landmark_weight: float = 3.5
    sizes_px: tuple[int, ...] = (256, 320, 192)
    size_shares: tuple[float, ...] = (0.8, 0.12, 0.08)
    workers: int = 1
    save_minutes: float = 4.0
    seed: int = 1
    mix: SceneMix = SceneMix()


class SceneBatches(IterableDataset[Batch]):
    """Endless batches of random crops, for a worker process each."""

    def __init__(self, photos: Path, negatives: Path | None, training: DetectorTraining) -> None:
        self._photos, self._negatives, self._training = photos, negatives, training

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        training = self._training
        rng = np.random.default_rng((training.seed, worker.id if worker else 0))
        negatives = HardNegatives.load(self._negatives) if self._negatives else None
        scenes = Scenes(PhotoCache(self._photos), negatives, training.mix)
        while True:
            size_px = int(rng.choice(training.sizes_px, p=training.size_shares))
            count = max(2, round(training.batch_size * (256 / size_px) ** 2))
            images, faces = zip(*(scenes.draw(size_px, rng) for _ in range(count)), strict=True)
            scores, geometries = zip(*(zip(*encode(part, size_px), strict=True) for part in faces), strict=True)
            yield (
                torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2),
                [torch.from_numpy(np.stack(maps)) for maps in zip(*scores, strict=True)],
                [torch.from_numpy(np.stack(maps)) for maps in zip(*geometries, strict=True)],
            )


def score_loss(logit: Tensor, target: Tensor) -> Tensor:
    """Sum the focal loss with less penalty around a centre (Law & Deng 2018); ``target`` is (B, n, n, 2)."""
    height, weight = target[..., 0], target[..., 1]
    p = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    center = (height >= 1).float()
    found = center * (1 - p) ** 2 * torch.log(p)
    background = (1 - center) * (1 - height) ** 4 * p**2 * torch.log(1 - p)
    return -(weight * (found + background)).sum()


def geometry_loss(predictions: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Sum the smooth L1 loss, in face sizes, of boxes and of landmarks; ``target`` is (B, n, n, 28)."""
    positive = target[..., 14] > 0
    predictions, target = predictions[positive], target[positive]
    error = (predictions - target[:, :14]).abs()
    smooth = torch.where(error < _SMOOTH_L1_BETA, error**2 / (2 * _SMOOTH_L1_BETA), error - _SMOOTH_L1_BETA / 2)
    weighted = smooth * target[:, 14:]
    return weighted[:, :4].sum(), weighted[:, 4:].sum()


def compute_losses(network: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Compute the losses per face of a batch: ``score``, ``box`` and ``landmarks``."""
    images, scores, geometries = batch
    with torch.autocast("cpu", torch.bfloat16):
        answers = network(images.float().contiguous(memory_format=torch.channels_last))
    # A face on two maps counts twice; batches almost without faces are divided by a usual number.
    faces = max(float(sum((score[..., 0] >= 1).sum() for score in scores)), _MIN_FACES_PER_CROP * len(images))
    losses = dict.fromkeys(("score", "box", "landmarks"), torch.zeros(()))
    for answer, score, geometry in zip(answers, scores, geometries, strict=True):
        answer = answer.permute(0, 2, 3, 1)
        parts = (score_loss(answer[..., 0], score), *geometry_loss(answer[..., 1:], geometry))
        losses = {name: total + part / faces for (name, total), part in zip(losses.items(), parts, strict=True)}
    return losses


class _State:
    """Network, averaged network and optimizer, and how far training is."""

    def __init__(self, training: DetectorTraining) -> None:
        self.network = TorchDetector().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        weights = list(self.network.parameters())
        # Only kernels decay.
        groups = [
            {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": training.weight_decay},
            {"params": [weight for weight in weights if weight.ndim == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=training.learning_rate, fused=True)
        self.step, self.spent_s = 0, 0.0

    def start_from(self, file: Path) -> None:
        for network in (self.network, self.average):
            network.load_keras_weights(load_weights(file))

    def resume(self, file: Path, fresh_schedule: bool) -> None:
        state = torch.load(file, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        if not fresh_schedule:
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent_s = state["step"], state["spent_s"]

    def update(self, batch: Batch, learning_rate: float, training: DetectorTraining) -> dict[str, float]:
        """Make one step and return the losses."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.network.train()
        losses = compute_losses(self.network, batch)
        weights = {"score": 1.0, "box": training.box_weight, "landmarks": training.landmark_weight}
        sum(weights[name] * loss for name, loss in losses.items()).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _MAX_GRADIENT_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._update_average(min(_AVERAGE_MOMENTUM, (1 + self.step) / (10 + self.step)))
        return {name: loss.item() for name, loss in losses.items()}

    @torch.no_grad()
    def _update_average(self, momentum: float) -> None:
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - momentum)
        for mine, theirs in zip(self.average.buffers(), self.network.buffers(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - momentum)

    def save(self, run_folder: Path) -> None:
        save_weights(self.average.keras_weights(), run_folder / WEIGHTS_FILE)
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        torch.save(parts | {"step": self.step, "spent_s": self.spent_s}, run_folder / STATE_FILE)


def train(
    training: DetectorTraining,
    photos: Path,
    run_folder: Path,
    negatives: Path | None = None,
    start: Path | None = None,
    resume: Path | None = None,
    fresh_schedule: bool = False,
) -> None:
    """Train until ``training.minutes`` are over, at least one step, and write ``run_folder``.

    ``start``: ``last.npz`` or ``model.keras`` with the first weights. ``resume``: ``state.pt`` of a run to go on with;
    with ``fresh_schedule`` only its weights are taken. On one thread: another is busy composing crops.
    """
    torch.set_num_threads(1)
    torch.manual_seed(training.seed)
    state = _State(training)
    if start:
        state.start_from(start)
    if resume:
        state.resume(resume, fresh_schedule)
    run_folder.mkdir(parents=True, exist_ok=True)
    files = {"photos": photos, "negatives": negatives, "start": start, "resume": resume}
    recipe: dict[str, Any] = {name: file and file.name for name, file in files.items()} | asdict(training)
    (run_folder / RECIPE_FILE).write_text(json.dumps(recipe, indent=1), encoding="utf-8")
    # Resumed training must not draw the crops of its beginning again.
    crops = SceneBatches(photos, negatives, replace(training, seed=training.seed + state.step))
    prefetched = 6 if training.workers else None
    loader = DataLoader(crops, batch_size=None, num_workers=training.workers, prefetch_factor=prefetched)
    begun_s = saved_s = time.monotonic()
    begun_s -= state.spent_s
    means: dict[str, float] = {}
    done = state.spent_s / (60 * training.minutes)
    for batch in loader:
        warmup = min(1.0, (state.step + 1) / _WARMUP_STEPS)
        rate = training.learning_rate * warmup * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2)
        for name, value in state.update(batch, rate, training).items():
            means[name] = 0.99 * means.get(name, value) + 0.01 * value
        state.spent_s = time.monotonic() - begun_s
        done = state.spent_s / (60 * training.minutes)
        if state.step % _LOG_STEPS == 0 or done >= 1:
            row = {"step": state.step, "minutes": round(state.spent_s / 60, 2), "rate": round(rate, 6)}
            row |= {name: round(value, 4) for name, value in means.items()}
            with (run_folder / LOG_FILE).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row) + "\n")
        if done >= 1:
            break
        if time.monotonic() - saved_s > 60 * training.save_minutes:
            state.save(run_folder)
            saved_s = time.monotonic()
    state.save(run_folder)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models detector-train", description="Train the face detector.")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="what detector-photos wrote")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--minutes", type=float, required=True, help="of the whole schedule")
    parser.add_argument("--negatives", type=Path, metavar="FILE", help="what detector-negatives wrote")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--start", type=Path, metavar="FILE", help="last.npz or model.keras with the first weights")
    begin.add_argument("--resume", type=Path, metavar="FILE", help="state.pt of a run to go on with")
    parser.add_argument("--fresh-schedule", action="store_true", help="with --resume: take only the weights")
    parser.add_argument("--batch-size", type=positive_int, default=DetectorTraining.batch_size, help="at 256 px")
    parser.add_argument("--rate", type=float, default=DetectorTraining.learning_rate)
    parser.add_argument("--workers", type=positive_int, default=DetectorTraining.workers)
    parser.add_argument("--seed", type=non_negative_int, default=DetectorTraining.seed)
    return run(parser, _train, arguments)


def _train(options: argparse.Namespace) -> None:
    training = DetectorTraining(
        minutes=options.minutes,
        batch_size=options.batch_size,
        learning_rate=options.rate,
        workers=options.workers,
        seed=options.seed,
    )
    files = (options.photos, options.run, options.negatives, options.start, options.resume)
    train(training, *files, options.fresh_schedule)


if __name__ == "__main__":
    sys.exit(main())

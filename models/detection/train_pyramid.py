"""Train the pyramid detector in PyTorch for as long as there is time.

    python -m models.detection.train_pyramid --cache FOLDER --run FOLDER --minutes 75 [--start weights.npz]

``run/last.npz`` holds the averaged weights under the names of the Keras layers, ``run/state.pt`` what ``--resume``
needs.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from models.detection import weight_file
from models.detection.pyramid_targets import encode
from models.detection.scenes import SceneMix, Scenes
from models.detection.torch_pyramid import TorchPyramid
from models.detection.train_pyramid_log import LOG_FILE, RECIPE_FILE
from models.detection.training_photos import PhotoCache

SIZES_PX, SIZE_SHARES = (256, 320, 192), (0.8, 0.12, 0.08)
LANDMARK_WEIGHT, BOX_WEIGHT = 2.5, 1.0
_SMOOTH_BELOW = 0.01
Batch = tuple[Tensor, list[Tensor], list[Tensor]]


class SceneBatches(IterableDataset[Batch]):
    """Endless batches: images (B, 3, n, n) uint8, and of each level ``score`` and ``geometry`` targets."""

    def __init__(self, cache: Path, batch_size: int, seed: int) -> None:
        self._cache, self._batch_size, self._seed = cache, batch_size, seed

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self._seed, 0 if worker is None else worker.id))
        scenes = Scenes(PhotoCache(self._cache))
        while True:
            size = int(rng.choice(SIZES_PX, p=SIZE_SHARES))
            count = max(4, round(self._batch_size * (256 / size) ** 2))
            drawn = [scenes.draw(size, rng) for _ in range(count)]
            targets = [encode(faces, size) for _, faces in drawn]
            images = torch.from_numpy(np.stack([image for image, _ in drawn])).permute(0, 3, 1, 2)
            levels = range(len(targets[0]))
            yield (
                images,
                [torch.from_numpy(np.stack([one[level][0] for one in targets])) for level in levels],
                [torch.from_numpy(np.stack([one[level][1] for one in targets])) for level in levels],
            )


def score_loss(logit: Tensor, target: Tensor) -> Tensor:
    """Focal loss with less penalty around a centre (Law & Deng 2018), summed; ``target`` (B, n, n, 2)."""
    height, weight = target[..., 0], target[..., 1]
    p = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    center = (height >= 1).float()
    found = center * (1 - p) ** 2 * torch.log(p)
    background = (1 - center) * (1 - height) ** 4 * p**2 * torch.log(1 - p)
    return -(weight * (found + background)).sum()


def geometry_loss(answer: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Smooth absolute error, in face sizes, of boxes and landmarks, each summed; ``target`` (B, n, n, 28)."""
    rows = target[..., 14] > 0
    answer, target = answer[rows], target[rows]
    error = (answer - target[:, :14]).abs()
    smooth = torch.where(error < _SMOOTH_BELOW, error**2 / (2 * _SMOOTH_BELOW), error - _SMOOTH_BELOW / 2)
    weighted = smooth * target[:, 14:]
    return weighted[:, :4].sum(), weighted[:, 4:].sum()


def losses(network: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Means over the faces of the batch."""
    images, scores, geometries = batch
    images = images.float().contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        answers = network(images)
    # A face on two levels counts twice; without any the sum is divided by a crop's usual number.
    faces = max(float(sum((score[..., 0] >= 1).sum() for score in scores)), 0.5 * len(images))
    parts = {"score": torch.zeros(()), "box": torch.zeros(()), "landmarks": torch.zeros(())}
    for answer, score, geometry in zip(answers, scores, geometries, strict=True):
        answer = answer.permute(0, 2, 3, 1)
        parts["score"] = parts["score"] + score_loss(answer[..., 0], score) / faces
        box, landmarks = geometry_loss(answer[..., 1:], geometry)
        parts["box"] = parts["box"] + box / faces
        parts["landmarks"] = parts["landmarks"] + landmarks / faces
    return parts


def train(options: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    network = TorchPyramid()
    if options.start:
        network.load_keras_weights(weight_file.load(options.start))
    network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    decayed = [one for one in network.parameters() if one.ndim > 1]
    plain = [one for one in network.parameters() if one.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": options.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, fused=True)
    step, spent_s = 0, 0.0
    if options.resume:
        state = torch.load(options.resume, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        if not options.fresh_schedule:
            optimizer.load_state_dict(state["optimizer"])
            step, spent_s = state["step"], state["spent_s"]
    loader = DataLoader(
        SceneBatches(options.cache, options.batch_size, options.seed + step),
        batch_size=None,
        num_workers=options.workers,
        prefetch_factor=6,
    )
    options.run.mkdir(parents=True, exist_ok=True)
    recipe = {name: value.name if isinstance(value, Path) else value for name, value in vars(options).items()}
    recipe |= {"sizes_px": SIZES_PX, "size_shares": SIZE_SHARES, "mix": asdict(SceneMix())}
    (options.run / RECIPE_FILE).write_text(json.dumps(recipe, indent=1))
    begun_s, saved_s = time.monotonic() - spent_s, time.monotonic()
    means: dict[str, float] = {}
    for batch in loader:
        done = (time.monotonic() - begun_s) / (60 * options.minutes)
        if done >= 1:
            break
        rate = options.rate * min(1.0, (step + 1) / 300) * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        network.train()
        parts = losses(network, batch)
        loss = parts["score"] + BOX_WEIGHT * parts["box"] + LANDMARK_WEIGHT * parts["landmarks"]
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        _average(average, network, min(0.999, (1 + step) / (10 + step)))
        for name, value in parts.items():
            means[name] = 0.99 * means.get(name, value.item()) + 0.01 * value.item()
        if step % 100 == 0:
            row = {"step": step, "minutes": round(options.minutes * done, 2), "rate": round(rate, 6)}
            row |= {name: round(value, 4) for name, value in means.items()}
            with (options.run / LOG_FILE).open("a") as stream:
                stream.write(json.dumps(row) + "\n")
        if time.monotonic() - saved_s > 60 * options.save_minutes:
            _save(options.run, network, average, optimizer, step, time.monotonic() - begun_s)
            saved_s = time.monotonic()
    _save(options.run, network, average, optimizer, step, time.monotonic() - begun_s)


@torch.no_grad()
def _average(average: nn.Module, network: nn.Module, momentum: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - momentum)
    for mine, theirs in zip(average.buffers(), network.buffers(), strict=True):
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs, 1 - momentum)


def _save(
    run: Path, network: nn.Module, average: TorchPyramid, optimizer: torch.optim.Optimizer, step: int, spent_s: float
) -> None:
    weight_file.save(average.keras_weights(), run / "last.npz")
    state = {"network": network.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(state | {"step": step, "spent_s": spent_s}, run / "state.pt")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.detection.train_pyramid", description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True, help="of the whole schedule")
    parser.add_argument("--start", type=Path, help="weights to start with, *.npz")
    parser.add_argument("--resume", type=Path, help="state.pt of a run to go on with")
    parser.add_argument("--fresh-schedule", action="store_true", help="with --resume: only its weights")
    parser.add_argument("--batch-size", type=int, default=16, help="at 256 px")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--save-minutes", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())

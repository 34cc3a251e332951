"""A training in PyTorch with bfloat16: network, averaged weights, optimizer, and the files that they are kept in.

``best.npz`` has the averaged weights of the best epoch by the names of the Keras layers, ``last.npz`` the newest,
``state.pt`` what resuming needs, ``history.csv`` a row for each epoch.
"""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.artifacts.model_card import HISTORY_FILE
from core.artifacts.storage import replacing
from core.errors import ConfigError
from models.detection.runs import save_weights
from models.training.config import TrainConfig
from models.training.torch_residual import TorchResidual

BEST_FILE, LAST_FILE, RESUME_FILE = "best.npz", "last.npz", "state.pt"
_CLIP_NORM = 10.0
_SAVE_EVERY_S = 600.0

Logits = dict[str, Tensor]
"""Output name -> (B, K) float32."""


class TorchSession:
    """Learns step by step with SGD, and keeps the best averaged weights."""

    def __init__(
        self, config: TrainConfig, network: TorchResidual, steps_per_epoch: int, run: Path, resume: bool
    ) -> None:
        """With ``resume``, go on from the state in ``run``. Raises ``ConfigError`` if there is none."""
        torch.set_num_threads(1)
        self._config, self._network, self._run = config, network, run
        self._steps_per_epoch = steps_per_epoch
        self.average = copy.deepcopy(network)
        self._kernels = [values for values in network.parameters() if values.ndim > 1]
        self._optimizer = torch.optim.SGD(
            network.parameters(), lr=config.learning_rate, momentum=config.momentum, nesterov=True, fused=True
        )
        self.step = 0
        self.best: dict[str, float] = {}
        self._spent_s, self._means = 0.0, dict[str, float]()
        if resume:
            self._load()
        else:
            run.mkdir(parents=True, exist_ok=True)
            (run / HISTORY_FILE).unlink(missing_ok=True)
        self._saved_s = time.monotonic()
        self._begun_s = self._saved_s - self._spent_s

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are done."""
        return self.step >= self._config.last_epoch * self._steps_per_epoch

    @property
    def ends_epoch(self) -> bool:
        """Whether the last step was the last one of its epoch."""
        return self.step > 0 and self.step % self._steps_per_epoch == 0

    def learn(self, crops: Tensor, compute_losses: Callable[[Logits], dict[str, Tensor]]) -> None:
        """Take one step on (B, C, H, W) crops, downwards the sum of the losses of the logits."""
        rate = learning_rate(self._config, self.step / self._steps_per_epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            logits = self._network(crops.contiguous(memory_format=torch.channels_last))
        parts = compute_losses(logits)
        torch.stack(list(parts.values())).sum().backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), _CLIP_NORM)
        self._optimizer.step()
        with torch.no_grad():
            torch._foreach_mul_(self._kernels, 1 - rate * self._config.weight_decay)
        self._optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._update_average(min(self._config.average_momentum, (1 + self.step) / (10 + self.step)))
        for name, value in parts.items():
            self._means[name] = 0.99 * self._means.get(name, value.item()) + 0.01 * value.item()
        if not self.ends_epoch and time.monotonic() - self._saved_s > _SAVE_EVERY_S:
            self._save()

    def end_epoch(self, scores: Mapping[str, float], loss: float) -> None:
        """Add a row to the history, keep the averaged weights if ``loss`` is the lowest so far, and save."""
        epoch = self.step // self._steps_per_epoch
        if not math.isfinite(sum(self._means.values())):
            raise ConfigError(f"the loss of epoch {epoch} is not finite: lower the learning rate")
        rate = self._optimizer.param_groups[0]["lr"]
        elapsed_s = time.monotonic() - self._begun_s
        self._append({"epoch": epoch, "learning_rate": rate, "elapsed_s": elapsed_s} | self._means | dict(scores))
        if not self.best or loss < self.best["loss"]:
            self.best = dict(scores) | {"loss": loss, "epoch": epoch}
            self._write_average(BEST_FILE)
        self._save()

    def _save(self) -> None:
        self._saved_s = time.monotonic()
        self._write_average(LAST_FILE)
        state = {
            "network": self._network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "spent_s": self._saved_s - self._begun_s,
            "best": self.best,
        }
        with replacing(self._run / RESUME_FILE) as partial:
            torch.save(state, partial)

    def _write_average(self, name: str) -> None:
        with replacing(self._run / name) as partial:
            save_weights(self.average.keras_weights(), partial)

    def _load(self) -> None:
        file = self._run / RESUME_FILE
        if not file.is_file():
            raise ConfigError(f"nothing to resume in {self._run}: run once without --resume")
        state = torch.load(file, weights_only=True)
        self._network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self._spent_s, self.best = state["step"], state["spent_s"], state["best"]

    def _append(self, row: Mapping[str, float]) -> None:
        file = self._run / HISTORY_FILE
        is_new = not file.is_file()
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            if is_new:
                writer.writerow(row)
            writer.writerow(f"{value:.6g}" for value in row.values())

    @torch.no_grad()
    def _update_average(self, momentum: float) -> None:
        averages, values = (list(network.parameters()) for network in (self.average, self._network))
        torch._foreach_lerp_(averages, values, 1 - momentum)
        for average, value in zip(self.average.buffers(), self._network.buffers(), strict=True):
            if average.dtype.is_floating_point:
                average.lerp_(value, 1 - momentum)


def learning_rate(config: TrainConfig, epochs_done: float) -> float:
    """Compute the rate of a step: a linear rise, then half a cosine down to a thousandth."""
    cosine = (1 + math.cos(math.pi * min(1.0, epochs_done / config.epochs))) / 2
    return config.learning_rate * min(1.0, 0.01 + epochs_done / config.warmup_epochs) * (0.001 + 0.999 * cosine)


@torch.no_grad()
def predict(network: TorchResidual, crops: NDArray) -> dict[str, NDArray[np.float32]]:
    """Predict probabilities of (N, H, W, C) crops on the 0-255 scale: output name -> (N, K)."""
    network.eval()
    images = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(images)
    return {name: values.softmax(-1).numpy() for name, values in logits.items()}

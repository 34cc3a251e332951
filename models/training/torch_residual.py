"""``models.architectures.residual`` in PyTorch, which trains it several times as fast on a CPU with bfloat16.

Layers have the same names and do the same, so that weights go from one to the other: ``keras_weights``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Weights = dict[str, list[NDArray[np.float32]]]
"""Layer of the Keras model -> its weights."""
_STANDARDISE_EPSILON = 8.0**2
_HEAD_STD = 0.01


class TorchResidual(nn.Module):
    """(B, C, H, W) crops on the 0-255 scale -> output name -> (B, K) float32 logits."""

    def __init__(
        self,
        outputs: Mapping[str, int],
        stages: Sequence[tuple[int, int]],
        stem: tuple[int, int],
        channels: int = 3,
        dropout: float = 0.4,
    ) -> None:
        """``outputs``: name -> number of values; the others are as in the Keras model."""
        super().__init__()
        self.stem = _ConvBN(channels, stem[0], 3, stem[1])
        filters = [stem[0], *(width for width, _ in stages)]
        self.blocks = nn.ModuleList(
            _Block(inside, width, stride) for inside, (width, stride) in zip(filters, stages, strict=False)
        )
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(filters[-1], width) for name, width in outputs.items()})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=_HEAD_STD)
            nn.init.zeros_(head.bias)
        self.to(memory_format=torch.channels_last)

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        crops = crops.float()
        mean = crops.mean((1, 2, 3), keepdim=True)
        deviation = (crops.var((1, 2, 3), keepdim=True, correction=0) + _STANDARDISE_EPSILON).sqrt()
        x = functional.relu(self.stem((crops - mean) / deviation), inplace=True)
        for block in self.blocks:
            x = block(x)
        features = self.dropout(x.float().mean((2, 3)))
        with torch.autocast("cpu", enabled=False):
            return {name: head(features) for name, head in self.heads.items()}

    def keras_weights(self) -> Weights:
        """Return the weights by the names of the Keras layers."""
        weights: Weights = {}
        for name, layer in self._layers().items():
            bn = layer.bn
            weights[f"{name}_conv"] = [_array(layer.conv.weight).transpose(2, 3, 1, 0)]
            weights[f"{name}_bn"] = [_array(values) for values in (bn.weight, bn.bias, bn.running_mean, bn.running_var)]
        for name, head in self.heads.items():
            weights[name] = [_array(head.weight).T, _array(head.bias)]
        return weights

    def load_keras_weights(self, weights: Mapping[str, Sequence[NDArray[np.float32]]]) -> None:
        """Do the inverse of ``keras_weights``. Raises ``KeyError`` for a missing layer, ``ValueError`` for other
        shapes."""
        for name, layer in self._layers().items():
            (kernel,), bn = weights[f"{name}_conv"], layer.bn
            _set(layer.conv.weight, kernel.transpose(3, 2, 0, 1))
            tensors = (bn.weight, bn.bias, bn.running_mean, bn.running_var)
            for tensor, values in zip(tensors, weights[f"{name}_bn"], strict=True):
                _set(tensor, values)
        for name, head in self.heads.items():
            kernel, bias = weights[name]
            _set(head.weight, kernel.T)
            _set(head.bias, bias)

    def _layers(self) -> dict[str, _ConvBN]:
        layers = {"stem": self.stem}
        for number, block in enumerate(self.blocks, start=1):
            parts = {"shortcut": block.shortcut, "a": block.a, "b": block.b}
            layers |= {f"block{number}_{name}": part for name, part in parts.items() if part is not None}
        return layers


class _ConvBN(nn.Module):
    def __init__(self, inside: int, filters: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, filters, kernel, stride, kernel // 2 if stride == 1 else 0, bias=False)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        self.bn = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.05)
        self._pad_end = kernel > 1 and stride == 2

    def forward(self, x: Tensor) -> Tensor:
        # As Keras' "same" with stride 2 and even sides: one more row and column at the end.
        return self.bn(self.conv(functional.pad(x, (0, 1, 0, 1)) if self._pad_end else x))


class _Block(nn.Module):
    def __init__(self, inside: int, filters: int, stride: int) -> None:
        super().__init__()
        self.shortcut = _ConvBN(inside, filters, 1, stride) if stride != 1 or inside != filters else None
        self.a = _ConvBN(inside, filters, 3, stride)
        self.b = _ConvBN(filters, filters, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.b(functional.relu(self.a(x), inplace=True))
        return functional.relu(y + (x if self.shortcut is None else self.shortcut(x)), inplace=True)


def insert_identity_blocks(
    weights: Weights, old: Sequence[tuple[int, int]], stages: Sequence[tuple[int, int]]
) -> Weights:
    """Turn the weights of a network with ``old`` stages into those of one with more ``stages`` that answers the same.

    A block of stride 1 with as many filters as the one before is new where ``old`` has another block or none; it starts
    as the identity, since its last normalisation multiplies by 0. Raises ``ValueError`` if other blocks are needed.
    """
    rng = np.random.default_rng(0)
    grown = {name: values for name, values in weights.items() if not name.startswith("block")}
    taken = 0
    for number, (filters, stride) in enumerate(stages, start=1):
        if taken < len(old) and tuple(old[taken]) == (filters, stride):
            taken += 1
            prefix = f"block{taken}_"
            parts = {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}
            grown |= {f"block{number}_{part}": values for part, values in parts.items()}
            continue
        if stride != 1 or number == 1 or stages[number - 2][0] != filters:
            raise ValueError(f"block {number} of {stages} is neither one of {old} nor can it be the identity")
        for part in "ab":
            kernel = rng.standard_normal((3, 3, filters, filters)) * np.sqrt(2 / (9 * filters))
            gamma, mean, variance = np.full(filters, part == "a"), np.zeros(filters), np.ones(filters)
            grown[f"block{number}_{part}_conv"] = [kernel.astype(np.float32)]
            bn = (gamma, np.zeros(filters), mean, variance)
            grown[f"block{number}_{part}_bn"] = [values.astype(np.float32) for values in bn]
    if taken < len(old):
        raise ValueError(f"{stages} lacks block {taken + 1} of {old}")
    return grown


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().float().contiguous().numpy().copy()


@torch.no_grad()
def _set(tensor: Tensor, values: NDArray[np.float32]) -> None:
    if tensor.shape != values.shape:
        raise ValueError(f"weights of shape {values.shape} do not fit {tuple(tensor.shape)}")
    tensor.copy_(torch.from_numpy(np.ascontiguousarray(values)))

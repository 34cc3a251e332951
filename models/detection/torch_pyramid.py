"""``models/architectures/face_detector_pyramid.py`` in PyTorch, which trains it twice as fast on a CPU.

Layers have the same names, so that weights go from one to the other: ``keras_weights``. Products run in bfloat16.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

GEOMETRY = 14
STRIDES = (8, 16, 32)
Weights = Mapping[str, list[NDArray[np.float32]]]


class _Depthwise(torch.autograd.Function):
    """Backwards in float32: PyTorch's bfloat16 kernel for it takes five times as long."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight.to(x.dtype), None, stride, padding, 1, weight.shape[0])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        places = ([ctx.stride] * 2, [ctx.padding] * 2, [1, 1], False, [0, 0], weight.shape[0], [True, True, False])
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(gradient.float(), x.float(), weight, None, *places)
        return of_x.to(x.dtype), of_weight, None, None


class Depthwise(nn.Module):
    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, kernel, kernel))
        nn.init.normal_(self.weight, std=(2 / kernel**2) ** 0.5)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return _Depthwise.apply(x, self.weight, 1, self.kernel // 2)
        return _Depthwise.apply(_padded(x, self.kernel), self.weight, self.stride, 0)


class ConvBN(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inside: int, filters: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, filters, kernel, stride, bias=False)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        self.bn = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.05)
        self.kernel = kernel

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(_padded(x, self.kernel))), inplace=True)


def _padded(x: Tensor, kernel: int) -> Tensor:
    """As Keras' "same" for stride 2 and even sides: one more row and column at the end."""
    return x if kernel == 1 else functional.pad(x, (kernel // 2 - 1, kernel // 2) * 2)


class Separable(nn.Module):
    def __init__(self, inside: int, filters: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.depthwise = Depthwise(inside, kernel, stride)
        self.point = ConvBN(inside, filters)

    def forward(self, x: Tensor) -> Tensor:
        return self.point(self.depthwise(x))


class TorchPyramid(nn.Module):
    """(B, 3, H, W) BGR on the 0-255 scale -> for each stride (B, 15, H/s, W/s): the score's logit and geometry."""

    def __init__(
        self,
        widths: tuple[int, int, int, int, int] = (16, 32, 64, 128, 160),
        blocks: tuple[int, int, int] = (2, 5, 2),
        head: int = 64,
        head_blocks: tuple[int, int, int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        self.blocks, self.head_blocks = blocks, head_blocks
        self.named = nn.ModuleDict({"stem": ConvBN(3, widths[0], 3, 2), "down4": Separable(widths[0], widths[1], 3, 2)})
        self.named["quarter1"] = Separable(widths[1], widths[1], 3, 1)
        inside = widths[1]
        for stride, width, count, kernel in zip(STRIDES, widths[2:], blocks, (3, 5, 5), strict=True):
            self.named[f"down{stride}"] = Separable(inside, width, 3, 2)
            for number in range(1, count + 1):
                self.named[f"at{stride}_{number}"] = Separable(width, width, kernel, 1)
            self.named[f"lateral{stride}"] = ConvBN(width, head)
            inside = width
        for stride, count in zip(STRIDES, head_blocks, strict=True):
            for number in range(1, count + 1):
                self.named[f"head{stride}_{number}"] = Separable(head, head, 3, 1)
            answer = nn.Conv2d(head, 1 + GEOMETRY, 1)
            nn.init.normal_(answer.weight, std=0.01)
            nn.init.zeros_(answer.bias)
            nn.init.constant_(answer.bias[:1], -4.6)
            self.named[f"answer_{stride}"] = answer

    def forward(self, image: Tensor) -> list[Tensor]:
        named, laterals = self.named, []
        x = named["quarter1"](named["down4"](named["stem"](image / 64 - 2)))
        for stride, count in zip(STRIDES, self.blocks, strict=True):
            x = named[f"down{stride}"](x)
            for number in range(1, count + 1):
                x = x + named[f"at{stride}_{number}"](x)
            laterals.append(named[f"lateral{stride}"](x))
        answers, coarser = [], None
        for stride, lateral, count in reversed(list(zip(STRIDES, laterals, self.head_blocks, strict=True))):
            x = (
                lateral
                if coarser is None
                else lateral + functional.interpolate(coarser, scale_factor=2.0, mode="nearest")
            )
            coarser = x
            for number in range(1, count + 1):
                x = x + named[f"head{stride}_{number}"](x)
            with torch.autocast("cpu", enabled=False):
                answers.append(named[f"answer_{stride}"](x.float()))
        return answers[::-1]

    def keras_weights(self) -> dict[str, list[NDArray[np.float32]]]:
        """Layer of the Keras model -> its weights."""
        weights = {}
        for name, module in self.named.items():
            if isinstance(module, nn.Conv2d):
                kernel, bias = _kernel(module.weight), _array(module.bias)
                stride = name.removeprefix("answer_")
                weights[f"score_{stride}"] = [kernel[..., :1], bias[:1]]
                weights[f"geometry_{stride}"] = [kernel[..., 1:], bias[1:]]
                continue
            if isinstance(module, Separable):
                weights[f"{name}_depthwise"] = [_array(module.depthwise.weight).transpose(2, 3, 0, 1)]
                module = module.point
            bn = module.bn
            weights[f"{name}_conv"] = [_kernel(module.conv.weight)]
            weights[f"{name}_bn"] = [_array(one) for one in (bn.weight, bn.bias, bn.running_mean, bn.running_var)]
        return weights

    def load_keras_weights(self, weights: Weights) -> None:
        """The inverse of ``keras_weights``; layers that are not in ``weights`` stay as they are."""
        for name, module in self.named.items():
            if isinstance(module, nn.Conv2d):
                stride = name.removeprefix("answer_")
                if f"score_{stride}" in weights:
                    both = (weights[f"score_{stride}"], weights[f"geometry_{stride}"])
                    _set(module.weight, np.concatenate([one[0] for one in both], axis=-1).transpose(3, 2, 0, 1))
                    _set(module.bias, np.concatenate([one[1] for one in both]))
                continue
            if f"{name}_conv" not in weights:
                continue
            if isinstance(module, Separable):
                _set(module.depthwise.weight, weights[f"{name}_depthwise"][0].transpose(2, 3, 0, 1))
                module = module.point
            _set(module.conv.weight, weights[f"{name}_conv"][0].transpose(3, 2, 0, 1))
            bn = module.bn
            for one, values in zip(
                (bn.weight, bn.bias, bn.running_mean, bn.running_var), weights[f"{name}_bn"], strict=True
            ):
                _set(one, values)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().float().contiguous().numpy().copy()


def _kernel(weight: Tensor) -> NDArray[np.float32]:
    return _array(weight).transpose(2, 3, 1, 0)


@torch.no_grad()
def _set(tensor: Tensor, values: NDArray[np.float32]) -> None:
    tensor.copy_(torch.from_numpy(np.ascontiguousarray(values)))

"""``models/architectures/face_detector.py`` in PyTorch, which trains it two to four times as fast on a CPU.

Convolutions run in bfloat16. Layers have the same names as in Keras, so that weights can be exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from core.detection.base import FaceArrays
from core.detection.decoding import STRIDES, decode
from models.detection.runs import Weights

_OUTPUTS = 15
"""Channels per cell: the logit of the score, then the geometry."""
_KERNEL, _DEPTHWISE, _VECTOR = (2, 3, 1, 0), (2, 3, 0, 1), (0,)
"""Order of axes in Keras."""


class _DepthwiseConvolution(torch.autograd.Function):
    """Gradients by the kernels that are fast on a CPU: PyTorch's own in bfloat16 take up to 30 times as long."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight.to(x.dtype), None, stride, padding, 1, weight.shape[0])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        channels, kernel, stride, padding = weight.shape[0], weight.shape[-1], ctx.stride, ctx.padding
        # The gradient of the input is a correlation with the mirrored kernel, with zeros in between for strides.
        spread = gradient
        if stride > 1:
            height, width = (side + kernel - 1 for side in x.shape[2:])
            spread = gradient.new_zeros(len(x), channels, height, width).contiguous(memory_format=torch.channels_last)
            rows, columns = (slice(kernel - 1, kernel - 1 + stride * side, stride) for side in gradient.shape[2:])
            spread[:, :, rows, columns] = gradient
        mirrored = weight.flip(2, 3).to(gradient.dtype)
        of_x = functional.conv2d(spread, mirrored, None, 1, 0 if stride > 1 else padding, 1, channels)
        # Fast in bfloat16 for 3x3, in float32 for 5x5.
        dtype = torch.float32 if kernel > 3 else gradient.dtype
        settings = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], channels, [False, True, False])
        gradients = torch.ops.aten.convolution_backward(
            gradient.to(dtype), x.to(dtype), weight.to(dtype), None, *settings
        )
        return of_x, gradients[1].float(), None, None


class Depthwise(nn.Module):
    """Depthwise convolution without bias."""

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, kernel, kernel))
        nn.init.normal_(self.weight, std=(2 / kernel**2) ** 0.5)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return _DepthwiseConvolution.apply(x, self.weight, 1, self.kernel // 2)
        return _DepthwiseConvolution.apply(_pad(x, self.kernel), self.weight, self.stride, 0)


class ConvBN(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, filters: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, kernel, stride, bias=False)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        self.bn = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.05)
        self.kernel = kernel

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(_pad(x, self.kernel))), inplace=True)


class Separable(nn.Module):
    """Depthwise convolution, then ``ConvBN`` of 1x1."""

    def __init__(self, inputs: int, filters: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.depthwise = Depthwise(inputs, kernel, stride)
        self.point = ConvBN(inputs, filters)

    def forward(self, x: Tensor) -> Tensor:
        return self.point(self.depthwise(x))


def _pad(x: Tensor, kernel: int) -> Tensor:
    """Pad as Keras's "same" does for stride 2 and even sides: one more row and column at the end."""
    return x if kernel == 1 else functional.pad(x, (kernel // 2 - 1, kernel // 2) * 2)


class TorchDetector(nn.Module):
    """(B, 3, H, W) BGR on the 0-255 scale -> for each stride (B, 15, H/s, W/s): logit of the score, geometry."""

    def __init__(
        self,
        widths: tuple[int, int, int, int, int] = (16, 32, 64, 128, 160),
        blocks: tuple[int, int, int] = (2, 5, 2),
        head: int = 64,
        head_blocks: tuple[int, int, int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        self._blocks, self._head_blocks = blocks, head_blocks
        self.named = nn.ModuleDict({"stem": ConvBN(3, widths[0], 3, 2), "down4": Separable(widths[0], widths[1], 3, 2)})
        self.named["quarter1"] = Separable(widths[1], widths[1], 3, 1)
        inputs = widths[1]
        for stride, width, count, kernel in zip(STRIDES, widths[2:], blocks, (3, 5, 5), strict=True):
            self.named[f"down{stride}"] = Separable(inputs, width, 3, 2)
            for number in range(1, count + 1):
                self.named[f"at{stride}_{number}"] = Separable(width, width, kernel, 1)
            self.named[f"lateral{stride}"] = ConvBN(width, head)
            inputs = width
        for stride, count in zip(STRIDES, head_blocks, strict=True):
            for number in range(1, count + 1):
                self.named[f"head{stride}_{number}"] = Separable(head, head, 3, 1)
            answer = nn.Conv2d(head, _OUTPUTS, 1)
            nn.init.normal_(answer.weight, std=0.01)
            nn.init.zeros_(answer.bias)
            # A probability of 0.01 at first, since almost every cell is background.
            nn.init.constant_(answer.bias[:1], -4.6)
            self.named[f"answer_{stride}"] = answer

    def forward(self, image: Tensor) -> list[Tensor]:
        named, laterals = self.named, []
        x = named["quarter1"](named["down4"](named["stem"](image / 64 - 2)))
        for stride, count in zip(STRIDES, self._blocks, strict=True):
            x = self._residual_blocks(named[f"down{stride}"](x), f"at{stride}", count)
            laterals.append(named[f"lateral{stride}"](x))
        answers: list[Tensor] = []
        coarser = None
        for stride, lateral, count in reversed(list(zip(STRIDES, laterals, self._head_blocks, strict=True))):
            up = 0 if coarser is None else functional.interpolate(coarser, scale_factor=2.0, mode="nearest")
            coarser = lateral + up
            x = self._residual_blocks(coarser, f"head{stride}", count)
            with torch.autocast("cpu", enabled=False):
                answers.insert(0, named[f"answer_{stride}"](x.float()))
        return answers

    def _residual_blocks(self, x: Tensor, stage: str, count: int) -> Tensor:
        for number in range(1, count + 1):
            x = x + self.named[f"{stage}_{number}"](x)
        return x

    @torch.no_grad()
    def predict(self, image: NDArray[np.uint8], min_score: float) -> FaceArrays:
        """(H, W, 3) uint8 BGR, H and W multiples of 32 -> faces before suppression, best first, in float32."""
        self.eval()
        answers = self(torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32)))
        maps = [answer[0].permute(1, 2, 0).numpy() for answer in answers]
        scores = [torch.sigmoid(answer[0, :1]).permute(1, 2, 0).numpy() for answer in answers]
        found = zip(scores, maps, STRIDES, strict=True)
        return FaceArrays.merge([decode(score, raw[..., 1:], min_score, s) for score, raw, s in found]).best_first()

    @torch.no_grad()
    def keras_weights(self) -> Weights:
        """Return copies of all weights by Keras layer."""
        return {
            layer: [tensor.float().permute(axes).numpy().copy() for tensor, axes in tensors]
            for layer, tensors in self._layers()
        }

    @torch.no_grad()
    def load_keras_weights(self, weights: Mapping[str, list[NDArray[np.float32]]]) -> None:
        """Set all weights. Raises ``KeyError`` if a layer is missing."""
        for layer, tensors in self._layers():
            for (tensor, axes), values in zip(tensors, weights[layer], strict=True):
                tensor.permute(axes).copy_(torch.from_numpy(values))

    def _layers(self) -> Iterator[tuple[str, list[tuple[Tensor, tuple[int, ...]]]]]:
        """Keras layer, its tensors in Keras's order, and the axes of each as Keras has them."""
        for name, module in self.named.items():
            if isinstance(module, nn.Conv2d):
                for output, part in (("score", slice(0, 1)), ("geometry", slice(1, None))):
                    layer = name.replace("answer", output)
                    yield layer, [(module.weight[part], _KERNEL), (module.bias[part], _VECTOR)]
                continue
            if isinstance(module, Separable):
                yield f"{name}_depthwise", [(module.depthwise.weight, _DEPTHWISE)]
                module = module.point
            yield f"{name}_conv", [(module.conv.weight, _KERNEL)]
            bn = module.bn
            yield f"{name}_bn", [(tensor, _VECTOR) for tensor in (bn.weight, bn.bias, bn.running_mean, bn.running_var)]

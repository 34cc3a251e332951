"""Networks stored for TensorFlow.js, run by TensorFlow: raw weights beside a manifest, and graphs as JSON.

TensorFlow has the operations, but not the form: optimised graphs hold fused ones without what its importer needs.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.errors import ArtifactCorruptError

Weights = Mapping[str, NDArray[Any]]
Node = Mapping[str, Any]


def read_weights(manifest: Sequence[Mapping[str, Any]], content: bytes) -> Weights:
    """Cut ``content`` into the arrays that ``manifest`` lists, in that order, by name.

    Quantised ones are stored as float16, or as integers with a ``scale`` and a ``min``. Raises ``ArtifactCorruptError``
    if the sizes differ.
    """
    weights, start = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        stored = entry.get("quantization", entry)
        count = math.prod(entry["shape"])
        dtype = np.dtype(stored["dtype"])
        if len(content) < start + count * dtype.itemsize:
            raise ArtifactCorruptError(f"the weights end before {entry['name']}")
        values = np.frombuffer(content, dtype, count, start).reshape(entry["shape"])
        start += values.nbytes
        if "scale" in stored:
            values = values * np.float32(stored["scale"]) + np.float32(stored["min"])
        weights[entry["name"]] = values.astype(entry["dtype"])
    if start != len(content):
        raise ArtifactCorruptError(f"{len(content) - start} bytes of the weights are in no array")
    return MappingProxyType(weights)


def load_graph(
    model: bytes, content: bytes, outputs: Sequence[str]
) -> Callable[[tf.Tensor], list[NDArray[np.float32]]]:
    """Load a graph model with one input; returns what computes the nodes called ``outputs`` from it.

    ``model``: JSON with ``modelTopology`` and ``weightsManifest``; ``content``: its weights. Raises
    ``ArtifactCorruptError`` for an operation that is not in ``_OPERATIONS``.
    """
    parsed = json.loads(model)
    nodes, weights = parsed["modelTopology"]["node"], read_weights(parsed["weightsManifest"], content)
    unknown = {node["op"] for node in nodes} - {"Placeholder", "Const", *_OPERATIONS}
    if unknown:
        raise ArtifactCorruptError(f"the graph has the unknown operations {', '.join(sorted(unknown))}")

    @tf.function(reduce_retracing=True)
    def run(images: tf.Tensor) -> list[tf.Tensor]:
        values: dict[str, tf.Tensor] = {name: tf.constant(array) for name, array in weights.items()}
        for node in nodes:
            if node["op"] == "Placeholder":
                values[node["name"]] = images
            elif node["op"] != "Const":
                inputs = [values[name.partition(":")[0]] for name in node["input"]]
                values[node["name"]] = _OPERATIONS[node["op"]](node, *inputs)
        return [values[name] for name in outputs]

    return lambda images: [value.numpy() for value in run(images)]


def resize(images: NDArray[Any], size: int) -> tf.Tensor:
    """Resize (N, H, W, C) to float32 as ``tf.image.resizeBilinear(images, [size, size])`` of TensorFlow.js does by
    default: between the four nearest pixels, which it takes for corners, without averaging."""
    return tf.raw_ops.ResizeBilinear(images=images.astype(np.float32), size=[size, size])


def _convolve(node: Node, images: tf.Tensor, filters: tf.Tensor, *more: tf.Tensor) -> tf.Tensor:
    value = tf.nn.conv2d(images, filters, _integers(node, "strides"), _text(node, "padding"))
    return _finish(node, value, *more)


def _depthwise(node: Node, images: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
    return tf.nn.depthwise_conv2d(images, filters, _integers(node, "strides"), _text(node, "padding"))


def _multiply(node: Node, left: tf.Tensor, right: tf.Tensor, *more: tf.Tensor) -> tf.Tensor:
    return _finish(node, tf.matmul(left, right), *more)


def _pool(node: Node, images: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool2d(images, _integers(node, "ksize"), _integers(node, "strides"), _text(node, "padding"))


def _finish(node: Node, value: tf.Tensor, *more: tf.Tensor) -> tf.Tensor:
    """Apply the operations that were fused to ``node``, with their inputs ``more``."""
    rest = list(more)
    for name in (base64.b64decode(name).decode() for name in _list(node, "fused_ops", "s")):
        if name == "BiasAdd":
            value = value + rest.pop(0)
        elif name == "Relu":
            value = tf.nn.relu(value)
        else:
            raise ArtifactCorruptError(f"{node['name']} is fused with the unknown operation {name}")
    return value


def _list(node: Node, name: str, kind: str) -> list[Any]:
    found: list[Any] = node["attr"].get(name, {}).get("list", {}).get(kind, [])
    return found


def _integers(node: Node, name: str) -> list[int]:
    return [int(value) for value in _list(node, name, "i")]


def _text(node: Node, name: str) -> str:
    return base64.b64decode(node["attr"][name]["s"]).decode()


_OPERATIONS: Mapping[str, Callable[..., tf.Tensor]] = {
    "Conv2D": _convolve,
    "_FusedConv2D": _convolve,
    "DepthwiseConv2dNative": _depthwise,
    "MatMul": _multiply,
    "_FusedMatMul": _multiply,
    "MaxPool": _pool,
    "Add": lambda node, left, right: left + right,
    "AddV2": lambda node, left, right: left + right,
    "Mul": lambda node, left, right: left * right,
    "Minimum": lambda node, left, right: tf.minimum(left, right),
    "Maximum": lambda node, left, right: tf.maximum(left, right),
    "Mean": lambda node, value, axes: tf.reduce_mean(value, axes),
    "Relu": lambda node, value: tf.nn.relu(value),
    "Sigmoid": lambda node, value: tf.sigmoid(value),
    "Softmax": lambda node, value: tf.nn.softmax(value),
    "Identity": lambda node, value: value,
}
"""Operation -> what computes it from its node and its inputs; those that the measured packages use."""

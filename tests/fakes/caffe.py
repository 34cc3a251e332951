"""Caffe pairs of a few hundred bytes that the real ``cv2.dnn`` reads: mean colour -> one dense layer -> softmax."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.attributes.caffe import MEAN_BGR, PAIRS

_ARCHITECTURE = """name: "tiny"
input: "data"
input_dim: 1 input_dim: 3 input_dim: 227 input_dim: 227
layer {{ name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param {{ pool: AVE global_pooling: true }} }}
layer {{ name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param {{ num_output: {classes} }} }}
"""
_SOFTMAX = 'layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }\n'


def weights_of(classes: int) -> NDArray[np.float32]:
    """(classes, 3): another one for each class and each of blue, green and red."""
    return np.random.default_rng(classes).normal(0, 0.02, (classes, 3)).astype(np.float32)


def expected_answers(crops: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """What the network makes of (N, h, w, 3) BGR crops: (N, classes) probabilities."""
    logits = (crops.mean(axis=(1, 2)) - MEAN_BGR) @ weights_of(classes).T
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    return likely / likely.sum(axis=1, keepdims=True)


def write_pair(folder: Path, attribute: str, *, classes: int | None = None, softmax: bool = True) -> None:
    """The pair's two files in ``folder``."""
    pair = PAIRS[attribute]
    architecture, weights = (folder / name for name in pair.file_names)
    classes = classes or pair.classes
    folder.mkdir(parents=True, exist_ok=True)
    architecture.write_text(_ARCHITECTURE.format(classes=classes) + _SOFTMAX * softmax, encoding="utf-8")
    weights.write_bytes(_net_parameter(weights_of(classes)))


def _net_parameter(weights: NDArray[np.float32]) -> bytes:
    """``NetParameter`` of caffe.proto with the one layer that has weights; field numbers are that file's."""
    blobs = _message(7, _blob(weights)) + _message(7, _blob(np.zeros(len(weights), np.float32)))
    return _message(1, b"tiny") + _message(100, _message(1, b"fc") + _message(2, b"InnerProduct") + blobs)


def _blob(values: NDArray[np.float32]) -> bytes:
    shape = _message(1, b"".join(_varint(side) for side in values.shape))
    return _message(7, shape) + _message(5, values.astype("<f4").tobytes())


def _message(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])

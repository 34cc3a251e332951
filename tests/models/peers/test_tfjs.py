"""Weights and graphs as TensorFlow.js stores them, made up here and computed by hand."""

import numpy as np
import pytest
import tensorflow as tf

from core.errors import ArtifactCorruptError
from models.peers.tfjs import load_graph, read_weights, resize
from tests.fakes.tfjs import graph, node


def test_weights_follow_each_other_in_every_stored_form():
    plain, half = np.array([[1.5, -2.0]], np.float32), np.array([0.25, 8.0], np.float16)
    manifest = [
        {"weights": [{"name": "plain", "shape": [1, 2], "dtype": "float32"}]},
        {
            "weights": [
                {"name": "half", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}},
                {
                    "name": "bytes",
                    "shape": [3],
                    "dtype": "float32",
                    "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
                },
                {"name": "whole", "shape": [], "dtype": "int32"},
            ]
        },
    ]
    content = plain.tobytes() + half.tobytes() + bytes((0, 2, 255)) + np.int32(7).tobytes()
    weights = read_weights(manifest, content)
    assert {name: array.tolist() for name, array in weights.items()} == {
        "plain": [[1.5, -2.0]],
        "half": [0.25, 8.0],
        "bytes": [-1.0, 0.0, 126.5],
        "whole": 7,
    }
    assert [array.dtype.name for array in weights.values()] == ["float32"] * 3 + ["int32"]
    for wrong in (content[:-1], content + b"\0"):
        with pytest.raises(ArtifactCorruptError, match="weights"):
            read_weights(manifest, wrong)


def test_a_graph_is_computed_as_its_nodes_say():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(1, 1, 2, 3)).astype(np.float32), np.array([0.5, -9.0, 0.0], np.float32)
    depthwise, dense = np.full((1, 1, 3, 1), 2, np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    nodes = [
        node("conv", "_FusedConv2D", "images", "kernel", "bias", fused=("BiasAdd", "Relu"), strides=(1, 1, 1, 1)),
        node("depth", "DepthwiseConv2dNative", "conv:0", "depthwise", strides=(1, 1, 1, 1)),
        node("pool", "MaxPool", "depth", strides=(1, 2, 2, 1), ksize=(1, 2, 2, 1)),
        node("mean", "Mean", "pool", "axes"),
        node("six", "Minimum", "mean", "limit"),
        node("dense", "_FusedMatMul", "six", "weights", "shift", fused=("BiasAdd",)),
        node("answer", "Softmax", "dense"),
    ]
    arrays = {
        "kernel": kernel,
        "bias": bias,
        "depthwise": depthwise,
        "axes": np.array([1, 2], np.int32),
        "limit": np.array(1.5, np.float32),
        "weights": dense,
        "shift": np.array([0.1, -0.1], np.float32),
    }
    run = load_graph(*graph(nodes, **arrays), ("answer", "six"))
    images = rng.normal(size=(3, 4, 4, 2)).astype(np.float32)
    answer, six = run(tf.constant(images))
    conv = np.maximum(images @ kernel[0, 0] + bias, 0) * 2
    pooled = conv.reshape(3, 2, 2, 2, 2, 3).max(axis=(2, 4))
    expected = np.minimum(pooled.mean(axis=(1, 2)), 1.5)
    logits = np.exp(expected @ dense + [0.1, -0.1])
    assert six == pytest.approx(expected, abs=1e-5)
    assert answer == pytest.approx(logits / logits.sum(axis=1, keepdims=True), abs=1e-5)


def test_what_is_unknown_is_named():
    with pytest.raises(ArtifactCorruptError, match="Cosine"):
        load_graph(*graph([node("answer", "Cosine", "images")]), ("answer",))
    fused = node("answer", "_FusedMatMul", "images", "weights", fused=("Elu",))
    run = load_graph(*graph([fused], weights=np.eye(2, dtype=np.float32)), ("answer",))
    with pytest.raises(ArtifactCorruptError, match="Elu"):
        run(tf.ones((1, 2)))


def test_resizing_takes_pixels_for_corners():
    row = np.array([0, 10], np.uint8).reshape(1, 1, 2, 1).repeat(2, axis=1)
    assert resize(row, 4)[0, 0, :, 0].numpy().tolist() == [0, 5, 10, 10]
    assert resize(np.arange(4, dtype=np.uint8).reshape(1, 1, 4, 1).repeat(4, axis=1), 2)[
        0, 0, :, 0
    ].numpy().tolist() == [
        0,
        2,
    ]

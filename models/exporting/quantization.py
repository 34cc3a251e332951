"""From a Keras model to files: weights of 16 bits, LiteRT models of float32, and LiteRT models of int8.

int8 takes a quarter of the bytes and, on a processor with int8 instructions, of the time of float32.
``docs/experiments.md`` has what each kind of quantisation costs.
"""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from ai_edge_quantizer import qtyping, quantizer
from ai_edge_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

_FLOAT16_MAX = float(np.finfo(np.float16).max)
_DYNAMIC_OPERATIONS = (qtyping.TFLOperationName.CONV_2D, qtyping.TFLOperationName.FULLY_CONNECTED)


def round_to_float16(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Round weights to what 16 bits can hold and return them as float32; arrays with larger values stay as they are."""
    return [
        weight.astype(np.float16).astype(weight.dtype) if np.abs(weight).max(initial=0.0) <= _FLOAT16_MAX else weight
        for weight in weights
    ]


def save_compressed(model: keras.Model, file: Path) -> None:
    """Save a ``.keras`` file and compress it, which Keras does not: half of the bits of rounded weights are zeros.

    bzip2 leaves a quarter less than deflate.
    """
    plain = file.with_name(f"plain-{file.name}")
    model.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    plain.unlink()


def to_float32(model: keras.Model, stored_bits: int = 32) -> bytes:
    """Convert to a LiteRT model whose signature ``serving_default`` takes ``image`` (B, H, W, C) uint8.

    A model for images of any size takes one image per call. With ``stored_bits`` 16, weights are stored as float16 and
    widened when the model is loaded.
    """
    _, height, width, channels = model.input_shape
    shape = [1 if height is None else None, height, width, channels]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        lambda image: model(tf.cast(image, tf.float32), training=False),
        input_signature=[tf.TensorSpec(shape, tf.uint8, name="image")],
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if stored_bits == 16:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def quantize_dynamic(float32_file: Path, int8_file: Path) -> None:
    """Write ``float32_file`` with int8 convolutions (except the first of each graph) and int8 dense layers.

    Ranges of activations are found anew for each image, so nothing is calibrated and no sum is rounded. The first
    convolution reads the standardised image: in int8 it costs 0.3 points of accuracy and gains no time, since it has
    few weights. Outputs stay float32: the mean of 101 age probabilities in steps of 1/256 would be off by years.
    """
    converter = quantizer.Quantizer(str(float32_file))
    first = "|".join(re.escape(name) for name in _first_convolutions(float32_file))
    for operation in _DYNAMIC_OPERATIONS:
        converter.add_dynamic_config(regex=f"^(?!{first}).*" if first else ".*", operation_name=operation, num_bits=8)
    converter.quantize().export_model(str(int8_file), overwrite=True)


def _first_convolutions(file: Path) -> list[str]:
    """The scope by which the quantiser knows the first convolution of each graph."""
    model = flatbuffer.read_model(str(file))
    names = []
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex].builtinCode
            if flatbuffer.TFL_OP_CODE_TO_NAME.get(code) == qtyping.TFLOperationName.CONV_2D:
                names.append(flatbuffer.get_op_scope(operator, graph.tensors))
                break
    return names

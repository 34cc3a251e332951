"""Turn a finished run into an artifact: ``python -m models.export CONFIG --data DIR``.

Writes ``model.keras``, a float32 and an int8 LiteRT model of which one is served (int8 if it loses at most
``MAX_INT8_LOSS`` on the side that training chose on), ``history.csv``, ``predictions.npz`` and ``card.json``. Weights
are stored in 16 bits, which halves the files; the float32 model computes in 32.
Needs TensorFlow for the conversion; the network may have been trained on any Keras backend.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from ai_edge_quantizer import qtyping, quantizer
from numpy.typing import NDArray

from core.artifact import ARTIFACTS_DIR, HISTORY_FILE, KERAS_FILE, SERVED_FILE
from core.datasets.samples import Samples, resized
from core.errors import FacetError
from models import registry
from models.cards import joined_history, new_card, rounds_of, write_card
from models.configs import config_named
from models.detection.export import export_detector
from models.evaluate import figures_of_file, store_predictions
from models.runs import weights_to_export
from models.tasks import CROP_TASKS
from models.train import RUNS
from models.train_config import TrainConfig

MAX_INT8_LOSS = 0.003
"""Accuracy that the int8 model may lose against float32 and still be served."""
MAX_INT8_MAE_LOSS = 0.03
"""The same for the age MAE, in years."""
CALIBRATION_IMAGES = 300
_INT8_OPERATIONS = (qtyping.TFLOperationName.CONV_2D, qtyping.TFLOperationName.ADD)


def export(config: TrainConfig, data_dir: Path, run: Path, folder: Path) -> Path:
    """Write the artifact of ``run`` to ``folder`` and return it."""
    task = CROP_TASKS[config.task]
    data = task.read(data_dir, config.image_size)
    folder.mkdir(parents=True, exist_ok=True)
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.set_weights(_rounded(weights_to_export(config, run)))
    save_compressed(model, folder / KERAS_FILE)
    (folder / HISTORY_FILE).write_text(joined_history(rounds_of(config, run)), encoding="utf-8")
    card = new_card(config, run, model.count_params())
    with tempfile.TemporaryDirectory() as temporary:
        files = {name: Path(temporary) / f"{name}.tflite" for name in ("float32", "int8")}
        full = Path(temporary) / "full.tflite"
        full.write_bytes(to_float32(model))
        files["float32"].write_bytes(to_float32(model, stored_bits=16))
        to_int8(full, _calibration(data.sides["train"], config.image_size), files["int8"])
        chosen_on = data.sides[task.choose_on]
        exports = {
            name: {"bytes": file.stat().st_size} | figures_of_file(file, chosen_on) for name, file in files.items()
        }
        served = "int8" if _close_enough(exports["float32"], exports["int8"]) else "float32"
        shutil.copyfile(files[served], folder / SERVED_FILE)
    card["exports"] = {"compared_on": task.choose_on, "served": served} | exports
    write_card(folder, card)
    store_predictions(folder, data)
    return folder


def _rounded(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """To what 16 bits can hold, still as float32."""
    return [weight.astype(np.float16).astype(weight.dtype) for weight in weights]


def save_compressed(model: keras.Model, file: Path) -> None:
    """A ``.keras`` file, which Keras leaves uncompressed: half of the bits of rounded weights are zeros."""
    plain = file.with_name(f"plain-{file.name}")
    model.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    plain.unlink()


def to_float32(model: keras.Model, stored_bits: int = 32) -> bytes:
    """A LiteRT model whose signature ``serving_default`` takes ``image`` (B, H, W, C) uint8.

    With ``stored_bits`` 16 its weights are kept as float16 and widened when it is loaded.
    """
    _, height, width, channels = model.input_shape
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        lambda image: model(tf.cast(image, tf.float32), training=False),
        input_signature=[tf.TensorSpec([None, height, width, channels], tf.uint8, name="image")],
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if stored_bits == 16:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return bytes(converter.convert())


def to_int8(float32_file: Path, images: NDArray[np.uint8], int8_file: Path) -> None:
    """Quantise convolutions and sums to int8, calibrated on ``images`` (N, H, W, C) uint8.

    The standardisation, the pooling, the small output layers and their softmax stay float32: a variance needs more
    than 256 levels, and the mean of 101 age probabilities in steps of 1/256 would be off by years.
    """
    converter = quantizer.Quantizer(str(float32_file))
    for operation in _INT8_OPERATIONS:
        converter.add_static_config(regex=".*", operation_name=operation, activation_num_bits=8, weight_num_bits=8)
    statistics = converter.calibrate({"serving_default": [{"image": image[None]} for image in images]})
    converter.quantize(statistics).export_model(str(int8_file), overwrite=True)


def _calibration(train: Samples, image_size: int) -> NDArray[np.uint8]:
    rows = np.random.default_rng(0).permutation(len(train))[:CALIBRATION_IMAGES]
    return resized(train.images[rows], image_size)


def _close_enough(float32: dict[str, float], int8: dict[str, float]) -> bool:
    accuracies = [name for name in ("accuracy", "gender_accuracy") if name in float32]
    if any(float32[name] - int8[name] > MAX_INT8_LOSS for name in accuracies):
        return False
    return "age_mae" not in float32 or int8["age_mae"] - float32["age_mae"] <= MAX_INT8_MAE_LOSS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.export", description="Make an artifact from a run.")
    parser.add_argument("config", help="name of a config in models/configs.py")
    parser.add_argument("--data", type=Path, required=True, help="folder with fer2013/ or fer2013.csv, and UTKFace/")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where run folders are kept (default: runs)")
    parser.add_argument("--artifacts", type=Path, default=ARTIFACTS_DIR, help="where to put the artifact")
    options = parser.parse_args(arguments)
    try:
        config = config_named(options.config)
        write = export_detector if config.task == "detection" else export
        folder = write(config, options.data, options.runs / config.name, options.artifacts / config.name)
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    print(json.dumps({"artifact": str(folder), "exports": card["exports"], "metrics": card["metrics"]}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

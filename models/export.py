"""Turn a finished run into an artifact: ``python -m models export CONFIG --data DIR``.

Writes ``model.keras``, a float32 and an int8 LiteRT model of which one is served (int8 if it is no larger and loses at
most ``MAX_INT8_LOSS`` on the side that training chose on), ``history.csv``, ``predictions.npz`` and ``card.json``.
Weights are stored in 16 bits, which halves the files; the float32 model computes in 32. Model files of 5 MB and more
are made and served like the others, but git is told to leave them out.
Needs TensorFlow for the conversion; the network may have been trained on any Keras backend.

``python -m models export ARTIFACT --format json-h5`` writes the network in the form of older Keras projects instead,
see ``models.exporting.keras_json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

from core.artifacts.model_card import ARTIFACTS_DIR, HISTORY_FILE, KERAS_FILE, SERVED_FILE, SPEED_FILE, TWO_VIEWS_FILE
from core.datasets.samples import Samples
from models import registry
from models.cli import add_data, run
from models.detection.export import export_detector
from models.evaluate import figures_of_file, store_predictions
from models.exporting.keras_json import trained_model, write_json_h5
from models.exporting.model_card import facts_of, joined_history, new_card, read_card, rounds_of, write_card
from models.exporting.quantization import to_int8
from models.training.config import TrainConfig
from models.training.recipes import config_named
from models.training.runs import RUNS, folder_of_run, weights_to_export
from models.training.tasks import ATTRIBUTE_TASKS, load_data

MAX_INT8_LOSS = 0.003
"""Accuracy that the int8 model may lose against float32 and still be served."""
MAX_INT8_MAE_LOSS = 0.03
"""The same for the age MAE, in years."""
_ACCURACIES = ("accuracy", "gender_accuracy", "age_group_accuracy")
_LARGEST_16_BITS = float(np.finfo(np.float16).max)


def export(config: TrainConfig, data_dir: Path, run: Path, folder: Path) -> Path:
    """Write the artifact of ``run`` to ``folder`` and return it."""
    task = ATTRIBUTE_TASKS[config.task]
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.set_weights(_rounded(weights_to_export(config, run)))
    card = new_card(config, run, model.count_params(), int(model.input_shape[-1]), facts_of(model))
    data = load_data(task.core_task, data_dir, config.image_size)
    # A run that learnt from a pack never saw the test split, which the metrics are about.
    facts = data.metadata()
    card["data"] |= {name: facts[name] | card["data"].get(name, {}) for name in ("samples", "fingerprints")}
    folder.mkdir(parents=True, exist_ok=True)
    save_compressed(model, folder / KERAS_FILE)
    (folder / HISTORY_FILE).write_text(joined_history(rounds_of(config, run)), encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        forms = _served_forms(model, Path(temporary))
        exports = {
            name: _figures(form, data.splits[task.validation_split], task.core_task) for name, form in forms.items()
        }
        served = "int8" if _close_enough(exports["float32"], exports["int8"]) else "float32"
        shutil.copyfile(forms[served], folder / SERVED_FILE)
    card["exports"] = {"compared_on": task.validation_split, "served": served} | exports
    # Of another network: two views belong to the answers that are stored now, times to the file that is served now.
    for name in (TWO_VIEWS_FILE, SPEED_FILE):
        (folder / name).unlink(missing_ok=True)
    write_card(folder, card)
    store_predictions(folder, data)
    return folder


def _served_forms(model: keras.Model, folder: Path) -> dict[str, Path | str]:
    """``float32`` and ``int8`` -> its LiteRT file in ``folder``, or why there is none of int8."""
    forms: dict[str, Path | str] = {"float32": folder / "float32.tflite", "int8": folder / "int8.tflite"}
    full = folder / "full.tflite"
    full.write_bytes(to_float32(model))
    (folder / "float32.tflite").write_bytes(to_float32(model, stored_bits=16))
    try:
        to_int8(full, folder / "int8.tflite")
    # The quantiser gives up on networks that it does not know in many ways, none of them documented.
    except Exception as error:
        forms["int8"] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return forms


def _figures(form: Path | str, samples: Samples, task: str) -> dict[str, Any]:
    if isinstance(form, str):
        return {"failed": form}
    return {"bytes": form.stat().st_size} | figures_of_file(form, samples, task)


def _rounded(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """To what 16 bits can hold, still as float32; an array with values beyond that stays as it is."""
    return [
        weight.astype(np.float16).astype(weight.dtype)
        if np.abs(weight).max(initial=0.0) <= _LARGEST_16_BITS
        else weight
        for weight in weights
    ]


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


def _close_enough(float32: Mapping[str, Any], int8: Mapping[str, Any]) -> bool:
    """Whether int8 exists, is no larger, and loses too little to matter in any figure."""
    if "failed" in int8 or int8["bytes"] > float32["bytes"]:
        return False
    if any(float32[name] - int8[name] > MAX_INT8_LOSS for name in _ACCURACIES if name in float32):
        return False
    return "age_mae" not in float32 or int8["age_mae"] - float32["age_mae"] <= MAX_INT8_MAE_LOSS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models export", description="Make an artifact from a run.")
    parser.add_argument("config", help="name of a config, or with --format of an artifact")
    add_data(parser, required=False)
    parser.add_argument("--runs", type=Path, default=RUNS, help="where run folders are kept (default: runs)")
    parser.add_argument("--artifacts", type=Path, default=ARTIFACTS_DIR, help="where the artifacts are")
    parser.add_argument("--format", choices=("artifact", "json-h5"), default="artifact", help="what to write")
    parser.add_argument("--output", type=Path, default=Path(), help="folder for --format json-h5 (default: here)")
    options = parser.parse_args(arguments)
    if options.format == "artifact" and options.data is None:
        parser.error("--data is needed to make an artifact")
    write = _json_h5 if options.format == "json-h5" else _artifact
    return run(parser, lambda options: print(json.dumps(write(options), indent=2)), arguments)


def _artifact(options: argparse.Namespace) -> dict[str, Any]:
    config = config_named(options.config)
    write = export_detector if config.task == "detection" else export
    folder = write(config, options.data, folder_of_run(config, options.runs), options.artifacts / config.name)
    card = read_card(folder)
    facts = {name: card[name] for name in ("exports", "metrics", "not_included")}
    return {"artifact": str(folder)} | facts


def _json_h5(options: argparse.Namespace) -> dict[str, Any]:
    name = options.config
    model = trained_model(name, options.runs / name, options.artifacts / name)
    architecture, weights = write_json_h5(model, options.output, name)
    return {"architecture": str(architecture), "weights": str(weights)}


if __name__ == "__main__":
    sys.exit(main())

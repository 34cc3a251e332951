"""Turn a finished run into an artifact: ``python -m models export CONFIG --data DIR``.

Writes ``model.keras``, a float32 and an int8 LiteRT model of which one is served (int8 if it is no larger and loses at
most ``MAX_INT8_LOSS`` on the validation split), ``history.csv``, ``predictions.npz`` and ``card.json``. Weights are
stored in 16 bits, which halves the files; the float32 model computes in 32. Model files of 5 MB and more are made and
served like the others, but git is told to leave them out. Needs TensorFlow for the conversion; the network may have
been trained on any Keras backend.

``python -m models export ARTIFACT --format json-h5`` writes the network as JSON and HDF5 instead, see
``models.exporting.keras_json``; ``--format texts`` only renews the texts on the card of an artifact.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras

from core.artifacts.model_card import (
    ARTIFACTS_DIR,
    HISTORY_FILE,
    KERAS_FILE,
    SERVED_FILE,
    SEVERAL_VIEWS_FILE,
    SPEED_FILE,
)
from core.datasets.samples import Samples
from models import registry
from models.cli import add_data, artifact_folder, run
from models.evaluate import evaluate_file, store_predictions
from models.exporting.keras_json import load_trained_model, write_json_h5
from models.exporting.model_card import (
    build_card,
    describe_network,
    join_histories,
    list_stages,
    read_card,
    renew_texts,
    write_card,
)
from models.exporting.quantization import quantize_dynamic, round_to_float16, save_compressed, to_float32
from models.training.config import TrainConfig
from models.training.recipes import get_recipe
from models.training.runs import RUNS, load_best_weights, locate_run
from models.training.tasks import TASKS, load_data

MAX_INT8_LOSS = 0.003
"""Accuracy that the int8 model may lose against float32 and still be served."""
MAX_INT8_MAE_LOSS = 0.03
"""The same for the age MAE, in years."""
_ACCURACIES = ("accuracy", "gender_accuracy", "age_group_accuracy")


def export(config: TrainConfig, data_dir: Path, run_folder: Path, folder: Path) -> Path:
    """Write the artifact of the run in ``run_folder`` to ``folder`` and return ``folder``."""
    task = TASKS[config.task]
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.set_weights(round_to_float16(load_best_weights(config, run_folder)))
    card = build_card(config, run_folder, model.count_params(), int(model.input_shape[-1]), describe_network(model))
    data = load_data(task.core_task, data_dir, config.image_size)
    # A run may have seen fewer splits than the metrics are about.
    metadata = data.metadata()
    card["data"] |= {name: metadata[name] | card["data"].get(name, {}) for name in ("samples", "fingerprints")}
    folder.mkdir(parents=True, exist_ok=True)
    save_compressed(model, folder / KERAS_FILE)
    (folder / HISTORY_FILE).write_text(join_histories(list_stages(config, run_folder)), encoding="utf-8")
    samples = data.splits[task.validation_split]
    with tempfile.TemporaryDirectory() as temporary:
        files = _convert(model, Path(temporary))
        exports = {name: _evaluate(file, samples, task.core_task) for name, file in files.items()}
        served = "int8" if _is_close(exports["float32"], exports["int8"]) else "float32"
        shutil.copyfile(files[served], folder / SERVED_FILE)
    card["exports"] = {"compared_on": task.validation_split, "served": served} | exports
    # Of an earlier network: its predictions from several views and its times do not hold for this one.
    for name in (SEVERAL_VIEWS_FILE, SPEED_FILE):
        (folder / name).unlink(missing_ok=True)
    write_card(folder, card)
    store_predictions(folder, data)
    return folder


def _convert(model: keras.Model, folder: Path) -> dict[str, Path | str]:
    """``float32`` and ``int8`` -> the LiteRT file in ``folder``, or why int8 failed."""
    files: dict[str, Path | str] = {"float32": folder / "float32.tflite", "int8": folder / "int8.tflite"}
    full = folder / "full.tflite"
    full.write_bytes(to_float32(model))
    (folder / "float32.tflite").write_bytes(to_float32(model, stored_bits=16))
    try:
        quantize_dynamic(full, folder / "int8.tflite")
    # The quantiser gives up on networks that it does not know in many ways, none of them documented.
    except Exception as error:
        files["int8"] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return files


def _evaluate(file: Path | str, samples: Samples, task: str) -> dict[str, Any]:
    if isinstance(file, str):
        return {"failed": file}
    return {"bytes": file.stat().st_size} | evaluate_file(file, samples, task)


def _is_close(float32: Mapping[str, Any], int8: Mapping[str, Any]) -> bool:
    """Whether int8 exists, is no larger, and loses too little to matter in any metric."""
    if "failed" in int8 or int8["bytes"] > float32["bytes"]:
        return False
    if any(float32[name] - int8[name] > MAX_INT8_LOSS for name in _ACCURACIES if name in float32):
        return False
    return "age_mae" not in float32 or int8["age_mae"] - float32["age_mae"] <= MAX_INT8_MAE_LOSS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models export", description="Make an artifact from a run.")
    parser.add_argument("config", help="name of a recipe, or with --format of an artifact")
    add_data(parser, required=False)
    parser.add_argument("--runs", type=Path, default=RUNS, help="where run folders are kept (default: runs)")
    parser.add_argument("--artifacts", type=Path, default=ARTIFACTS_DIR, help="where the artifacts are")
    parser.add_argument(
        "--format",
        choices=tuple(_WRITERS),
        default="artifact",
        help="what to write; texts: only the texts on the card of an artifact, renewed",
    )
    parser.add_argument("--output", type=Path, default=Path(), help="folder for --format json-h5 (default: here)")
    options = parser.parse_args(arguments)
    if options.format == "artifact" and options.data is None:
        parser.error("--data is needed to make an artifact")
    return run(parser, lambda options: print(json.dumps(_WRITERS[options.format](options), indent=2)), arguments)


def _write_artifact(options: argparse.Namespace) -> dict[str, Any]:
    config = get_recipe(options.config)
    folder = export(config, options.data, locate_run(config, options.runs), options.artifacts / config.name)
    card = read_card(folder)
    return {"artifact": str(folder)} | {name: card[name] for name in ("exports", "metrics", "not_included")}


def _write_json_h5(options: argparse.Namespace) -> dict[str, Any]:
    name = options.config
    model = load_trained_model(name, options.runs / name, options.artifacts / name)
    architecture, weights = write_json_h5(model, options.output, name)
    return {"architecture": str(architecture), "weights": str(weights)}


def _write_texts(options: argparse.Namespace) -> dict[str, Any]:
    folder = artifact_folder(options.config)
    write_card(folder, renew_texts(read_card(folder)))
    return {"artifact": str(folder)}


_WRITERS = {"artifact": _write_artifact, "json-h5": _write_json_h5, "texts": _write_texts}


if __name__ == "__main__":
    sys.exit(main())

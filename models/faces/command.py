"""Train a recipe that learns from packed faces: pack them where they are not, find the teacher, keep a run folder.

The run folder has what ``python -m models export`` reads, as after every training.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.artifacts.model_card import KERAS_FILE, artifacts_dir, load_card, verified_file
from core.artifacts.storage import save_json, sha256_of
from core.datasets.samples import fingerprint, subsample
from models import registry
from models.exporting.model_card import describe_network, read_card
from models.faces.packing import TABLE_FILE, PackedFaces, find_landmarks, load_packed, pack, portrait_detector
from models.faces.targets import TEACHER_FILE, build_targets
from models.faces.train import BEST_FILE, learning_of, load_weights, train
from models.training.config import TrainConfig
from models.training.runs import RUN_FILE, STATE_FILE, WEIGHTS_FILE
from models.training.torch_residual import Weights, insert_identity_blocks

PACKED_FOLDER = "packed_faces"
"""Beside the run folders."""


def train_faces(
    config: TrainConfig, data_dir: Path, workdir: Path, resume: bool = False, limit: int | None = None
) -> dict[str, float]:
    """Train ``config`` on the faces of ``data_dir`` and return the scores of the best epoch.

    Faces are packed once, into a folder beside ``workdir``. The teacher's answers are used where ``data_dir`` has them.
    ``limit``: number of faces to use of each split, to try things out.
    """
    packed = workdir.parent / PACKED_FOLDER
    if not (packed / TABLE_FILE).is_file():
        detector = portrait_detector()
        print(pack(data_dir, packed, detector), flush=True)
        find_landmarks(packed, detector)
    faces = load_packed(packed)
    if limit:
        splits = [np.nonzero(faces.split == split)[0] for split in ("train", "validation")]
        faces = faces.take(np.concatenate([rows[subsample(rows, limit)] for rows in splits]))
    teacher = data_dir / TEACHER_FILE
    has_teacher = teacher.is_file()
    print(
        f"learns from labels and the answers of {teacher}" if has_teacher else f"labels alone: no {teacher}", flush=True
    )
    start = None if resume else _start(config)
    workdir.mkdir(parents=True, exist_ok=True)
    model = registry.build(config.architecture, **config.architecture_arguments)
    record = {"config": asdict(config), "backend": "torch"} | describe_network(model) | _describe_data(faces)
    if learning_of(config).start_artifact:
        record["start"] = f"weights of the artifact {learning_of(config).start_artifact} as it was then"
    record["teacher"] = {"file": teacher.name, "sha256": sha256_of(teacher)} if has_teacher else None
    (workdir / RUN_FILE).write_text(json.dumps(record, indent=2, default=str))
    best = train(config, faces, build_targets(faces, teacher if has_teacher else None), workdir, resume, start)
    set_layer_weights(model, load_weights(workdir / BEST_FILE))
    model.save_weights(workdir / WEIGHTS_FILE)
    save_json(workdir / STATE_FILE, {"epoch": config.epochs, "best": best})
    return best


def layer_weights(model: keras.Model) -> Weights:
    """Return the weights of a Keras model by layer."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def set_layer_weights(model: keras.Model, weights: Weights) -> None:
    """Do the inverse of ``layer_weights``. Raises ``KeyError`` for a missing layer."""
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(weights[layer.name])


def _start(config: TrainConfig) -> Weights | None:
    """Read the initial weights from the artifact that ``config`` names. Raises ``ArtifactError`` if it is missing."""
    name = learning_of(config).start_artifact
    if name is None:
        return None
    folder = artifacts_dir() / name
    model = keras.saving.load_model(verified_file(folder, KERAS_FILE, load_card(folder)), compile=False)
    built = read_card(folder)["training"]["rounds"][-1]["config"]["architecture_arguments"]
    stages: Any = config.architecture_arguments["stages"]
    return insert_identity_blocks(layer_weights(model), [tuple(stage) for stage in built["stages"]], stages)


def _describe_data(faces: PackedFaces) -> dict[str, Any]:
    learnt = faces.split == "train"
    ids = [f"{source}/{name}" for source, name in zip(faces.source[learnt], faces.name[learnt], strict=True)]
    return {
        "samples": {"train": len(ids)},
        "fingerprints": {"train": fingerprint(ids)},
        "sources": dict(Counter(faces.source[learnt].tolist())),
    }

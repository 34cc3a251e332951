"""Train a recipe that learns from packed faces: pack them where they are not, find the teacher, keep a run folder.

The run folder has what ``python -m models export`` reads, as after every training.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from core.artifacts.storage import sha256_of
from core.datasets.samples import fingerprint, subsample
from models import registry
from models.faces.packing import TABLE_FILE, PackedFaces, find_landmarks, load_packed, pack, portrait_detector
from models.faces.targets import TEACHER_FILE, build_targets
from models.faces.train import train
from models.training.config import TrainConfig
from models.training.torch_trainer import keep_best, load_start, record_run

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
    start = None if resume else load_start(config)
    model = registry.build(config.architecture, **config.architecture_arguments)
    metadata = _describe_data(faces)
    metadata["teacher"] = {"file": teacher.name, "sha256": sha256_of(teacher)} if has_teacher else None
    workdir.mkdir(parents=True, exist_ok=True)
    record_run(config, model, workdir, metadata)
    best = train(config, faces, build_targets(faces, teacher if has_teacher else None), workdir, resume, start)
    keep_best(config, model, workdir, best)
    return best


def _describe_data(faces: PackedFaces) -> dict[str, Any]:
    learnt = faces.split == "train"
    ids = [f"{source}/{name}" for source, name in zip(faces.source[learnt], faces.name[learnt], strict=True)]
    return {
        "samples": {"train": len(ids)},
        "fingerprints": {"train": fingerprint(ids)},
        "sources": dict(Counter(faces.source[learnt].tolist())),
    }

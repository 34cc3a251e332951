"""Learn from a teacher's answers (Hinton et al. 2015), also about faces that have no label.

``EMOTION_TEACHER_FILE`` in the data folder holds answers about FER2013's training images, and crops of other data sets
with answers about them. ``python -m models teach`` writes it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.artifacts.storage import replacing
from core.datasets.samples import Samples
from core.errors import DatasetError
from models.training.sampling import compute_class_weights

EMOTION_TEACHER_FILE = "teacher_emotion.npz"
_GROUPS = ("labelled", "unlabelled")
_CLASS_POWER = 0.5

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TeacherAnswers:
    """``ids`` (N,); ``images`` (N, size, size, 1) uint8 crops, or none of them; ``probabilities`` (N, K) float32."""

    ids: NDArray[np.str_]
    images: NDArray[np.uint8]
    probabilities: Floats


def save_answers(file: Path, labelled: TeacherAnswers, unlabelled: TeacherAnswers) -> None:
    """Write answers about training images, whose crops are not kept, and about unlabelled faces."""
    columns = {
        f"{group}_{name}": getattr(answers, name)
        for group, answers in zip(_GROUPS, (labelled, unlabelled), strict=True)
        for name in ("ids", "images", "probabilities")
    }
    with replacing(file) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **columns)


def read_answers(data_dir: Path) -> tuple[TeacherAnswers, TeacherAnswers]:
    """Read the answers about training images and about unlabelled faces. Raises ``DatasetError`` if there are none."""
    file = data_dir / EMOTION_TEACHER_FILE
    if not file.is_file():
        raise DatasetError(f"{file} is missing: write it with python -m models teach PACKED --data {data_dir}")
    with np.load(file) as columns:
        labelled, unlabelled = (
            TeacherAnswers(*(columns[f"{group}_{name}"] for name in ("ids", "images", "probabilities")))
            for group in _GROUPS
        )
    return labelled, unlabelled


def mix_with_teacher(ids: NDArray[np.str_], targets: Floats, answers: TeacherAnswers, share: float) -> Floats:
    """Give the teacher ``share`` of the (N, K) targets of the images ``ids``, where it has answered."""
    row_of = {name: row for row, name in enumerate(answers.ids.tolist())}
    rows = np.array([row_of.get(name, -1) for name in ids.tolist()])
    own = np.where(rows[:, None] >= 0, np.float32(1 - share), np.float32(1))
    return np.asarray(own * targets + (1 - own) * answers.probabilities[rows], np.float32)


def join_unlabelled(train: Samples, unlabelled: Samples) -> Samples:
    """Return both as one; of the labels only those that both have."""
    if train.images.shape[1:] != unlabelled.images.shape[1:]:
        raise DatasetError(f"{EMOTION_TEACHER_FILE} has crops of {unlabelled.images.shape[1:]}: write it again")
    return Samples(
        np.concatenate([train.ids, unlabelled.ids]),
        np.concatenate([train.images, unlabelled.images]),
        {name: np.concatenate([train.labels[name], values]) for name, values in unlabelled.labels.items()},
    )


def unlabelled_weights(probabilities: Floats, total: float) -> NDArray[np.float64]:
    """Weight unlabelled faces: (N,), of sum ``total``. What the teacher is sure of counts more, and so does what it
    rarely answers."""
    weights = probabilities.max(axis=1) * compute_class_weights(probabilities.argmax(axis=1), _CLASS_POWER)
    return np.asarray(weights * (total / weights.sum()), np.float64)


def count_sources(ids: NDArray[np.str_]) -> dict[str, int]:
    """Count ids of the form ``source/name`` by source."""
    return dict(Counter(name.partition("/")[0] for name in ids.tolist()))

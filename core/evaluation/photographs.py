"""Evaluate detector and networks together on labelled photographs: a label is about the largest face that is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.datasets.photographs import Photograph
from core.datasets.samples import Rejected
from core.errors import DatasetError
from core.evaluation.metrics import bracket_indices
from core.evaluation.predictions import AgeArrays, MissedFaces, Predictions, classifier_outputs
from core.tasks import TASKS
from core.types import Analysis, Face
from core.video.session import FrameAnalyzer


def largest_face(analysis: Analysis) -> Face | None:
    """Return the face with the largest box, or ``None`` if there is none."""
    return max(analysis.faces, key=lambda face: face.box.width * face.box.height, default=None)


def age_arrays(faces: Sequence[Face]) -> AgeArrays:
    """Collect the ages of N faces that have one."""
    ages = [(face.age.years, face.age.low, face.age.high) for face in faces if face.age is not None]
    return AgeArrays(*np.array(ages, np.float32).reshape(-1, 3).T)


def class_probabilities(faces: Sequence[Face], output: str) -> NDArray[np.float32]:
    """Collect the (N, K) probabilities of ``output``, emotion or gender, of N faces that have it."""
    return np.array([getattr(face, output).probabilities for face in faces], np.float32)


def evaluate_photographs(
    photographs: Sequence[Photograph],
    analyzer: FrameAnalyzer,
    task: str,
    progress: Callable[[float], object] = lambda share: None,
) -> tuple[Predictions, tuple[Rejected, ...]]:
    """Run detector and networks over all photographs; ``progress`` is called with the share done, up to 1.

    Returns the predictions of a model of ``task`` and the photographs that cannot be read. Raises ``DatasetError`` if
    no face is found in any.
    """
    found: list[Face] = []
    rows: dict[bool, list[Photograph]] = {True: [], False: []}
    rejected = []
    for done, photograph in enumerate(photographs, start=1):
        frame = photograph.read()
        if isinstance(frame, str):
            rejected.append(Rejected(photograph.id, frame))
        else:
            face = largest_face(analyzer.analyze(frame))
            rows[face is not None].append(photograph)
            found += [face] if face is not None else []
        progress(done / len(photographs))
    if not found:
        raise DatasetError(f"no face was found in any of {len(photographs)} photographs")
    predictions = Predictions(
        task,
        _ids(rows[True]),
        _truth(rows[True]),
        {output: class_probabilities(found, output) for output in classifier_outputs(task)},
        age_arrays(found) if "age" in TASKS[task].attributes else None,
        MissedFaces(_ids(rows[False]), _truth(rows[False], rows[True][0].labels)),
    )
    return predictions, tuple(rejected)


def _ids(photographs: Sequence[Photograph]) -> NDArray[np.str_]:
    return np.array([photograph.id for photograph in photographs], np.str_)


def _truth(photographs: Sequence[Photograph], names: Mapping[str, int] | None = None) -> dict[str, NDArray[np.int64]]:
    """Collect the labels; ``names`` of them where there is no photograph to tell."""
    names = photographs[0].labels if names is None else names
    labels = {name: np.array([photograph.labels[name] for photograph in photographs], np.int64) for name in names}
    if "age_low" in labels:
        labels["age_bracket"] = bracket_indices(labels.pop("age_low"))
    return labels

"""Predictions of one model on one split, and the file that stores them: numbers and sample ids only, no images.

``predictions.npz`` is compressed, needs no pickle, and holds one array per field under ``split/field``, and the task
under ``split/kind``. Splits are named as in ``core.tasks``; other names work too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.age_groups import nearest_age_groups
from core.artifacts.storage import load_npz, save_npz
from core.errors import ArtifactCorruptError, ArtifactMissingError, ConfigError
from core.tasks import ATTRIBUTE_TASKS, CLASSES, TASKS

SUM_TOLERANCE = 1e-3
"""How far the probabilities of a sample may sum from 1."""
_KIND = "kind"
_TRUTH_FIELDS = {
    "emotion": "truth",
    "age": "age_true",
    "gender": "gender_true",
    "race": "race",
    "age_bracket": "age_bracket",
    "fairface_race": "fairface_race",
}
_MISSED = "missed_"
_PROBABILITY_FIELDS = {
    "emotion": "probabilities",
    "gender": "gender_probabilities",
    "age_group": "age_group_probabilities",
}
_AGE_FIELDS = ("age_years", "age_low", "age_high")
_LABELS = {name: len(classes) for name, classes in CLASSES.items()}
_LABELS |= {"age": 150, "race": 5, "age_bracket": 9, "fairface_race": 7}
_SAME_LABEL = {"age": "age_bracket"}
"""Label -> what stands in for it where a data set knows no more."""


@dataclass(frozen=True)
class AgeArrays:
    """``years``, ``low``, ``high``: (N,) float32 years, 0 <= low <= years <= high."""

    years: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in ("years", "low", "high"):
            _check_array(name, getattr(self, name), np.float32, (len(self.years),))
        ordered = (self.low <= self.years) & (self.years <= self.high) & (self.low >= 0)
        if not (ordered & np.isfinite(self.high)).all():
            raise ValueError("ages must satisfy 0 <= low <= years <= high and be finite")


@dataclass(frozen=True)
class MissedFaces:
    """Labelled photographs in which the detector found no face; ``ids`` and ``truth`` as in ``Predictions``."""

    ids: NDArray[np.str_]
    truth: Mapping[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Predictions:
    """Calibrated predictions of a model of ``task`` for N samples.

    ``ids``: (N,) str, unique. ``truth``: label name -> (N,) int64: the index into ``CLASSES`` for ``emotion``,
    ``gender`` and ``age_group``, into ``core.datasets.utkface.RACES`` for ``race``, into ``FAIRFACE_RACES`` for
    ``fairface_race``, years for ``age`` (not clipped to what a model can predict), or instead of them the index into
    ``core.evaluation.metrics.AGE_BRACKETS`` for ``age_bracket``. ``probabilities``: output -> (N, K) float32 in the
    order of ``CLASSES``, rows sum to 1. ``age``: for tasks with the attribute ``age``. Labels that the model does not
    predict may be there, for errors by group. ``missed``: of whole photographs, those without a face.
    """

    task: str
    ids: NDArray[np.str_]
    truth: Mapping[str, NDArray[np.int64]]
    probabilities: Mapping[str, NDArray[np.float32]]
    age: AgeArrays | None = None
    missed: MissedFaces | None = None

    def __post_init__(self) -> None:
        if self.task not in ATTRIBUTE_TASKS:
            raise ValueError(f"task must be one of {', '.join(ATTRIBUTE_TASKS)}, got {self.task!r}")
        task, count = TASKS[self.task], len(self.ids)
        if self.ids.ndim != 1 or self.ids.dtype.kind != "U":
            raise ValueError(f"ids must be (N,) str, got {self.ids.shape} {self.ids.dtype}")
        if len(np.unique(self.ids)) != count:
            raise ValueError("ids must be unique")
        for what, arrays, names in (
            ("truth", self.truth, truth_labels(self.task)),
            ("probabilities", self.probabilities, classifier_outputs(self.task)),
        ):
            # Labels that the model does not predict may be unknown.
            needed = (set(names) & set(task.outputs)) - {key for key, other in _SAME_LABEL.items() if other in arrays}
            if not needed <= set(arrays) <= set(names):
                raise ValueError(f"{what} must be of {', '.join(names)}, got {', '.join(arrays)}")
        for name, labels in self.truth.items():
            _check_labels(f"truth of {name}", labels, count, _LABELS[name])
        for name, probabilities in self.probabilities.items():
            _check_probabilities(f"probabilities of {name}", probabilities, (count, len(CLASSES[name])))
        if "emotion" in self.truth and not np.isin(self.truth["emotion"], self.class_indices("emotion")).all():
            raise ValueError(f"truth of emotion must be one of {', '.join(task.emotions)}")
        ages = None if self.age is None else len(self.age.years)
        if ages != (count if "age" in task.attributes else None):
            raise ValueError(f"age must be {count} ages for tasks with an age and None for others, got {ages}")
        if self.missed is not None:
            if set(self.missed.truth) != set(self.truth) or np.isin(self.missed.ids, self.ids).any():
                raise ValueError("missed faces need the same labels as the others, and ids of their own")
            for name, labels in self.missed.truth.items():
                _check_labels(f"truth of missed {name}", labels, len(self.missed), _LABELS[name])

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def all_ids(self) -> list[str]:
        """The ids of all samples, those without a face too."""
        return [*self.ids.tolist(), *(self.missed.ids.tolist() if self.missed else ())]

    @property
    def ages(self) -> AgeArrays:
        """The predicted ages. Raises ``ConfigError`` for a task without."""
        if self.age is None:
            raise ConfigError(f"predictions of {self.task} have no ages")
        return self.age

    @property
    def age_errors(self) -> NDArray[np.float64]:
        """(N,) predicted minus true years."""
        errors: NDArray[np.float64] = self.ages.years.astype(np.float64) - self.truth["age"]
        return errors

    def class_indices(self, output: str) -> NDArray[np.int64]:
        """Return the increasing indices into ``CLASSES`` of the classes that the task tells apart."""
        return np.array([CLASSES[output].index(name) for name in TASKS[self.task].classes(output)], np.int64)

    def predicted(self, output: str) -> NDArray[np.int64]:
        """Return the (N,) most probable classes as indices into ``CLASSES``."""
        known = self.class_indices(output)
        return known[self.probabilities[output][:, known].argmax(axis=1)]

    def take(self, rows: NDArray[Any]) -> Predictions:
        """Return the predictions at ``rows`` (indices or a boolean mask), in that order, without the missed faces."""
        return Predictions(
            self.task,
            self.ids[rows],
            {name: values[rows] for name, values in self.truth.items()},
            {name: values[rows] for name, values in self.probabilities.items()},
            None if self.age is None else AgeArrays(self.age.years[rows], self.age.low[rows], self.age.high[rows]),
        )


def classifier_outputs(task: str) -> tuple[str, ...]:
    """Return the outputs of ``task`` that are class probabilities."""
    return tuple(output for output in TASKS[task].outputs if output in CLASSES)


def truth_labels(task: str) -> tuple[str, ...]:
    """Return the names of the labels that ``Predictions.truth`` holds for ``task``."""
    outputs = TASKS[task].outputs
    if "emotion" in outputs:
        return ("emotion",)
    labels = ("age", "age_bracket", "gender", "race", "fairface_race")
    return (*labels, "age_group") if "age_group" in outputs else labels


def truth_of(task: str, labels: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """Select the truth for ``task`` from those ``labels`` that are known; a true age between two age groups counts as
    the nearer one."""
    known = ({"age_group": nearest_age_groups(labels["age"])} if "age" in labels else {}) | dict(labels)
    return {name: known[name] for name in truth_labels(task) if name in known}


def save_predictions(path: Path, splits: Mapping[str, Predictions]) -> None:
    """Write ``splits`` (split name -> predictions) to ``path``; the file appears complete or not at all."""
    arrays: dict[str, NDArray[Any]] = {}
    for split, predictions in splits.items():
        if not split or "/" in split:
            raise ValueError(f"a split's name must be non-empty and without '/', got {split!r}")
        arrays[f"{split}/{_KIND}"] = np.array(predictions.task)
        arrays |= {f"{split}/{field}": values for field, values in _fields(predictions).items()}
    save_npz(path, arrays)


def _fields(predictions: Predictions) -> dict[str, NDArray[Any]]:
    truth, probabilities, age = predictions.truth, predictions.probabilities, predictions.age
    arrays: dict[str, NDArray[Any]] = {"ids": predictions.ids}
    # Age groups of the truth follow from the true ages.
    arrays |= {_TRUTH_FIELDS[name]: values for name, values in truth.items() if name in _TRUTH_FIELDS}
    arrays |= {_PROBABILITY_FIELDS[name]: values for name, values in probabilities.items()}
    if age is not None:
        arrays |= dict(zip(_AGE_FIELDS, (age.years, age.low, age.high), strict=True))
    if predictions.missed is not None:
        arrays[f"{_MISSED}ids"] = predictions.missed.ids
        arrays |= {f"{_MISSED}{_TRUTH_FIELDS[name]}": values for name, values in predictions.missed.truth.items()}
    return arrays


def load_predictions(path: Path) -> dict[str, Predictions]:
    """Split -> predictions. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
    path = Path(path)
    advice = f"Restore it with: python -m models.evaluate {path.parent.name} --data DIR --store"
    if not path.is_file():
        raise ArtifactMissingError(f"{path} is missing. {advice}")
    try:
        return {split: _predictions_from(fields) for split, fields in _group_by_split(load_npz(path)).items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactCorruptError(f"{path} cannot be used ({type(error).__name__}: {error}). {advice}") from error


def _group_by_split(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    splits: dict[str, dict[str, NDArray[Any]]] = {}
    for key, values in arrays.items():
        split, separator, field = key.partition("/")
        if not (split and separator and field):
            raise ValueError(f"array names must be split/field, got {key!r}")
        splits.setdefault(split, {})[field] = values
    if not splits:
        raise ValueError("the archive holds no arrays")
    return splits


def _predictions_from(fields: Mapping[str, NDArray[Any]]) -> Predictions:
    # The first files had two kinds of predictions and did not name them.
    task = str(fields[_KIND]) if _KIND in fields else "emotion" if "truth" in fields else "age_gender"
    labels = {name: fields[field] for name, field in _TRUTH_FIELDS.items() if field in fields}
    has_age = "age" in TASKS[task].attributes
    return Predictions(
        task,
        fields["ids"],
        truth_of(task, labels),
        {name: fields[_PROBABILITY_FIELDS[name]] for name in classifier_outputs(task)},
        AgeArrays(*(fields[field] for field in _AGE_FIELDS)) if has_age else None,
        MissedFaces(fields[f"{_MISSED}ids"], {name: fields[f"{_MISSED}{_TRUTH_FIELDS[name]}"] for name in labels})
        if f"{_MISSED}ids" in fields
        else None,
    )


def _check_array(name: str, values: NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    if values.shape != shape or values.dtype != dtype:
        raise ValueError(f"{name} must be {shape} {np.dtype(dtype)}, got {values.shape} {values.dtype}")


def _check_labels(name: str, values: NDArray[Any], count: int, labels: int) -> None:
    _check_array(name, values, np.int64, (count,))
    if count and (values.min() < 0 or values.max() >= labels):
        raise ValueError(f"{name} must be in 0..{labels - 1}, got {values.min()}..{values.max()}")


def _check_probabilities(name: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
    _check_array(name, values, np.float32, shape)
    in_range = np.isfinite(values) & (values >= -1e-6) & (values <= 1 + 1e-6)
    if not in_range.all():
        raise ValueError(f"{name} must be in [0, 1]")
    if not (np.abs(values.sum(axis=1) - 1) <= SUM_TOLERANCE).all():
        raise ValueError(f"the rows of {name} must sum to 1")

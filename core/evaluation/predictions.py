"""What a model answered on a test set, and the file that keeps it: numbers and sample ids only, no images.

``predictions.npz`` is compressed, needs no pickle, and holds one array per field under ``split/field``, and what kind of
predictions a side has, a key of ``KINDS``, under ``split/kind``. Sides are named as in ``core.tasks``; other
names work too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.age_groups import AGE_GROUPS, age_groups_of
from core.artifacts.storage import load_npz, save_npz
from core.datasets.label_subsets import FIVE_EMOTIONS
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.types import EMOTIONS, GENDERS, Emotion

_KIND = "kind"
SUM_TOLERANCE = 1e-3
"""How far the probabilities of a sample may sum from 1."""


@dataclass(frozen=True)
class EmotionPredictions:
    """N answers of an emotion model.

    ``ids``: (N,) str, unique; ``truth``: (N,) int64, index into ``EMOTIONS``;
    ``probabilities``: (N, 7) float32 in the order of ``EMOTIONS``, rows sum to 1.
    """

    CLASSES: ClassVar[tuple[Emotion, ...]] = EMOTIONS
    """The emotions that the model tells apart, and that occur in the truth."""

    ids: NDArray[np.str_]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_ids(self.ids)
        _check_labels("truth", self.truth, len(self.ids), len(EMOTIONS))
        _check_probabilities("probabilities", self.probabilities, (len(self.ids), len(EMOTIONS)))
        if not np.isin(self.truth, self.class_indices).all():
            raise ValueError(f"truth must be one of {', '.join(self.CLASSES)}")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def class_indices(self) -> NDArray[np.int64]:
        """(K,) rows of ``CLASSES`` in ``EMOTIONS``, increasing."""
        return np.array([EMOTIONS.index(one) for one in self.CLASSES], np.int64)


@dataclass(frozen=True)
class FiveEmotionPredictions(EmotionPredictions):
    """Of a model without disgust and fear, on images of the other five: the same arrays."""

    CLASSES = FIVE_EMOTIONS


@dataclass(frozen=True)
class PeoplePredictions:
    """N answers about people of UTKFace; what is answered is added by the kinds below.

    ``ids``: (N,) str, unique; ``age_true``: (N,) int64 years, not clipped to what a model can answer;
    ``gender_true``: (N,) int64, index into ``GENDERS``; ``race``: (N,) int64, index into
    ``core.datasets.utkface.RACES``. All kinds keep all three, for error figures by group.
    """

    ids: NDArray[np.str_]
    age_true: NDArray[np.int64]
    gender_true: NDArray[np.int64]
    race: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.ids)
        _check_ids(self.ids)
        _check_labels("age_true", self.age_true, count, 150)
        _check_labels("gender_true", self.gender_true, count, len(GENDERS))
        _check_labels("race", self.race, count, 5)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class GenderPredictions(PeoplePredictions):
    """``gender_probabilities``: (N, 2) float32 in the order of ``GENDERS``, rows sum to 1."""

    gender_probabilities: NDArray[np.float32]

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = (len(self.ids), len(GENDERS))
        _check_probabilities("gender_probabilities", self.gender_probabilities, shape)


@dataclass(frozen=True)
class AgePredictions(PeoplePredictions):
    """``age_years``, ``age_low``, ``age_high``: (N,) float32 years, 0 <= low <= years <= high."""

    age_years: NDArray[np.float32]
    age_low: NDArray[np.float32]
    age_high: NDArray[np.float32]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("age_years", "age_low", "age_high"):
            _check_array(name, getattr(self, name), np.float32, (len(self.ids),))
        ordered = (self.age_low <= self.age_years) & (self.age_years <= self.age_high) & (self.age_low >= 0)
        if not (ordered & np.isfinite(self.age_high)).all():
            raise ValueError("ages must satisfy 0 <= age_low <= age_years <= age_high and be finite")


@dataclass(frozen=True)
class AgeGenderPredictions(AgePredictions, GenderPredictions):
    """Both at once."""


@dataclass(frozen=True)
class PublishedSplitPredictions(AgeGenderPredictions):
    """Of a model that learnt from people of 21 to 60 years only, on such people: the same arrays."""


@dataclass(frozen=True)
class AgeGroupGenderPredictions(AgeGenderPredictions):
    """Of a model that answers age groups, from which the years follow (``core.age_groups``).

    ``age_group_probabilities``: (N, 8) float32 in the order of ``AGE_GROUPS``, rows sum to 1.
    """

    age_group_probabilities: NDArray[np.float32]

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = (len(self.ids), len(AGE_GROUPS))
        _check_probabilities("age_group_probabilities", self.age_group_probabilities, shape)

    @property
    def age_group_true(self) -> NDArray[np.int64]:
        """(N,) index into ``AGE_GROUPS``: the group of the true age, or the nearest one, as in training."""
        return age_groups_of(self.age_true)


Predictions = EmotionPredictions | GenderPredictions | AgePredictions
KINDS: Mapping[str, type[Predictions]] = {
    "emotion": EmotionPredictions,
    "emotion_five": FiveEmotionPredictions,
    "age_gender": AgeGenderPredictions,
    "gender": GenderPredictions,
    "age": AgePredictions,
    "age_group_gender": AgeGroupGenderPredictions,
    "age_gender_published": PublishedSplitPredictions,
}
"""Task of a model -> its kind of predictions."""


def save_predictions(path: Path, splits: Mapping[str, Predictions]) -> None:
    """Write ``splits`` (side name -> predictions) to ``path``; the file appears complete or not at all."""
    for split in splits:
        if not split or "/" in split:
            raise ValueError(f"a side's name must be non-empty and without '/', got {split!r}")
    names = {kind: task for task, kind in KINDS.items()}
    arrays: dict[str, NDArray[Any]] = {}
    for split, one in splits.items():
        arrays[f"{split}/{_KIND}"] = np.array(names[type(one)])
        arrays |= {f"{split}/{f.name}": getattr(one, f.name) for f in fields(one)}
    save_npz(path, arrays)


def load_predictions(path: Path) -> dict[str, Predictions]:
    """Side -> predictions. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
    path = Path(path)
    advice = f"Restore it with: python -m models.evaluate {path.parent.name} --data DIR --store"
    if not path.is_file():
        raise ArtifactMissingError(f"{path} is missing. {advice}")
    try:
        splits = _grouped_by_side(load_npz(path))
        return {split: _predictions_from(arrays_of_side) for split, arrays_of_side in splits.items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactCorruptError(f"{path} cannot be used ({type(error).__name__}: {error}). {advice}") from error


def _grouped_by_side(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    splits: dict[str, dict[str, NDArray[Any]]] = {}
    for key, values in arrays.items():
        split, separator, field = key.partition("/")
        if not (split and separator and field):
            raise ValueError(f"array names must be side/field, got {key!r}")
        splits.setdefault(split, {})[field] = values
    if not splits:
        raise ValueError("the archive holds no arrays")
    return splits


def _predictions_from(arrays: Mapping[str, NDArray[Any]]) -> Predictions:
    arrays = dict(arrays)
    if _KIND in arrays:
        kind = KINDS[str(arrays.pop(_KIND))]
    else:
        # Files from before there were more than two kinds do not name theirs.
        kind = EmotionPredictions if "truth" in arrays else AgeGenderPredictions
    return kind(**arrays)


def _check_ids(ids: NDArray[np.str_]) -> None:
    if ids.ndim != 1 or ids.dtype.kind != "U":
        raise ValueError(f"ids must be (N,) str, got {ids.shape} {ids.dtype}")
    if len(np.unique(ids)) != len(ids):
        raise ValueError("ids must be unique")


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


AnyPredictions = TypeVar("AnyPredictions", bound=Predictions)


def subset(predictions: AnyPredictions, ids: NDArray[np.str_]) -> AnyPredictions:
    """The predictions whose sample is among ``ids``, in their stored order."""
    keep = np.isin(predictions.ids, ids)
    return replace(predictions, **{f.name: getattr(predictions, f.name)[keep] for f in fields(predictions)})

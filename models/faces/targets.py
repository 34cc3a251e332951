"""What each packed face teaches: its own labels, and the answers of a teacher where there are any.

A known age is a Gaussian around it, an age bracket a mask over the years: probability inside it is right, wherever it
lies. The teacher's answers are out of fold, so they say something about each face that its label does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.types import GENDERS, MAX_AGE, Gender
from models.faces.packing import PackedFaces
from models.faces.sources import UNKNOWN

TEACHER_FILE = "teacher_age_gender.npz"
"""In the data folder: columns ``part``, ``name``, ``age_sqrt255`` (N, 101) and ``female_65535`` (N,); age probabilities
are (q / 255) ** 2, scaled to a sum of 1, and the probability of female v / 65535."""
YEARS = MAX_AGE + 1
LABEL_SIGMA = 2.0
"""Standard deviation in years of the target of a known age."""
ESTIMATE_SIGMA = 3.0
"""The same where the data set's ages are estimates."""
EDGE_SIGMA = 1.5
"""Years over which the mask of a bracket fades out: ages near its ends are estimates as well."""
_ESTIMATED = ("aaf",)
_PARTS = {"utk_train": "utkface", "utk_validation": "utkface", "fairface_train": "fairface"}
BRACKET_STARTS = np.array([0, 3, 10, 20, 30, 40, 50, 60, 70])

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Targets:
    """Targets of N faces, all float32.

    ``age`` (N, 101): a distribution where ``exact`` (N,) is 1, else the mask of a bracket. ``gender`` (N, 2): one-hot,
    all 0 if unknown. ``teacher_age`` (N, 101) and ``teacher_gender`` (N, 2): probabilities, all 0 without a teacher.
    """

    age: Floats
    exact: Floats
    gender: Floats
    teacher_age: Floats
    teacher_gender: Floats

    def take(self, rows: NDArray[np.int64]) -> Targets:
        """Return the targets at ``rows``, in that order."""
        return Targets(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def build_targets(faces: PackedFaces, teacher: Path | None) -> Targets:
    """Build the targets of ``faces``; ``teacher``: the file of answers, or ``None`` to learn from labels alone."""
    teacher_age, teacher_gender = np.zeros((len(faces), YEARS), np.float32), np.zeros((len(faces), 2), np.float32)
    if teacher is not None:
        teacher_age, teacher_gender = _read_teacher(faces, teacher)
    sigma = np.where(np.isin(faces.source, _ESTIMATED), ESTIMATE_SIGMA, LABEL_SIGMA)
    exact = faces.age_low == faces.age_high
    age = np.where(
        exact[:, None], _gaussians(faces.age_low, sigma), _bracket_masks(faces.age_low, faces.age_high)
    ).astype(np.float32)
    # The row of UNKNOWN, which is the last, is empty.
    one_hot = np.vstack([np.eye(len(GENDERS)), np.zeros(len(GENDERS))]).astype(np.float32)
    return Targets(age, exact.astype(np.float32), one_hot[faces.gender], teacher_age, teacher_gender)


def sampling_weights(faces: PackedFaces) -> NDArray[np.float64]:
    """Weight faces so that no age bracket of one gender, ethnic group or data set rules the rest: (N,), mean 1.

    Weights are products of (number of faces of the kind) ** -power, at most five times the mean.
    """
    bracket = np.searchsorted(BRACKET_STARTS, (faces.age_low + faces.age_high) / 2, side="right")
    kinds = (
        (bracket * 3 + faces.gender, 0.4),
        (np.where(faces.group == "", faces.source, faces.group), 0.2),
        (faces.source, 0.2),
    )
    weights = np.ones(len(faces))
    for kind, power in kinds:
        _, of_face, counts = np.unique(kind, return_inverse=True, return_counts=True)
        weights *= counts[of_face] ** -power
    weights = np.minimum(weights / weights.mean(), 5.0)
    return weights / weights.mean()


def _gaussians(years: NDArray[np.int64], sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.exp(-((np.arange(YEARS) - years[:, None]) ** 2) / (2 * sigma[:, None] ** 2))
    return np.asarray(values / values.sum(axis=1, keepdims=True))


def _bracket_masks(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.float64]:
    years = np.arange(YEARS)
    outside = np.maximum(low[:, None] - years, 0) + np.maximum(years - high[:, None], 0)
    return np.asarray(np.exp(-(outside**2) / (2 * EDGE_SIGMA**2)))


def _read_teacher(faces: PackedFaces, file: Path) -> tuple[Floats, Floats]:
    with np.load(file) as answers:
        part, name = answers["part"], answers["name"]
        age = (answers["age_sqrt255"].astype(np.float32) / 255) ** 2
        female = answers["female_65535"].astype(np.float32) / 65535
    row_of = {(_PARTS.get(p, p), n): row for row, (p, n) in enumerate(zip(part.tolist(), name.tolist(), strict=True))}
    keys = zip(faces.source.tolist(), faces.name.tolist(), strict=True)
    rows = np.array([row_of.get(key, UNKNOWN) for key in keys])
    known = (rows != UNKNOWN)[:, None]
    ages = age / age.sum(axis=1, keepdims=True)
    columns = {Gender.MALE: 1 - female, Gender.FEMALE: female}
    genders = np.stack([columns[gender] for gender in GENDERS], axis=1)
    return np.where(known, ages[rows], 0).astype(np.float32), np.where(known, genders[rows], 0).astype(np.float32)

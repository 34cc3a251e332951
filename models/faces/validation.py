"""Scores of age and perceived gender on the validation faces of each data set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.types import GENDERS, Gender
from models.faces.packing import PackedFaces
from models.faces.sources import SOURCES, UNKNOWN
from models.faces.targets import BRACKET_STARTS

Floats = NDArray[np.floating]


def score(faces: PackedFaces, age: Floats, gender: Floats) -> dict[str, float]:
    """Score (N, 101) and (N, 2) probabilities: shares in [0, 1], and the age MAE in years where ages are known.

    ``worst`` is the lowest gender accuracy of a group, ``gap`` women's minus men's. ``total`` sums a model up, lower is
    better: gender errors of both large sets in percentage points, the MAE of one, a tenth of the bracket errors of
    the other.
    """
    scores: dict[str, float] = {}
    mean = age @ np.arange(age.shape[1])
    answer = gender.argmax(axis=1)
    for source in SOURCES:
        rows = faces.source == source
        known = rows & (faces.gender != UNKNOWN)
        if known.any():
            right = answer == faces.gender
            scores[f"{source}_gender"] = float(right[known].mean())
            women = faces.gender == GENDERS.index(Gender.FEMALE)
            if (known & women).any() and (known & ~women).any():
                scores[f"{source}_gap"] = float(right[known & women].mean() - right[known & ~women].mean())
            groups = [known & (faces.group == group) for group in np.unique(faces.group[known])]
            scores[f"{source}_worst"] = min(float(right[group].mean()) for group in groups)
        exact = rows & (faces.age_low == faces.age_high)
        if exact.any():
            scores[f"{source}_mae"] = float(np.abs(mean - faces.age_low)[exact].mean())
        elif rows.any():
            off = np.abs(_bracket(mean) - _bracket(faces.age_low))[rows]
            scores[f"{source}_bracket"], scores[f"{source}_within_one"] = (
                float((off == 0).mean()),
                float((off <= 1).mean()),
            )
    errors = [
        100 * (1 - scores[f"{source}_gender"]) for source in ("utkface", "fairface") if f"{source}_gender" in scores
    ]
    scores["total"] = sum(errors) + scores.get("utkface_mae", 0.0) + 10 * (1 - scores.get("fairface_bracket", 1.0))
    return scores


def _bracket(years: Floats | NDArray[np.int64]) -> NDArray[np.int64]:
    # An age of 9.6 reads as 10.
    return np.searchsorted(BRACKET_STARTS - 0.5, years, side="right").astype(np.int64)

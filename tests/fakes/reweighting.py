"""Made-up answers before and after re-weighting, and artifact folders with a comparison of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.artifacts.model_card import PREDICTIONS_FILE, load_card, sha256_of
from core.evaluation.predictions import AgeGenderPredictions
from core.evaluation.reweighting import REWEIGHTING_FILE, ReweightingReport, compared, save_reweighting
from tests.fakes.evaluation import age_gender_predictions, write_artifact

OLD = 60
"""People of this age and older are better off after it, in ``example_after``."""


def example_before(count: int = 400, seed: int = 0) -> AgeGenderPredictions:
    return age_gender_predictions(count, seed)


def example_after(before: AgeGenderPredictions) -> AgeGenderPredictions:
    """A third of the age error of people over 60 is gone, half of it added for the others; in another order. The first
    gender that was wrong is right."""
    error = before.age_years - before.age_true
    years = np.maximum(before.age_true + error * np.where(before.age_true >= OLD, 2 / 3, 1.5), 0).astype(np.float32)
    genders = before.gender_probabilities.copy()
    wrong = np.nonzero(genders.argmax(axis=1) != before.gender_true)[0][:1]
    genders[wrong] = genders[wrong, ::-1]
    low, high = np.maximum(years - 9, 0).astype(np.float32), (years + 9).astype(np.float32)
    after = replace(before, age_years=years, age_low=low, age_high=high, gender_probabilities=genders)
    return reordered(after, np.random.default_rng(0).permutation(len(before)))


def reordered(predictions: AgeGenderPredictions, rows: np.ndarray) -> AgeGenderPredictions:
    return AgeGenderPredictions(**{name: values[rows] for name, values in vars(predictions).items()})


def example_report(after_sha256: str = "b" * 64) -> ReweightingReport:
    sides = {}
    for seed, side in enumerate(("validation", "test")):
        before = example_before(seed=seed)
        sides[side] = compared(before, example_after(before))
    return ReweightingReport("age_gender", "Old people got *more* weight.", "a" * 64, after_sha256, sides)


def write_compared(root: Path, report: ReweightingReport | None = None) -> Path:
    """An artifact folder with predictions and a comparison, both on its card."""
    folder = write_artifact(root, "age_gender", "age_gender", {"test": example_after(example_before(seed=1))})
    file = save_reweighting(folder, report or example_report(sha256_of(folder / PREDICTIONS_FILE)))
    list_on_card(folder, PREDICTIONS_FILE, file.name)
    return folder


def list_on_card(folder: Path, *file_names: str) -> None:
    """List the files as they are now."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    files = {name: folder / name for name in file_names}
    card["files"] |= {name: {"bytes": one.stat().st_size, "sha256": sha256_of(one)} for name, one in files.items()}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert load_card(folder).files[REWEIGHTING_FILE]["bytes"] > 0

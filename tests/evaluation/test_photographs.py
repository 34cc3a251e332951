"""Whole photographs: from an analyzer without models to metrics that count missed faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.datasets.photographs import Photograph
from core.errors import DatasetError
from core.evaluation.calibration import interval_report
from core.evaluation.fairness import fairness_metrics, fairness_report
from core.evaluation.metrics import (
    AGE_BRACKETS,
    bracket_report,
    classes_without_samples,
    end_to_end_accuracy,
    interval_shares,
    summary_metrics,
)
from core.evaluation.photographs import evaluate_photographs
from core.evaluation.predictions import AgeArrays, MissedFaces, load_predictions, save_predictions
from core.settings import Attributes
from core.types import Analysis
from tests.fakes.core import FakeAnalyzer
from tests.fakes.evaluation import fairface_predictions

WOMAN, MAN = 1, 0


class SeesBrightFaces(FakeAnalyzer):
    """Finds as many girls of seven as the image's brightness."""

    def analyze(self, frame: np.ndarray, attributes: Attributes = Attributes()) -> Analysis:
        self.count = int(frame.max())
        return super().analyze(frame, attributes)


def photograph(name: str, faces: int, gender: int = WOMAN, age_low: int = 3) -> Photograph:
    image = np.full((20, 30, 3), faces, np.uint8)
    return Photograph(name, {"age_low": age_low, "gender": gender, "fairface_race": 2}, lambda: image)


def test_missed_faces_and_unreadable_photographs_are_kept_apart() -> None:
    photographs = [
        photograph("girl", 1),
        photograph("man", 2, MAN, 40),
        photograph("missed", 0, age_low=70),
        Photograph("bad", {}, lambda: "unreadable image"),
    ]
    shares: list[float] = []
    predictions, rejected = evaluate_photographs(photographs, SeesBrightFaces(), "age_gender", shares.append)
    assert [(entry.where, entry.reason) for entry in rejected] == [("bad", "unreadable image")]
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert predictions.ids.tolist() == ["girl", "man"]
    assert predictions.all_ids == ["girl", "man", "missed"]
    assert predictions.truth["age_bracket"].tolist() == [AGE_BRACKETS.index("3-9"), AGE_BRACKETS.index("40-49")]
    assert predictions.missed is not None
    assert predictions.missed.truth["age_bracket"].tolist() == [AGE_BRACKETS.index("70+")]
    metrics = summary_metrics(predictions)
    assert (metrics["n"], metrics["found_share"]) == (2, pytest.approx(2 / 3))
    assert (metrics["gender_accuracy"], metrics["gender_end_to_end"]) == (0.5, pytest.approx(1 / 3))
    assert (metrics["bracket_accuracy"], metrics["bracket_within_one"]) == (0.5, 0.5)
    assert "age_mae" not in metrics, "years are not known"


def test_without_any_face_there_is_nothing_to_measure() -> None:
    with pytest.raises(DatasetError, match="no face"):
        evaluate_photographs([photograph("missed", 0)], SeesBrightFaces(), "age_gender")


def test_predictions_of_photographs_are_stored(tmp_path: Path) -> None:
    predictions = fairface_predictions()
    save_predictions(tmp_path / "predictions.npz", {"fairface": predictions})
    again = load_predictions(tmp_path / "predictions.npz")["fairface"]
    assert again.all_ids == predictions.all_ids
    assert again.missed is not None
    assert again.missed.truth.keys() == again.truth.keys() == {"age_bracket", "gender", "fairface_race"}
    assert summary_metrics(again) == summary_metrics(predictions)
    assert end_to_end_accuracy(again, "gender").n == 150


@pytest.mark.parametrize(
    "missed",
    [
        MissedFaces(np.array(["val/0.jpg"]), {"age_bracket": np.zeros(1, int), "gender": np.zeros(1, int)}),
        MissedFaces(np.array(["new"]), {name: np.full(1, 9) for name in ("age_bracket", "gender", "fairface_race")}),
        MissedFaces(
            np.array(["val/0.jpg"]), dict.fromkeys(("age_bracket", "gender", "fairface_race"), np.zeros(1, int))
        ),
    ],
    ids=["other labels", "no such class", "found as well"],
)
def test_missed_faces_are_checked(missed: MissedFaces) -> None:
    with pytest.raises(ValueError, match="missed"):
        replace(fairface_predictions(), missed=missed)


@pytest.mark.parametrize(
    ("bracket", "low", "high", "share"),
    [("20-29", 15, 40, 1), ("20-29", 25, 40, 0.5), ("20-29", 30, 40, 0), ("0-2", 0, 1.5, 2 / 3), ("70+", 60, 79, 0.5)],
)
def test_a_bracket_counts_by_its_share_inside_the_interval(bracket: str, low: float, high: float, share: float) -> None:
    made = fairface_predictions(2, 0)
    low_, high_ = (np.full(2, value, np.float32) for value in (low, high))
    truth = {**made.truth, "age_bracket": np.full(2, AGE_BRACKETS.index(bracket))}
    predictions = replace(made, truth=truth, age=AgeArrays((low_ + high_) / 2, low_, high_), missed=None)
    assert interval_shares(predictions) == pytest.approx(share)
    assert interval_report(predictions).overall.coverage.value == pytest.approx(share)


def test_reports_use_the_labels_of_fairface() -> None:
    predictions = fairface_predictions(700)
    report = fairness_report(predictions, ["fairface_race"])
    assert report.metrics == ("bracket_accuracy", "gender_accuracy")
    assert [group.label for group in report.groups][3:5] == ["East Asian", "Southeast Asian"]
    correct = bracket_report(predictions).accuracy
    assert report.overall.metric("bracket_accuracy") == correct
    assert sum(group.n for group in report.groups) == 700
    assert set(fairness_metrics(predictions)) == {"bracket_accuracy_gap_race", "gender_accuracy_gap_race"}
    assert set(fairness_report(predictions, ["age", "gender"]).metrics) == set(report.metrics)
    assert classes_without_samples("age_gender", predictions.take(predictions.truth["age_bracket"] > 0).truth) == {
        "age bracket": ("0-2",)
    }


def test_neighbouring_brackets_are_within_one() -> None:
    report = bracket_report(fairface_predictions(200))
    rows, columns = np.nonzero(report.confusion)
    close = report.confusion[rows, columns][np.abs(rows - columns) <= 1].sum()
    assert report.within_one.value == close / 200 > report.accuracy.value

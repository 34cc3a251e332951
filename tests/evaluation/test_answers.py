"""Reports in words."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation import answers
from core.evaluation.metrics import age_report, classification_report
from core.evaluation.predictions import AgeArrays, Predictions

LABELS = ("angry", "fear", "happy")
# Of two angry one is right, of four fear one is; three of these are taken for angry; happy has no samples.
REPORT = classification_report(np.array([0, 0, 1, 1, 1, 1]), np.array([0, 1, 1, 0, 0, 0]), LABELS)
RIGHT = classification_report(np.array([0, 1]), np.array([0, 1]), LABELS)


def test_accuracy_and_hardest_class() -> None:
    assert answers.describe_accuracy(REPORT, "FER2013") == (
        "Of 100 faces like FER2013's, 33 are read right; fear is the hardest: 25."
    )
    assert "33 are read right in perceived gender;" in answers.describe_accuracy(REPORT, "UTKFace", "perceived gender")
    assert answers.describe_hardest(REPORT) == "fear, 25 of 100 right"


@pytest.mark.parametrize(
    ("report", "text"), [(REPORT, "of 100 fear, 75 are taken for angry"), (RIGHT, "")], ids=["mistakes", "none"]
)
def test_worst_confusion(report: object, text: str) -> None:
    assert answers.describe_confusion(report) == text


def test_ages() -> None:
    years = np.array([10, 50], np.float32)
    predictions = Predictions(
        "age", np.array(["a", "b"]), {"age": np.array([12, 40])}, {}, AgeArrays(years, years, years)
    )
    assert answers.describe_age(age_report(predictions), "UTKFace") == (
        "Ages of faces like UTKFace's are 6.0 years off on average; those of people of 40-49 years (10.0 off) are the "
        "hardest."
    )

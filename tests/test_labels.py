from __future__ import annotations

import pytest

from core.labels import (
    format_age,
    format_estimate,
    format_rotation,
    format_top2,
    label_or_uncertain,
    pluralize,
)
from core.types import AgeEstimate, EmotionEstimate, GenderEstimate

PROBABILITIES = (0.0, 0.0, 0.11, 0.1, 0.41, 0.0, 0.38)


@pytest.mark.parametrize(
    ("estimate", "label", "top_two", "words"),
    [
        (EmotionEstimate(PROBABILITIES), "sad", "sad 41%, neutral 38%", "sad 41%"),
        (EmotionEstimate(PROBABILITIES, 0.5), "uncertain", "sad 41%, neutral 38%", "uncertain: sad 41% / neutral 38%"),
        (GenderEstimate((0.2, 0.8), 0.8), "female", "female 80%, male 20%", "female 80%"),
        (GenderEstimate((0.6, 0.4), 0.7), "uncertain", "male 60%, female 40%", "uncertain: male 60% / female 40%"),
    ],
    ids=["no minimum", "unsure emotion", "exactly sure enough", "unsure gender"],
)
def test_wording_of_classes(estimate: EmotionEstimate | GenderEstimate, label: str, top_two: str, words: str) -> None:
    assert label_or_uncertain(estimate) == label
    assert format_top2(estimate) == top_two
    assert format_estimate(estimate) == words


@pytest.mark.parametrize(
    ("unit", "words"), [("", "31 (25-38)"), ("years", "31 years (25-38)"), ("y", "31 y (25-38)")], ids=str
)
def test_format_age(unit: str, words: str) -> None:
    assert format_age(AgeEstimate(31.2, 25.4, 38.0), unit) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 faces"), (1, "1 face"), (12, "12 faces")])
def test_pluralize(number: int, words: str) -> None:
    assert pluralize(number, "face") == words


@pytest.mark.parametrize(
    ("degrees", "words"), [(90, "90° clockwise"), (180, "180°"), (270, "90° counterclockwise")], ids=str
)
def test_format_rotation(degrees: int, words: str) -> None:
    assert format_rotation(degrees) == words

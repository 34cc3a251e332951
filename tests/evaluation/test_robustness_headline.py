from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from core.artifacts.model_card import ModelCard
from core.errors import ArtifactCorruptError
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.robustness import CorruptionFigures, Figures
from core.evaluation.robustness_headline import CARD_KEY, card_headline, card_lines
from tests.fakes.core import EMOTION_CARD
from tests.fakes.robustness import example_report

EMOTION, AGES = example_report(), example_report("age_gender")


def _card(headline: object) -> ModelCard:
    return replace(EMOTION_CARD, raw={CARD_KEY: headline})


def test_an_accuracy_is_kept_in_part() -> None:
    (attribute, figures), *others = card_headline(EMOTION).items()
    assert (attribute, others) == ("emotion", [])
    clean = EMOTION.clean.accuracy
    assert figures == {
        "measure": "accuracy",
        "side": "private",
        "images": 100,
        "clean": 0.8,
        "clean_low": clean.low,
        "clean_high": clean.high,
        "mean_corrupted": pytest.approx(0.62),
        "share_kept": pytest.approx(0.775),
        "worst": "Noise",
        "worst_mean": pytest.approx(0.5),
    }


def test_years_are_added_to_an_age_error() -> None:
    headline = card_headline(AGES)
    assert list(headline) == ["gender", "age"]
    assert headline["gender"]["measure"] == "gender_accuracy"
    assert headline["gender"]["share_kept"] == pytest.approx(1 - AGES.mean_relative_drop)
    age = headline["age"]
    assert (age["measure"], age["clean"], age["clean_low"], age["clean_high"]) == ("age_mae", 5, 4, 6)
    assert (age["mean_corrupted"], age["added_years"]) == pytest.approx((6.8, 1.8))
    assert (age["worst"], age["worst_mean"]) == ("Noise", 8)
    assert "share_kept" not in age


def test_what_is_not_known_is_left_out_because_json_has_no_word_for_it() -> None:
    one = Figures(wilson_interval(0, 1), 0.9, MetricValue(3.0, math.nan, math.nan, 1))
    corruption = CorruptionFigures("noise", "Noise", "steps", (1.0,) * 5, (one,) * 5)
    headline = card_headline(replace(AGES, images=1, clean=one, corruptions=(corruption,)))
    json.dumps(headline, allow_nan=False)
    assert headline["gender"]["share_kept"] == 0
    assert "clean_low" not in headline["age"]


def test_the_card_says_it_in_a_sentence_for_each_attribute() -> None:
    gender, age = card_lines(_card(json.loads(json.dumps(card_headline(AGES)))))
    assert gender == (
        "Perceived gender: 80.0% right on pictures as they are, 62.0% on damaged ones, which keeps 77.5% of the "
        "accuracy (100 test pictures; worst: noise, 50.0% right)."
    )
    assert age == (
        "Age: 5.00 years off on pictures as they are, 6.80 years on damaged ones (100 test pictures; worst: noise, "
        "8.00 years)."
    )


def test_a_card_without_these_figures_says_nothing() -> None:
    assert card_lines(EMOTION_CARD) == ()


@pytest.mark.parametrize(
    "headline",
    ["good", {"emotion": 0.9}, {"emotion": {"measure": "accuracy"}}, {"mood": card_headline(EMOTION)["emotion"]}],
    ids=["no table", "no figures", "figures missing", "unknown attribute"],
)
def test_other_figures_on_the_card_are_refused_with_advice(headline: object) -> None:
    with pytest.raises(ArtifactCorruptError, match=r"models\.robustness emotion --card-only"):
        card_lines(_card(headline))

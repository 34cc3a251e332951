"""What the served networks must reach, from stored values; docs/experiments.md lists what misses its floor."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, PREDICTIONS_FILE, SEVERAL_VIEWS_KEY, load_card
from core.evaluation.consistency import load_consistency
from core.evaluation.fairness import fairness_report
from core.evaluation.latency import load_speed
from core.evaluation.predictions import load_predictions
from core.evaluation.robustness import load_report, summarize
from core.settings import ViewSettings

EXPERIMENTS = Path(__file__).resolve().parents[2] / "docs" / "experiments.md"
EXCEPTIONS = "## Network floors that are not reached"
SEVERAL = ViewSettings().count


@dataclass(frozen=True)
class Stored:
    """What is stored with one artifact."""

    name: str

    @property
    def card(self):
        return load_card(ARTIFACTS_DIR / self.name)

    def metric(self, split, name, several=False):
        return (self.card.raw[SEVERAL_VIEWS_KEY] if several else self.card.metrics)[split][name]

    def changes(self, views):
        return load_consistency(ARTIFACTS_DIR / self.name, self.card).changes(views).answers.value

    def robustness(self):
        return load_report(ARTIFACTS_DIR / self.name, self.card).retained_accuracy

    def corrupted_ece(self):
        return summarize(load_report(ARTIFACTS_DIR / self.name, self.card))["corrupted_ece"]

    def ms_per_face(self):
        return load_speed(ARTIFACTS_DIR / self.name).ms_per_face

    def worst_race(self):
        predictions = load_predictions(ARTIFACTS_DIR / self.name / PREDICTIONS_FILE)["fairface"]
        gap = fairness_report(predictions, ["fairface_race"]).gap("gender_accuracy")
        return gap.worst.metric("gender_accuracy").value


AGES, EMOTION = Stored("age_gender"), Stored("emotion")
PERCENT, RATIO, YEARS, MS, COUNT = "{:.1%}", "{:.3f}", "{:.2f} years", "{:.2f} ms", "{:,}"
# Key -> how to measure, the least (or, if negative, the most) that is allowed, its format.
FLOORS = {
    "utkface_gender": (lambda: AGES.metric("test", "gender_accuracy"), 0.95, PERCENT),
    "utkface_age_mae": (lambda: AGES.metric("test", "age_mae"), -4.5, YEARS),
    "utkface_age_mae_0_9": (lambda: AGES.metric("test", "age_mae_0_9"), -2.5, YEARS),
    "utkface_age_mae_70_plus": (lambda: AGES.metric("test", "age_mae_70_plus"), -6.5, YEARS),
    "utkface_gender_ece": (lambda: AGES.metric("test", "gender_ece"), -0.03, RATIO),
    "utkface_coverage_low": (lambda: AGES.metric("test", "interval_coverage"), 0.77, PERCENT),
    "utkface_coverage_high": (lambda: AGES.metric("test", "interval_coverage"), -0.83, PERCENT),
    "utkface_coverage_highest_bracket": (lambda: AGES.metric("test", "interval_coverage_highest"), -0.9, PERCENT),
    "fairface_gender_end_to_end": (lambda: AGES.metric("fairface", "gender_end_to_end"), 0.915, PERCENT),
    "fairface_bracket": (lambda: AGES.metric("fairface", "bracket_accuracy"), 0.57, PERCENT),
    "fairface_within_one": (lambda: AGES.metric("fairface", "bracket_within_one"), 0.94, PERCENT),
    "fairface_women_and_men": (
        lambda: abs(AGES.metric("fairface", "recall_female") - AGES.metric("fairface", "recall_male")),
        -0.03,
        PERCENT,
    ),
    "fairface_worst_race": (AGES.worst_race, 0.88, PERCENT),
    "fairface_gender_ece": (lambda: AGES.metric("fairface", "gender_ece"), -0.03, RATIO),
    "fairface_coverage_low": (lambda: AGES.metric("fairface", "interval_coverage"), 0.77, PERCENT),
    "fairface_coverage_high": (lambda: AGES.metric("fairface", "interval_coverage"), -0.83, PERCENT),
    "all_age_faces_age_mae": (lambda: AGES.metric("all_age_faces", "age_mae"), -5.0, YEARS),
    "gender_changes_one_view": (lambda: AGES.changes(1), -0.06, PERCENT),
    "gender_changes_several_views": (lambda: AGES.changes(SEVERAL), -0.025, PERCENT),
    "age_gender_parameters": (lambda: AGES.card.parameters, -2_500_000, COUNT),
    "age_gender_ms": (AGES.ms_per_face, -1.5, MS),
    "fer2013_accuracy": (lambda: EMOTION.metric("private", "accuracy"), 0.708, PERCENT),
    "fer2013_macro_f1": (lambda: EMOTION.metric("private", "macro_f1"), 0.68, RATIO),
    "fer2013_fear": (lambda: EMOTION.metric("private", "recall_fear"), 0.5, PERCENT),
    "fer2013_disgust": (lambda: EMOTION.metric("private", "recall_disgust"), 0.58, PERCENT),
    "fer2013_sad": (lambda: EMOTION.metric("private", "recall_sad"), 0.6, PERCENT),
    "fer2013_ece": (lambda: EMOTION.metric("private", "ece"), -0.03, RATIO),
    "emotion_retained_when_corrupted": (EMOTION.robustness, 0.91, PERCENT),
    "emotion_corrupted_ece": (EMOTION.corrupted_ece, -0.04, RATIO),
    "emotion_changes_one_view": (lambda: EMOTION.changes(1), -0.15, PERCENT),
    "emotion_changes_several_views": (lambda: EMOTION.changes(SEVERAL), -0.07, PERCENT),
    "emotion_parameters": (lambda: EMOTION.card.parameters, -2_500_000, COUNT),
    "emotion_ms": (EMOTION.ms_per_face, -1.2, MS),
}


def exceptions():
    """Key -> value of docs/experiments.md's table: ``| figure | floor | reached |``."""
    _, _, section = EXPERIMENTS.read_text(encoding="utf-8").partition(EXCEPTIONS)
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| ([^|]+) \|$", section.partition("\n## ")[0], re.MULTILINE)
    return {key: value for key, value in rows if key != "Figure"}


@pytest.mark.parametrize("key", FLOORS)
def test_floors_are_reached_or_the_exception_is_documented(key):
    measure, bound, form = FLOORS[key]
    try:
        value = measure()
    except KeyError:
        reached, text = False, "not measured"
    else:
        reached, text = value >= bound if bound > 0 else value <= -bound, form.format(value)
    expected = None if reached else text
    row = f"| {key} | {form.format(abs(bound))} | {text} |"
    assert exceptions().get(key) == expected, f"{EXPERIMENTS.name}: {'needless' if reached else 'write'} {row}"


def test_exceptions_are_about_floors():
    assert set(exceptions()) <= set(FLOORS)

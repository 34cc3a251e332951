"""Headline figures of a robustness report: what the model card says of each attribute on damaged pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.artifacts.model_card import ModelCard
from core.errors import ArtifactCorruptError
from core.evaluation.intervals import MetricValue
from core.evaluation.robustness import MEASURED_ATTRIBUTES, RobustnessReport

CARD_KEY = "robustness"
_TITLES = {"emotion": "Emotion", "gender": "Perceived gender", "age": "Age"}

Headline = dict[str, dict[str, float | int | str]]


def card_headline(report: RobustnessReport) -> Headline:
    """Attribute -> flat figures.

    All have ``measure`` (named as in the card's metrics: shares in [0, 1], age errors in years), ``split``, ``images``,
    ``clean`` with its 95 % interval ``clean_low`` and ``clean_high``, ``mean_corrupted`` over all kinds of damage and
    severities, and ``worst``, the kind that does most harm, with its mean ``worst_mean``. Accuracies have
    ``share_kept``, damaged divided by clean (0 where nothing was right on clean pictures), ages ``added_years``.
    """
    accurate, *others = MEASURED_ATTRIBUTES[report.task]
    headline = {accurate: _accuracy(report, "accuracy" if accurate == "emotion" else f"{accurate}_accuracy")}
    headline |= {name: _age_error(report) for name in others}
    # A single picture has no interval, and JSON no word for that.
    return {name: {key: one for key, one in figures.items() if not _is_nan(one)} for name, figures in headline.items()}


def card_lines(card: ModelCard) -> tuple[str, ...]:
    """One sentence for each attribute; none for a card without these figures.

    Raises ``ArtifactCorruptError`` for figures that are not as ``card_headline`` gives them.
    """
    try:
        return tuple(_line(name, figures) for name, figures in card.raw.get(CARD_KEY, {}).items())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactCorruptError(
            f"the card of {card.name} has figures on damaged pictures that cannot be read ({type(error).__name__}: "
            f"{error}). Write them again with: python -m models robustness {card.name} --card-only"
        ) from error


def _accuracy(report: RobustnessReport, measure: str) -> dict[str, float | int | str]:
    clean, mean = report.clean.accuracy, report.mean_corrupted_accuracy
    worst = min(report.corruptions, key=lambda one: one.mean_accuracy)
    kept = {"share_kept": mean / clean.value if clean.value else 0.0}
    return _figures(report, measure, clean, mean) | kept | {"worst": worst.title, "worst_mean": worst.mean_accuracy}


def _age_error(report: RobustnessReport) -> dict[str, float | int | str]:
    clean, mean = report.clean.age_mae, report.mean_corrupted_age_mae
    by_kind = {one.title: one.mean_age_mae for one in report.corruptions if one.mean_age_mae is not None}
    if clean is None or mean is None:
        raise ValueError(f"the report on {report.artifact} has no ages")
    worst = max(by_kind, key=by_kind.__getitem__)
    added = {"added_years": mean - clean.value}
    return _figures(report, "age_mae", clean, mean) | added | {"worst": worst, "worst_mean": by_kind[worst]}


def _figures(report: RobustnessReport, measure: str, clean: MetricValue, mean: float) -> dict[str, float | int | str]:
    return {
        "measure": measure,
        "side": report.side,
        "images": report.images,
        "clean": clean.value,
        "clean_low": clean.low,
        "clean_high": clean.high,
        "mean_corrupted": mean,
    }


def _line(attribute: str, figures: Mapping[str, Any]) -> str:
    clean, mean, worst = (float(figures[name]) for name in ("clean", "mean_corrupted", "worst_mean"))
    of = f"({figures['images']:,} test pictures; worst: {str(figures['worst']).lower()}"
    if figures["measure"] == "age_mae":
        return (
            f"{_TITLES[attribute]}: {clean:.2f} years off on pictures as they are, {mean:.2f} years on damaged ones "
            f"{of}, {worst:.2f} years)."
        )
    return (
        f"{_TITLES[attribute]}: {clean:.1%} right on pictures as they are, {mean:.1%} on damaged ones, which keeps "
        f"{float(figures['share_kept']):.1%} of the accuracy {of}, {worst:.1%} right)."
    )


def _is_nan(value: float | int | str) -> bool:
    return isinstance(value, float) and math.isnan(value)

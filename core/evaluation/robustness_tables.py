"""Robustness reports -> tables for the screen and for CSV. Shares stay in [0, 1], ages in years; nothing is rounded."""

from __future__ import annotations

import pandas as pd

from core.errors import ConfigError
from core.evaluation.intervals import MetricValue
from core.evaluation.robustness import SEVERITIES, CorruptionFigures, Figures, RobustnessReport

MEASURES = ("accuracy", "age")


def measured(figures: Figures, measure: str) -> MetricValue:
    """The accuracy, or the mean age error. Raises ``ConfigError`` for a measure that was not measured."""
    if measure == "accuracy":
        return figures.accuracy
    if measure != "age" or figures.age_mae is None:
        raise ConfigError(f"a measure must be one of {', '.join(MEASURES)} and have been measured, got {measure!r}")
    return figures.age_mae


def cost(report: RobustnessReport, one: CorruptionFigures, measure: str) -> float:
    """What a kind of damage costs on average over its severities, as a share of the clean figure: accuracy lost, or
    age error added. NaN where the clean figure is 0."""
    clean = measured(report.clean, measure).value
    mean = sum(measured(figures, measure).value for figures in one.figures) / len(one.figures)
    change = clean - mean if measure == "accuracy" else mean - clean
    return change / clean if clean else float("nan")


def severity_table(report: RobustnessReport, measure: str) -> pd.DataFrame:
    """One row a corruption, the costliest first: the figure at each severity, their mean, and the cost."""
    name, last = ("accuracy", "accuracy_lost") if measure == "accuracy" else ("years", "error_added_share")
    columns = [f"severity_{severity}_{name}" for severity in SEVERITIES]
    rows = []
    for one in report.corruptions:
        values = [measured(figures, measure).value for figures in one.figures]
        means = {f"mean_{name}": sum(values) / len(values), last: cost(report, one, measure)}
        rows.append({"damage": one.title, **dict(zip(columns, values, strict=True)), **means})
    table = pd.DataFrame(rows)
    return table.sort_values(last, ascending=False, kind="stable", ignore_index=True)


def condition_table(report: RobustnessReport) -> pd.DataFrame:
    """One row a corruption and severity with everything that was measured; the pictures as they are have severity 0."""
    rows = [{"damage": "none", "severity": 0, "level": float("nan"), "unit": ""} | _flat(report.clean)]
    for one in report.corruptions:
        for severity, level, figures in zip(SEVERITIES, one.levels, one.figures, strict=True):
            where = {"damage": one.name, "severity": severity, "level": level, "unit": one.unit}
            rows.append(where | _flat(figures))
    return pd.DataFrame(rows)


def before_table(before: RobustnessReport, after: RobustnessReport) -> pd.DataFrame:
    """One row a kind of damage, and one for pictures as they are: mean accuracy over the severities, before and
    after."""
    pairs = list(zip(before.corruptions, after.corruptions, strict=True))
    return pd.DataFrame(
        {
            "damage": ["none", *(one.title for one, _ in pairs)],
            "accuracy_before": [before.clean.accuracy.value, *(one.mean_accuracy for one, _ in pairs)],
            "accuracy_after": [after.clean.accuracy.value, *(one.mean_accuracy for _, one in pairs)],
        }
    )


def _flat(figures: Figures) -> dict[str, float | int]:
    accuracy, age = figures.accuracy, figures.age_mae
    flat: dict[str, float | int] = {
        "images": figures.n,
        "accuracy": accuracy.value,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "mean_confidence_share": figures.confidence,
    }
    if age is not None:
        flat |= {"mae_years": age.value, "mae_low": age.low, "mae_high": age.high}
    return flat

"""Reports -> tables for the screen and for CSV. Shares stay in [0, 1], ages in years; nothing is rounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.evaluation.fairness import MIN_GROUP_SIZE, FairnessReport
from core.evaluation.figure_names import meaning_of
from core.evaluation.metrics import AgeReport, ClassificationReport


def class_table(report: ClassificationReport) -> pd.DataFrame:
    """One row a class; recall is the per-class accuracy and has its 95 % interval beside it."""
    intervals = report.recall_intervals
    return pd.DataFrame(
        {
            "class": [str(label) for label in report.labels],
            "precision": report.precision,
            "recall": report.recall,
            "recall_low": [one.low for one in intervals],
            "recall_high": [one.high for one in intervals],
            "f1": report.f1,
            "samples": report.support,
        }
    )


def confusion_table(report: ClassificationReport, normalised: bool) -> pd.DataFrame:
    """Rows are the truth, columns the answer; ``normalised`` makes rows sum to 1."""
    values = report.normalised if normalised else report.confusion
    labels = [str(label) for label in report.labels]
    table = pd.DataFrame(values, columns=labels)
    table.insert(0, "truth", labels)
    return table


def bracket_table(report: AgeReport) -> pd.DataFrame:
    """One row a bracket of the true age that holds anybody: mean absolute error with interval, bias, and how many."""
    table = pd.DataFrame(
        {
            "age_bracket": [one.label for one in report.by_bracket],
            "mae_years": [one.mae.value for one in report.by_bracket],
            "mae_low": [one.mae.low for one in report.by_bracket],
            "mae_high": [one.mae.high for one in report.by_bracket],
            "bias_years": [one.bias for one in report.by_bracket],
            "bracket_accuracy": report.brackets.recall,
            "people": [one.mae.n for one in report.by_bracket],
        }
    )
    return table[table["people"] > 0].reset_index(drop=True)


def group_table(report: FairnessReport) -> pd.DataFrame:
    """One row a group: its labels, and each figure that the network gives with its 95 % interval; small groups
    marked."""
    groups = report.groups
    columns: dict[str, list[Any]] = {
        f"{name}_label": [one.labels[index] for one in groups] for index, name in enumerate(report.by)
    }
    columns["people"] = [one.n for one in groups]
    columns[f"under_{MIN_GROUP_SIZE}_people"] = [one.small for one in groups]
    for figure in report.figures:
        measured = [one.measured(figure) for one in groups]
        columns["age_mae_years" if figure == "age_mae" else figure] = [one.value for one in measured]
        columns[f"{figure}_low"] = [one.low for one in measured]
        columns[f"{figure}_high"] = [one.high for one in measured]
    return pd.DataFrame(columns)


def seeds_table(seeds: Mapping[str, Any]) -> pd.DataFrame:
    """``seeds`` as on a model card -> one row a run with seed, epoch and figures, then their mean and standard
    deviation."""
    runs = pd.DataFrame(list(seeds["runs"]))
    runs.insert(0, "run", [f"seed {seed}" for seed in runs.pop("seed")])
    summary = pd.DataFrame(
        [{"run": row.replace("_", " "), **seeds[row]} for row in ("mean", "standard_deviation")], columns=runs.columns
    )
    return pd.concat([runs, summary], ignore_index=True)


def metrics_table(headlines: Mapping[str, Mapping[str, float | int]]) -> pd.DataFrame:
    """Figures as rows with their name and meaning, one column for each name (of an artifact, or stored and re-run)."""
    figures = list(dict.fromkeys(figure for one in headlines.values() for figure in one))
    columns = {name: [float(one.get(figure, np.nan)) for figure in figures] for name, one in headlines.items()}
    return pd.DataFrame({"meaning": [meaning_of(figure) for figure in figures]} | columns | {"figure": figures})

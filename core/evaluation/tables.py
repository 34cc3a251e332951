"""Reports as tables for the screen, for figures and for CSV. Shares stay in [0, 1], ages in years; nothing is rounded.

Columns have ``snake_case`` names, which CSV files keep; ``display_name`` gives the name to show. The bounds of a 95 %
confidence interval stand in ``<column>_low`` and ``<column>_high``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.evaluation.intervals import MetricValue
from core.evaluation.metrics import AgeReport, ClassificationReport

_NAMES = {
    "n": "Images",
    "f1": "F1",
    "macro_f1": "Macro F1",
    "ece": "Expected calibration error (ECE)",
    "ece_before": "ECE before temperature scaling",
    "brier": "Brier score",
    "brier_before": "Brier score before temperature scaling",
    "kept_share": "Coverage at the confidence threshold",
    "kept_accuracy": "Selective accuracy at the confidence threshold",
    "age_mae": "Age MAE (years)",
    "age_bias": "Age bias (years)",
    "age_cs5": "Age within 5 years (CS@5)",
    "age_mae_gap_race": "Age MAE gap between race labels (years)",
    "accuracy_gap_race": "Accuracy gap between race labels",
    "interval_coverage": "Age interval coverage",
    "interval_coverage_lowest": "Age interval coverage, lowest age bracket",
    "interval_coverage_highest": "Age interval coverage, highest age bracket",
    "interval_width": "Mean age interval width (years)",
    "min_score": "Score threshold",
    "min_score_photos": "Score threshold that photos need",
    "min_score_live": "Score threshold that live video needs",
    "min_score_natural": "Score threshold that images without people need",
    "marked_faces": "Annotated faces",
    "street_recall": "Recall, street scenes",
    "false_boxes_web": "False positives per image, web images",
    "false_boxes_all": "False positives per image (FPPI)",
    "double_boxes": "Duplicate detections per image",
    "point_error": "Landmark NME",
    "point_error_median": "Landmark NME, median",
    "fppi": "False positives per image (FPPI)",
    "fppi_web": "False positives per image, web images",
    "duplicates_per_image": "Duplicate detections per image",
    "nme": "Landmark NME",
    "mae": "MAE (years)",
    "median_ms": "Median (ms)",
    "p95_ms": "95th percentile (ms)",
    "inter_ocular_distance": "Inter-ocular distance",
    "race_label": "Race label",
    "fairface_race_label": "Race label",
    "views": "Views per face",
    "changed_answers_share": "Answers that change, share",
    "changed_faces_share": "Faces with a changed answer, share",
    "changed_certain_answers_share": "Certain answers that change, share",
    "age_change_years": "Mean age change (years)",
    "found_share": "Faces found, share",
    "age_label": "True age (years)",
    "gender_label": "Gender label",
    "age_bracket": "True age (years)",
    "ms_per_face": "Time per face (ms)",
    "size_mb": "Size (MB)",
}
_SUBJECTS = {"gender_": "Perceived gender", "age_group_": "Age group", "bracket_": "Age bracket"}
_BOUNDS = {"_low": "95 % CI low", "_high": "95 % CI high"}
_RECALL, _AGE_MAE = "recall_", "age_mae_"


def display_name(name: str) -> str:
    """Return the name of a column, or of a metric on a model card, to show: ``gender_accuracy_low`` -> "Perceived
    gender: accuracy, 95 % CI low". Other names are returned as words, with a capital first letter."""
    for end, words in _BOUNDS.items():
        if name.endswith(end):
            return f"{display_name(name.removesuffix(end))}, {words}"
    if name in _NAMES:
        return _NAMES[name]
    for prefix, subject in _SUBJECTS.items():
        if name.startswith(prefix):
            words = display_name(name.removeprefix(prefix))
            return f"{subject}: {words if words[:2].isupper() else words[:1].lower() + words[1:]}"
    if name.startswith(_RECALL):
        return f"Recall: {name.removeprefix(_RECALL)}"
    if name.startswith(_AGE_MAE):
        bracket = name.removeprefix(_AGE_MAE).replace("_plus", "+").replace("_", "-")
        return f"Age MAE, {bracket} (years)"
    return name[:1].upper() + name[1:].replace("_", " ")


def column_names(table: pd.DataFrame) -> dict[str, str]:
    """Return the display name of every column, as plotly express takes them for ``labels``."""
    return {str(column): display_name(str(column)) for column in table.columns}


def interval_columns(name: str, values: Sequence[MetricValue]) -> dict[str, list[float]]:
    """Return the columns ``name``, ``name_low`` and ``name_high``."""
    return {
        name: [metric.value for metric in values],
        f"{name}_low": [metric.low for metric in values],
        f"{name}_high": [metric.high for metric in values],
    }


def compare_models(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Concatenate tables of the same form; the column ``model`` holds their keys."""
    return pd.concat([table.assign(model=name) for name, table in tables.items()], ignore_index=True)


def class_table(report: ClassificationReport) -> pd.DataFrame:
    """Tabulate precision, recall (the per-class accuracy) with its interval, F1 and support, one row per class."""
    return pd.DataFrame(
        {
            "class": [str(label) for label in report.labels],
            "precision": report.precision,
            **interval_columns("recall", report.recall_intervals),
            "f1": report.f1,
            "samples": report.support,
        }
    )


def confusion_table(report: ClassificationReport, normalised: bool) -> pd.DataFrame:
    """Tabulate the confusion matrix: rows are true classes, columns predictions; ``normalised`` rows sum to 1."""
    labels = [str(label) for label in report.labels]
    table = pd.DataFrame(report.normalised if normalised else report.confusion, columns=labels)
    table.insert(0, "true_class", labels)
    return table


def bracket_table(report: AgeReport) -> pd.DataFrame:
    """Tabulate MAE with its interval, bias and bracket accuracy, one row per true age bracket with any people."""
    table = pd.DataFrame(
        {
            "age_bracket": [bracket.label for bracket in report.by_bracket],
            **interval_columns("age_mae", [bracket.mae for bracket in report.by_bracket]),
            "age_bias": [bracket.bias for bracket in report.by_bracket],
            "bracket_accuracy": report.brackets.recall,
            "people": [bracket.mae.n for bracket in report.by_bracket],
        }
    )
    return table[table["people"] > 0].reset_index(drop=True)


def metrics_table(metrics: Mapping[str, Mapping[str, float | int]]) -> pd.DataFrame:
    """Tabulate summary metrics, one row per metric and one column per key of ``metrics`` (a model, a split, a run)."""
    keys = list(dict.fromkeys(key for values in metrics.values() for key in values))
    columns = {name: [float(values.get(key, np.nan)) for key in keys] for name, values in metrics.items()}
    return pd.DataFrame({"metric": [display_name(key) for key in keys]} | columns | {"key": keys})

"""Tab about whole photographs: the figures of detector and model together, with one view per face and with several."""

from __future__ import annotations

import streamlit as st

from core.artifacts.model_card import SEVERAL_VIEWS_KEY
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.metrics import bracket_report, class_report, end_to_end_accuracy
from core.evaluation.stored import StoredEvaluation
from core.evaluation.tables import metrics_table
from core.tasks import TASKS
from pages.shared.evaluation.components import metric_row, metric_with_interval, show_table

_KEYS = (
    *(
        "found_share",
        "gender_end_to_end",
        "gender_accuracy",
        "recall_female",
        "recall_male",
        "gender_accuracy_gap_race",
    ),
    *("bracket_accuracy", "bracket_within_one", "age_mae", "gender_ece", "interval_coverage", "interval_width"),
)


def is_of_photographs(model: StoredEvaluation) -> bool:
    """Return whether the detector had to find the faces of the split first."""
    return TASKS[model.card.task].is_photo_split(model.split)


def show_photographs(detail: StoredEvaluation) -> None:
    """Show the headline figures of ``detail``, and those with several views beside them."""
    st.markdown(
        "The detector finds the face first; the label is about the largest one. All other tabs leave out misses."
    )
    for column, (label, metric, explanation) in zip(metric_row(5), _headlines(detail), strict=True):
        with column:
            metric_with_interval(label, metric, "%", explanation)
    several = detail.card.raw.get(SEVERAL_VIEWS_KEY, {}).get(detail.split, {})
    columns = {"1 view": detail.card.metrics.get(detail.split, {})}
    columns |= {f"{several['views']} views": several} if several else {}
    shown = {name: {key: metrics[key] for key in _KEYS if key in metrics} for name, metrics in columns.items()}
    st.caption("One view per face, as in live video, and the mean of several, as for photographs. Shares from 0 to 1.")
    show_table(metrics_table(shown).drop(columns="key"), f"{detail.stem}_photographs.csv", "photographs_table")


def _headlines(detail: StoredEvaluation) -> list[tuple[str, MetricValue, str]]:
    predictions, missed = detail.predictions, len(detail.predictions.missed or ())
    brackets = bracket_report(predictions)
    total = len(predictions) + missed
    return [
        ("Faces found", wilson_interval(len(predictions), total), "Share of photographs with any face found."),
        ("Gender, all", end_to_end_accuracy(predictions, "gender"), "A missed face counts as wrong."),
        ("Gender, found", class_report(predictions, "gender").accuracy, "Accuracy for the faces found."),
        ("Age bracket", brackets.accuracy, "Predicted and true age are in the same bracket, for the faces found."),
        ("Within one", brackets.within_one, "At most one bracket off, for the faces found."),
    ]

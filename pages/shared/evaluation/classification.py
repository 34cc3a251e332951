"""Tabs about classes: accuracy per class, confusion matrix, precision and recall; for emotion, gender and age."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.evaluation.metrics import ClassificationReport
from core.evaluation.plots.classification import class_accuracy_bars, confusion_heatmap
from core.evaluation.tables import class_table, confusion_table
from pages.shared.evaluation.cache import draw_figure
from pages.shared.evaluation.components import metric_with_interval, show_figure, show_table


def show_accuracy(reports: Mapping[str, ClassificationReport], what: str) -> None:
    """Show one row of metrics per model, then the bars of all of them."""
    for name, report in reports.items():
        st.markdown(f"**{name}**")
        accuracy, macro_f1, _ = st.columns([1, 1, 2])
        with accuracy:
            metric_with_interval("Accuracy", report.accuracy, "%", "Share of correct predictions.")
        macro_f1.metric("Macro F1", f"{report.macro_f1:.3f}", help="Mean F1 over the classes, each weighted equally.")
    show_figure(
        draw_figure(class_accuracy_bars, reports, f"Accuracy by {what}"),
        f"bars_{what}",
        "Share of images of each true class that are predicted correctly (recall). Lines: 95 % confidence intervals.",
    )


def show_class_table(report: ClassificationReport, what: str, stem: str) -> None:
    show_table(class_table(report), _file_name(stem, what, "classes"), f"table_{what}")
    st.caption(
        "Precision: share of the predictions of a class that are correct. Recall: share of the images of a class that "
        "are found. F1: their harmonic mean. Empty cells: no images."
    )


def show_confusion(report: ClassificationReport, what: str, stem: str) -> None:
    modes = {"Counts": False, "Rows sum to 1": True}
    chosen = st.segmented_control(
        "Cells show", list(modes), default="Rows sum to 1", required=True, key=f"confusion_mode_{what}"
    )
    normalised = modes[chosen]
    show_figure(
        draw_figure(confusion_heatmap, report, f"Confusion matrix: {what}", normalised),
        f"confusion_{what}",
        "Rows: true class. Columns: predicted class. Correct predictions are on the diagonal.",
    )
    with st.expander("As a table"):
        table = f"confusion_{'shares' if normalised else 'counts'}"
        show_table(confusion_table(report, normalised), _file_name(stem, what, table), f"confusion_csv_{what}")


def _file_name(stem: str, what: str, table: str) -> str:
    return f"{stem}_{what}_{table}.csv".replace(" ", "_")

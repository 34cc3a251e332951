"""Tabs about labels: accuracy by class, confusion, precision and recall; the same for emotions and gender."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.evaluation.metrics import ClassificationReport
from core.evaluation.plots.classification import class_accuracy_bars, confusion_heatmap
from core.evaluation.tables import class_table, confusion_table
from pages.shared.evaluation.components import metric_with_interval, show_figure, show_table


def show_accuracy(reports: Mapping[str, ClassificationReport], what: str) -> None:
    """One row of figures a model, then the bars of all of them."""
    for name, report in reports.items():
        st.markdown(f"**{name}**")
        accuracy, macro_f1, _ = st.columns([1, 1, 2])
        with accuracy:
            metric_with_interval("Accuracy", report.accuracy, "%", "How many of all answers are right.")
        macro_f1.metric(
            "Macro F1",
            f"{report.macro_f1:.3f}",
            help="Mean of the classes' F1 (see the table): a rare class counts as much as a common one.",
        )
    show_figure(
        class_accuracy_bars(reports, f"Accuracy by {what}"),
        f"bars_{what}",
        "Of the images whose true class is named below the bar, how many were answered right. "
        "The thin line is the 95 % interval: long where there are few images.",
    )


def show_class_table(report: ClassificationReport, what: str, stem: str) -> None:
    show_table(class_table(report), _file_name(stem, what, "classes"), f"table_{what}")
    st.caption(
        "Precision: of the answers with this label, how many are right. Recall: of the images that truly "
        "have it, how many are found (the bars above). F1: high only if both are. An empty cell: no images "
        "to tell from."
    )


def show_confusion(report: ClassificationReport, what: str, stem: str) -> None:
    normalised = (
        st.segmented_control(
            "Cells show",
            ["Counts", "Rows sum to 1"],
            default="Rows sum to 1",
            required=True,
            key=f"confusion_mode_{what}",
        )
        == "Rows sum to 1"
    )
    show_figure(
        confusion_heatmap(report, f"Confusion: {what}", normalised),
        f"confusion_{what}",
        "Each row is one true class, each column an answer. Right answers lie on the diagonal; a dark cell "
        "beside it is a frequent confusion.",
    )
    kind = "shares" if normalised else "counts"
    with st.expander("As a table"):
        show_table(
            confusion_table(report, normalised),
            _file_name(stem, what, f"confusion_{kind}"),
            f"confusion_csv_{what}",
        )


def _file_name(stem: str, what: str, table: str) -> str:
    return f"{stem}_{what}_{table}.csv".replace(" ", "_")

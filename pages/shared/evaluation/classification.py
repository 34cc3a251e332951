"""Tabs about classes: accuracy per class, confusion matrix, precision and recall; for emotion, gender and age."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.evaluation.answers import describe_confusion, describe_hardest
from core.evaluation.metrics import ClassificationReport
from core.evaluation.plots.classification import (
    add_cells,
    class_accuracy_bars,
    confusion_difference,
    confusion_heatmap,
)
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
        f"Look at the shortest bar: {describe_hardest(next(iter(reports.values())))}.",
        "Share of images of each true class that are predicted correctly (recall). Lines: 95 % confidence intervals.",
    )


def show_class_table(report: ClassificationReport, what: str, stem: str) -> None:
    show_table(class_table(report), _file_name(stem, what, "classes"), f"table_{what}")
    st.caption(
        "Precision: share of the predictions of a class that are correct. Recall: share of the images of a class that "
        "are found. F1: their harmonic mean. Empty cells: no images."
    )


def show_confusion(report: ClassificationReport, what: str, stem: str, selectable: bool = False) -> None:
    """Show the confusion matrix; a click on a cell that is ``selectable`` is what ``choose_cell`` returns."""
    modes = {"Counts": False, "Rows sum to 1": True}
    chosen = st.segmented_control(
        "Cells show", list(modes), default="Rows sum to 1", required=True, key=f"confusion_mode_{what}"
    )
    normalised = modes[chosen]
    figure = draw_figure(confusion_heatmap, report, f"Confusion matrix: {what}", normalised)
    worst = describe_confusion(report)
    show_figure(
        add_cells(go.Figure(figure), report) if selectable else figure,
        f"confusion_{what}",
        f"Look at the darkest cell off the diagonal: {worst}." if worst else "Every cell off the diagonal is empty.",
        "Rows: true class. Columns: predicted class. Correct predictions are on the diagonal."
        + (" Click a cell to see its images below." if selectable else ""),
        partial(_select_cell, what) if selectable else None,
    )
    with st.expander("As a table"):
        table = f"confusion_{'shares' if normalised else 'counts'}"
        show_table(confusion_table(report, normalised), _file_name(stem, what, table), f"confusion_csv_{what}")


def choose_cell(report: ClassificationReport, what: str) -> tuple[str, str]:
    """Choose a cell of the confusion matrix, (true, predicted) class; at first the worst one."""
    shares = report.normalised.copy()
    np.fill_diagonal(shares, 0)
    worst = np.unravel_index(int(shares.argmax()), shares.shape)
    labels = [str(label) for label in report.labels]
    boxes = zip(st.columns(2), ("True class", "Predicted class"), ("true", "predicted"), worst, strict=True)
    true, predicted = (
        column.selectbox(title, labels, index=int(row), key=f"cell_{side}_{what}") for column, title, side, row in boxes
    )
    return true, predicted


def show_confusion_difference(first: str, second: str, reports: Mapping[str, ClassificationReport], what: str) -> None:
    """Show where two networks differ, cell by cell."""
    show_figure(
        draw_figure(confusion_difference, reports[first], reports[second], f"{first} minus {second}: {what}"),
        f"confusion_difference_{what}",
        f"Look at the diagonal: blue where {first} is right more often, red where {second} is.",
        "Difference of the shares of each true class, in percentage points. Off the diagonal, red is better.",
    )


def _select_cell(what: str) -> None:
    for point in st.session_state[f"confusion_{what}"]["selection"]["points"][:1]:
        st.session_state[f"cell_true_{what}"] = point["y"]
        st.session_state[f"cell_predicted_{what}"] = point["x"]


def _file_name(stem: str, what: str, table: str) -> str:
    return f"{stem}_{what}_{table}.csv".replace(" ", "_")

"""The evaluation of face detectors: recall, false positives, landmarks and latency, from the stored report."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.artifacts.model_card import DETECTOR_ARTIFACT, artifacts_dir, load_card
from core.errors import ArtifactError
from core.evaluation.detection import tables
from core.evaluation.detection.conditions import CONDITIONS, ORIGINAL, VIDEO_WH, Condition
from core.evaluation.detection.report import DetectionReport, DetectorReport
from core.evaluation.detection.store import load_report
from core.evaluation.detection.tables import Detectors
from core.evaluation.plots import detection as figures
from pages.shared.errors import show_error
from pages.shared.evaluation.cache import draw_figure
from pages.shared.evaluation.components import (
    metric_row,
    metric_with_interval,
    show_figure,
    show_open_tab,
    show_table,
)
from pages.shared.evaluation.model_card import show_card, show_training

TAB_KEY = "evaluation_detector_tab"
_FACET_ONLY = "This tab is about Facet's own detector. The other detectors come with OpenCV."


def load_detection() -> DetectionReport | None:
    """Load the stored report; without one, show how to get it."""
    try:
        return load_report(artifacts_dir() / DETECTOR_ARTIFACT)
    except ArtifactError as error:
        show_error(error)
        return None


def choose_detectors(report: DetectionReport) -> dict[str, DetectorReport]:
    """Show the choice of detectors and return the reports of the chosen ones."""
    chosen = st.multiselect(
        "Detectors",
        list(report.detectors),
        default=list(report.detectors),
        format_func=lambda name: report.detectors[name].title,
        key="evaluation_detectors",
        help="All detectors were run on the same images.",
    )
    return {name: report.detectors[name] for name in chosen}


def show_detectors(report: DetectionReport, detectors: Detectors) -> None:
    """Show everything about the chosen detectors under one condition."""
    st.caption(
        f"Held-out test split of {report.images:,} images. {report.web_images:,} are web images with annotated faces. "
        "The others are street scenes; about half of their faces wear masks."
    )
    measured = {name for detector in detectors.values() for name in detector.conditions}
    titles = {condition.title: condition for condition in CONDITIONS if condition.name in measured}
    title = st.segmented_control(
        "Condition", list(titles), default=ORIGINAL.title, required=True, key="evaluation_condition"
    )
    condition = titles[str(title)]
    under_condition = {name: part for name, part in detectors.items() if condition.name in part.conditions}
    for detector in under_condition.values():
        _show_metrics(detector, condition)
    tabs: dict[str, Callable[[], None]] = {
        "Recall": lambda: _show_recall(under_condition, condition),
        "Size and rotation": lambda: _show_groups(under_condition, detectors, condition),
        "Landmarks": lambda: _show_landmarks(under_condition, condition),
        "Latency": lambda: _show_latency(detectors),
        "Training": _show_training,
        "Model card": _show_card,
    }
    show_open_tab(tabs, TAB_KEY)


def _show_metrics(detector: DetectorReport, condition: Condition) -> None:
    report, ms = detector.conditions[condition.name], tables.frame_ms(detector, condition)
    st.markdown(f"**{detector.title}**")
    recall, fppi, nme, time = metric_row(4)
    with recall:
        metric_with_interval("Recall", report.recall, "%", "Share of annotated faces that are detected.")
    fppi.metric(
        "False positives",
        f"{report.fppi:.2f}",
        help="Boxes per image where neither people nor a second detector see a face.",
    )
    nme.metric(
        "Landmark NME",
        f"{report.landmarks.mean:.1%}" if report.landmarks else "–",
        help="Mean distance to the annotated landmarks, divided by the distance between the eyes.",
    )
    time.metric(
        "Time per frame",
        "–" if ms is None else f"{ms:.1f} ms",
        help=f"Median for a frame of {VIDEO_WH[0]}x{VIDEO_WH[1]} pixels on one CPU core.",
    )


def _show_recall(detectors: Detectors, condition: Condition) -> None:
    curves, defaults = tables.curve_table(detectors, condition.name), tables.condition_table(detectors, (condition,))
    show_figure(
        draw_figure(figures.recall_curves, curves, defaults, "Recall and false positives"),
        "detector_curve",
        "Each line is one detector with a falling score threshold; up and to the left is better. The diamond is the "
        "default. Some labels come from YuNet, so YuNet has no false positives here.",
    )
    show_table(tables.condition_table(detectors), "detectors.csv", "table_detectors")


def _show_groups(under_condition: Detectors, detectors: Detectors, condition: Condition) -> None:
    by_size = tables.recall_table(
        under_condition, "inter_ocular_distance", lambda detector: detector.conditions[condition.name].by_size
    )
    show_figure(
        draw_figure(figures.recall_bars, by_size, "inter_ocular_distance", "Recall by face size"),
        "detector_sizes",
        "Size is the distance between the eyes in the original image. Thin lines are 95 % confidence intervals.",
    )
    show_table(by_size, "detectors_size.csv", "table_sizes")
    by_rotation = tables.recall_table(detectors, "rotation", lambda detector: detector.by_rotation)
    show_figure(
        draw_figure(figures.recall_bars, by_rotation, "rotation", "Recall by rotation"),
        "detector_rotations",
        "The same images in original size, rotated to either side.",
    )
    show_table(by_rotation, "detectors_rotation.csv", "table_rotations")


def _show_landmarks(detectors: Detectors, condition: Condition) -> None:
    nme = tables.nme_table(detectors, condition.name)
    show_figure(
        draw_figure(figures.nme_bars, nme, "Normalised mean error of the landmarks"),
        "detector_landmarks",
        "Distance to annotated landmarks, divided by the distance between the eyes. Lower is better.",
    )
    if not nme.empty:
        show_table(nme, "detectors_landmarks.csv", "table_landmarks")


def _show_latency(detectors: Detectors) -> None:
    latencies = tables.latency_table(detectors)
    show_figure(
        draw_figure(figures.latency_lines, latencies, "Time per frame"),
        "detector_latency",
        "Median on one CPU core, on a logarithmic scale. Lower is better.",
    )
    show_table(latencies, "detectors_latency.csv", "table_latency")


def _show_training() -> None:
    st.caption(f"{_FACET_ONLY} Only losses were recorded.")
    show_training(artifacts_dir() / DETECTOR_ARTIFACT)


def _show_card() -> None:
    st.caption(_FACET_ONLY)
    try:
        card = load_card(artifacts_dir() / DETECTOR_ARTIFACT)
    except ArtifactError as error:
        show_error(error)
        return
    show_card(card)

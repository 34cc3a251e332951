"""The evaluation of face detectors: recall, false positives, landmarks and latency, from the stored report."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.artifacts.model_card import DETECTOR_ARTIFACT, artifacts_dir, load_card
from core.errors import ArtifactError
from core.evaluation.answers import describe_detection
from core.evaluation.detection import tables
from core.evaluation.detection.conditions import CONDITIONS, ORIGINAL, SET_TITLES, VIDEO_WH, Condition
from core.evaluation.detection.report import DetectionReport, DetectorReport, GroupRecall
from core.evaluation.detection.store import load_report
from core.evaluation.detection.tables import Detectors
from core.evaluation.plots import detection as figures
from pages.shared.errors import show_error
from pages.shared.evaluation.cache import draw_figure
from pages.shared.evaluation.components import (
    download_table,
    metric_row,
    metric_with_interval,
    show_figure,
    show_open_tab,
    show_table,
)
from pages.shared.evaluation.model_card import show_card, show_training
from pages.shared.evaluation.selection import DETECTOR_TAB_KEY

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
    """Show everything about the chosen detectors under one condition, at one score threshold."""
    st.caption(
        f"Held-out test split of {report.images:,} images. {report.web_images:,} are web images with annotated faces. "
        "The others are street scenes; about half of their faces wear masks."
    )
    titles = {condition.title: condition for condition in CONDITIONS}
    title = st.segmented_control(
        "Condition", list(titles), default=ORIGINAL.title, required=True, key="evaluation_condition"
    )
    point = st.segmented_control(
        "Operating point",
        list(tables.OPERATING_POINTS),
        default=next(iter(tables.OPERATING_POINTS)),
        format_func=lambda name: name[:1].upper() + name[1:],
        required=True,
        key="evaluation_operating_point",
        help="Detectors compare best at the same number of false positives.",
    )
    matched, condition = tables.OPERATING_POINTS[str(point)], titles[str(title)]
    for detector in detectors.values():
        if condition.name in detector.at(matched).conditions:
            _show_metrics(detector, condition, matched)
    tabs: dict[str, Callable[[], None]] = {
        "Figures": lambda: _show_figures(report, detectors, matched),
        "Recall": lambda: _show_recall(detectors, condition, matched),
        "Size, yaw and rotation": lambda: _show_groups(detectors, condition, matched),
        "Landmarks": lambda: _show_landmarks(detectors, condition, matched),
        "Latency": lambda: _show_latency(detectors),
        "Training": _show_training,
        "Model card": _show_card,
    }
    show_open_tab(tabs, DETECTOR_TAB_KEY)


def _show_metrics(detector: DetectorReport, condition: Condition, matched: bool) -> None:
    report, ms = detector.at(matched).conditions[condition.name], tables.frame_ms(detector, condition)
    st.markdown(f"**{detector.title}.** {describe_detection(report)}")
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


def _show_figures(report: DetectionReport, detectors: Detectors, matched: bool) -> None:
    st.dataframe(
        tables.figure_text_table(detectors, matched),
        hide_index=True,
        width="stretch",
        column_config={"figure": "Figure"},
    )
    download_table(tables.figure_table(detectors, matched), "detectors_figures.csv", "table_figures")
    sets = ", ".join(f"{SET_TITLES[name]} {count:,}" for name, count in report.sets.items() if name in SET_TITLES)
    st.caption(f"Images: {sets}. Close-ups were cut by YuNet's boxes, which is in its favour.")


def _show_recall(detectors: Detectors, condition: Condition, matched: bool) -> None:
    points = tables.condition_table(detectors, (condition,), matched)
    show_figure(
        draw_figure(
            figures.recall_curves, tables.curve_table(detectors, condition.name), points, "Recall and false positives"
        ),
        "detector_curve",
        "Look at the diamonds: the higher, the more faces are found; the further left, the fewer boxes are wrong.",
        "Each line is one detector with a falling score threshold; up and to the left is better. The diamond is the "
        "chosen threshold. Some labels come from YuNet, so YuNet has no false positives here.",
    )
    show_table(tables.condition_table(detectors, matched=matched), "detectors.csv", "table_detectors")


def _show_groups(detectors: Detectors, condition: Condition, matched: bool) -> None:
    def by_size(detector: DetectorReport) -> tuple[GroupRecall, ...]:
        report = detector.at(matched).conditions.get(condition.name)
        return report.by_size if report else ()

    groups: tuple[tuple[str, str, Callable[[DetectorReport], tuple[GroupRecall, ...]], str], ...] = (
        (
            "inter_ocular_distance",
            "size",
            by_size,
            "Size is the distance between the eyes in the original image. Thin lines are 95 % confidence intervals.",
        ),
        (
            "yaw",
            "yaw",
            lambda detector: detector.at(matched).by_yaw,
            "FairFace portraits by how far the head is turned, estimated from YuNet's landmarks.",
        ),
        (
            "rotation",
            "rotation",
            lambda detector: detector.at(matched).by_rotation,
            "Web images in original size, rotated to either side.",
        ),
    )
    for column, name, select, how_to_read in groups:
        table = tables.recall_table(detectors, column, select)
        show_figure(
            draw_figure(figures.recall_bars, table, column, f"Recall by {name}"),
            f"detector_{name}",
            "Look at the shortest bars: the faces that are missed most.",
            how_to_read,
        )
        if not table.empty:
            show_table(table, f"detectors_{name}.csv", f"table_{name}")


def _show_landmarks(detectors: Detectors, condition: Condition, matched: bool) -> None:
    nme = tables.nme_table(detectors, condition.name, matched)
    show_figure(
        draw_figure(figures.nme_bars, nme, "Normalised mean error of the landmarks"),
        "detector_landmarks",
        "Look at the longest bars: the points that are placed worst.",
        "Distance to annotated landmarks, divided by the distance between the eyes. Lower is better.",
    )
    if not nme.empty:
        show_table(nme, "detectors_landmarks.csv", "table_landmarks")


def _show_latency(detectors: Detectors) -> None:
    latencies = tables.latency_table(detectors)
    show_figure(
        draw_figure(figures.latency_lines, latencies, "Time per frame"),
        "detector_latency",
        "Look at how fast the lines rise with the size of the frame.",
        "Median on one CPU core for a scene with three faces, on a logarithmic scale. Lower is better.",
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

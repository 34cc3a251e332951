"""The evaluation of face detectors: faces found, false boxes, points, time and steadiness, from stored figures."""

from __future__ import annotations

import streamlit as st

from core.artifacts.model_card import DETECTOR_ARTIFACT, artifacts_dir, load_card
from core.errors import ArtifactError
from core.evaluation.detection.conditions import SETUPS, VIDEO_WH
from core.evaluation.detection.report import DetectionReport, DetectorReport, SetupReport
from core.evaluation.detection.store import load_report
from core.evaluation.detection.tables import frame_ms
from core.tasks import TASKS
from pages.shared.errors import show_error
from pages.shared.evaluation.components import metric_row, metric_with_interval
from pages.shared.evaluation.detector_tabs import (
    Detectors,
    show_found,
    show_points,
    show_size_and_tilt,
    show_speed,
    show_steadiness,
)
from pages.shared.evaluation.model_card import show_card, show_training

_TABS = ("Found and false", "Size and tilt", "Points", "Speed", "Steadiness", "Training", "Model card")
_OURS = "About the compact detector, which was trained for this app; the others come from OpenCV."


def load_detection() -> DetectionReport | None:
    """The stored report; without one, a line says how to get it."""
    try:
        return load_report(artifacts_dir() / DETECTOR_ARTIFACT)
    except ArtifactError as error:
        show_error(error)
        return None


def choose_detectors(report: DetectionReport) -> dict[str, DetectorReport]:
    chosen = st.multiselect(
        "Detectors",
        list(report.detectors),
        default=list(report.detectors),
        format_func=lambda name: report.detectors[name].title,
        key="evaluation_detectors",
        help="All of them looked at the same photographs in one run.",
    )
    return {name: report.detectors[name] for name in chosen}


def show_detectors(report: DetectionReport, detectors: Detectors) -> None:
    """Everything about the chosen detectors, on the photographs in one of the sizes."""
    st.caption(
        f"{report.photos:,} photographs that no detector of ours was trained on, {report.web_photos:,} of them from "
        "the web with faces marked by people, the others street scenes in which about half of the faces wear masks."
    )
    measured = {name for one in detectors.values() for name in one.setups}
    titles = {setup.title: setup for setup in SETUPS if setup.name in measured}
    title = st.segmented_control(
        "Photographs", list(titles), default=SETUPS[0].title, required=True, key="evaluation_setup"
    )
    chosen = titles[str(title)]
    setup = chosen.name
    for one in detectors.values():
        if setup in one.setups:
            _show_tiles(one, one.setups[setup], frame_ms(one, chosen))
    found, size, points, speed, steady, training, card = st.tabs(_TABS)
    with found:
        show_found(detectors, setup)
    with size:
        show_size_and_tilt(detectors, setup)
    with points:
        show_points(report, detectors, setup)
    with speed:
        show_speed(detectors)
    with steady:
        show_steadiness(detectors)
    with training:
        st.caption(f"{_OURS} Losses only: how many faces each epoch found was not recorded.")
        show_training(artifacts_dir() / DETECTOR_ARTIFACT)
    with card:
        _show_card()


def _show_card() -> None:
    st.caption(_OURS)
    try:
        card = load_card(artifacts_dir() / DETECTOR_ARTIFACT)
    except ArtifactError as error:
        show_error(error)
        return
    show_card(card, TASKS["detection"].test_split.name)


def _show_tiles(detector: DetectorReport, setup: SetupReport, ms: float | None) -> None:
    st.markdown(f"**{detector.title}**")
    found, false, points, time = metric_row(4)
    with found:
        metric_with_interval("Faces found", setup.recall, "%", "Of the faces that people marked, how many have a box.")
    false.metric(
        "False boxes an image",
        f"{setup.false_boxes_all:.2f}",
        help="Boxes at a place where neither people nor another detector see a face, as a mean over all photographs.",
    )
    points.metric(
        "Points off by",
        "–" if setup.points is None else f"{setup.points.mean * 100:.1f} %",
        help="Mean distance of eyes, nose and mouth from where people marked them, in percent of the distance between "
        "the eyes. A dash: this detector marks no points.",
    )
    time.metric(
        "Time a frame",
        "–" if ms is None else f"{ms:.1f} ms",
        help=f"Median time to look for faces in {VIDEO_WH[0]}x{VIDEO_WH[1]} pixels on one processor core.",
    )

"""The evaluation of face detectors: faces found, false boxes, points, time and steadiness, from stored figures."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.artifact import DETECTOR_ARTIFACT, artifacts_dir
from core.errors import ArtifactError
from core.evaluation import detection_figures as figures
from core.evaluation.detection_report import DetectionReport, DetectorReport, SetupReport
from core.evaluation.detection_setups import SETUPS
from core.evaluation.detection_stored import load_report
from core.evaluation.detection_tables import (
    point_reports,
    point_table,
    setup_table,
    share_table,
    steadiness_table,
    timing_table,
)
from pages.shared.errors import show_error
from pages.shared.evaluation_common import show_figure, show_measured, show_table

_TABS = ("Found and false", "Size and tilt", "Points", "Speed", "Steadiness")
_VIDEO_WH = (640, 480)

Detectors = Mapping[str, DetectorReport]


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
    titles = {setup.title: setup.name for setup in SETUPS}
    title = st.segmented_control(
        "Photographs", list(titles), default=SETUPS[0].title, required=True, key="evaluation_setup"
    )
    setup = titles[str(title)]
    for one in detectors.values():
        if setup in one.setups:
            _show_tiles(one, one.setups[setup], live=setup == "live")
    found, size, points, speed, steady = st.tabs(_TABS)
    with found:
        _show_found(detectors, setup)
    with size:
        _show_size_and_tilt(detectors, setup)
    with points:
        _show_points(report, detectors, setup)
    with speed:
        _show_speed(detectors)
    with steady:
        _show_steadiness(detectors)


def _show_tiles(detector: DetectorReport, setup: SetupReport, live: bool) -> None:
    st.markdown(f"**{detector.title}**")
    found, false, points, time = st.columns(4)
    with found:
        show_measured("Faces found", setup.recall, "%", "Of the faces that people marked, how many have a box.")
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
    width, height = _VIDEO_WH
    times = [one.median_ms for one in detector.timings if (one.live, one.width, one.height) == (live, width, height)]
    time.metric(
        "Time a frame",
        f"{times[0]:.1f} ms" if times else "–",
        help=f"Median time to look for faces in {width}x{height} pixels on one processor core.",
    )


def _show_found(detectors: Detectors, setup: str) -> None:
    show_figure(
        figures.recall_curves(detectors, setup, "Faces found against false boxes"),
        "detector_curve",
        "Each line is one detector from strict (left) to lenient (right); up and to the left is better. The diamond is "
        "its default; a double click shows the rest of the lines. YuNet made part of the marks, so nothing that it "
        "finds can count as false here.",
    )
    show_table(setup_table(detectors), "detectors.csv", "table_detectors")
    st.caption(
        "Recall: of the faces that people marked, how many are found; street recall: the same for the street scenes. "
        "Double boxes: further boxes on a face that has one already. Point error: see the tab about points."
    )


def _show_size_and_tilt(detectors: Detectors, setup: str) -> None:
    by_size = {one.title: one.setups[setup].by_size for one in detectors.values() if setup in one.setups}
    show_figure(
        figures.share_bars(by_size, "Distance between the eyes in the photograph as it is", "Faces found by size"),
        "detector_sizes",
        "How many faces of each size are found. The thin line is the 95 % interval: long where there are few faces.",
    )
    show_figure(
        figures.share_bars({one.title: one.by_tilt for one in detectors.values()}, "Tilt", "Faces found by tilt"),
        "detector_tilts",
        "The same photographs, as they are, turned to either side: how well tilted heads are found.",
    )
    show_table(share_table(detectors, lambda one: one.by_tilt), "detectors_tilt.csv", "table_tilts")


def _show_points(report: DetectionReport, detectors: Detectors, setup: str) -> None:
    reports = point_reports(report, {name: one for name, one in detectors.items() if setup in one.setups}, setup)
    show_figure(
        figures.point_bars(reports, "Distance of the points from other marks"),
        "detector_points",
        "Shorter is better. People and machine do not mean quite the same spot, most of all at the nose, and people "
        "click a few pixels beside it: “machine against people” is how far two annotators are apart.",
    )
    if reports:
        show_table(point_table(reports), "detectors_points.csv", "table_points")
    show_figure(
        figures.scatter_bars(detectors, setup, "How much each rater's points scatter by themselves"),
        "detector_scatter",
        "Three raters marked the same faces. With constant differences of opinion taken out, how far each pair is "
        "apart tells how much each one scatters. Nobody can agree with people's marks better than these scatter.",
    )


def _show_speed(detectors: Detectors) -> None:
    for live, name in ((False, "photos"), (True, "live video")):
        show_figure(
            figures.timing_lines(detectors, live, f"Time a frame with the settings for {name}"),
            f"detector_times_{'live' if live else 'photos'}",
            "Lower is better; each step of the grid is a fixed factor. All detectors took turns on one processor core; "
            "another machine is slower or faster for all of them.",
        )
    show_table(timing_table(detectors), "detectors_times.csv", "table_times")


def _show_steadiness(detectors: Detectors) -> None:
    show_figure(
        figures.steadiness_bars(detectors, "How much the box of a still face trembles"),
        "detector_steadiness",
        "Photographs with one face became still videos with the noise of a camera. Shorter bars are steadier; "
        "tracking, which the live page uses, averages over time.",
    )
    show_table(steadiness_table(detectors), "detectors_steadiness.csv", "table_steadiness")

"""The tabs about face detectors: figures and tables of what was stored."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.evaluation.detection.report import DetectionReport, DetectorReport
from core.evaluation.detection.tables import (
    point_reports,
    point_table,
    scatter_table,
    setup_table,
    share_table,
    steadiness_table,
    timing_table,
)
from core.evaluation.plots import detection as figures
from pages.shared.evaluation.components import show_figure, show_table

Detectors = Mapping[str, DetectorReport]
"""Name -> what is stored about the detector."""


def _measured_in(setup: str, detectors: Detectors) -> Detectors:
    return {name: one for name, one in detectors.items() if setup in one.setups}


def show_found(detectors: Detectors, setup: str) -> None:
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


def show_size_and_tilt(detectors: Detectors, setup: str) -> None:
    sized = _measured_in(setup, detectors)
    by_size = {one.title: one.setups[setup].by_size for one in sized.values()}
    show_figure(
        figures.share_bars(by_size, "Distance between the eyes in the photograph as it is", "Faces found by size"),
        "detector_sizes",
        "How many faces of each size are found. The thin line is the 95 % interval: long where there are few faces.",
    )
    show_table(share_table(sized, lambda one: one.setups[setup].by_size), "detectors_size.csv", "table_sizes")
    show_figure(
        figures.share_bars({one.title: one.by_tilt for one in detectors.values()}, "Tilt", "Faces found by tilt"),
        "detector_tilts",
        "The same photographs, as they are, turned to either side: how well tilted heads are found.",
    )
    show_table(share_table(detectors, lambda one: one.by_tilt), "detectors_tilt.csv", "table_tilts")


def show_points(report: DetectionReport, detectors: Detectors, setup: str) -> None:
    reports = point_reports(report, _measured_in(setup, detectors), setup)
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
        "apart tells how much each one scatters, as far as their errors are independent. Ours learnt in part from the "
        "machine's marks: people's share is at most what is shown, the other two at least.",
    )
    scatter = scatter_table(detectors, setup)
    if not scatter.empty:
        show_table(scatter, "detectors_scatter.csv", "table_scatter")


def show_speed(detectors: Detectors) -> None:
    for live, name in ((False, "photos"), (True, "live video")):
        show_figure(
            figures.timing_lines(detectors, live, f"Time a frame with the settings for {name}"),
            f"detector_times_{'live' if live else 'photos'}",
            "Lower is better; each step of the grid is a fixed factor. All detectors took turns on one processor core; "
            "another machine is slower or faster for all of them.",
        )
    show_table(timing_table(detectors), "detectors_times.csv", "table_times")


def show_steadiness(detectors: Detectors) -> None:
    show_figure(
        figures.steadiness_bars(detectors, "How much the box of a still face trembles"),
        "detector_steadiness",
        "Photographs with one face became still videos with the noise of a camera. Shorter bars are steadier; "
        "tracking, which the live page uses, averages over time.",
    )
    show_table(steadiness_table(detectors), "detectors_steadiness.csv", "table_steadiness")

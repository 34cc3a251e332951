"""Reports about detectors -> tables for the screen, the command line and CSV. Nothing is rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from core.evaluation.detection.conditions import SETUPS, VIDEO_WH, Setup
from core.evaluation.detection.report import DetectionReport, DetectorReport, PointReport, SetupReport, Share
from core.settings import LIVE_DETECTOR

Detectors = Mapping[str, DetectorReport]


def setup_table(detectors: Detectors) -> pd.DataFrame:
    """One row a detector and setup, at the default sensitivity."""
    titles = {setup.name: setup.title for setup in SETUPS}
    return pd.DataFrame(
        [
            {"detector": one.title, "photographs": titles[name]} | _setup_row(setup)
            for one in detectors.values()
            for name, setup in one.setups.items()
        ]
    )


def frame_ms(detector: DetectorReport, setup: Setup) -> float | None:
    """Median milliseconds for a frame of ``VIDEO_WH`` with the settings of ``setup``; ``None`` where that was not
    measured, or says nothing about the much larger pictures of many photographs."""
    if setup.a_row > 1:
        return None
    wanted = (setup.settings == LIVE_DETECTOR, *VIDEO_WH)
    times = (one.median_ms for one in detector.timings if (one.live, one.width, one.height) == wanted)
    return next(times, None)


def share_table(detectors: Detectors, shares: Callable[[DetectorReport], tuple[Share, ...]]) -> pd.DataFrame:
    """One row a detector and kind of face, with the 95 % interval of its recall."""
    return pd.DataFrame(
        [
            {
                "detector": one.title,
                "faces": share.label,
                "recall": share.found.value,
                "recall_low": share.found.low,
                "recall_high": share.found.high,
                "n": share.found.n,
            }
            for one in detectors.values()
            for share in shares(one)
        ]
    )


def point_reports(report: DetectionReport, detectors: Detectors, setup: str) -> dict[str, PointReport]:
    """Whose points against whose -> how far they are apart; the last is the machine's marks in the data."""
    compared: dict[str, PointReport | None] = {}
    for one in detectors.values():
        compared[f"{one.title} against people"] = one.setups[setup].points
        compared[f"{one.title} against machine"] = one.setups[setup].points_to_machine
    compared["machine against people"] = report.machine_points
    return {title: points for title, points in compared.items() if points is not None}


def point_table(reports: Mapping[str, PointReport]) -> pd.DataFrame:
    """Whose points against whose -> one row: error over all faces, by point and by size of the face."""
    return pd.DataFrame(
        [
            {"points": title, "error_share": one.mean, "median_share": one.median}
            | {f"{part.label}_share": part.mean for part in (*one.by_point, *one.by_size)}
            | {"faces": one.n}
            for title, one in reports.items()
        ]
    )


def scatter_table(detectors: Detectors, setup: str) -> pd.DataFrame:
    """One row a detector with landmarks: scatter of people, machine and detector, in shares of the eye distance."""
    measured = {one.title: one.setups[setup].scatter for one in detectors.values() if setup in one.setups}
    return pd.DataFrame(
        [
            {
                "detector": title,
                "people_share": scatter.people,
                "machine_share": scatter.machine,
                "detector_share": scatter.detector,
                "faces": scatter.n,
            }
            for title, scatter in measured.items()
            if scatter is not None
        ]
    )


def timing_table(detectors: Detectors) -> pd.DataFrame:
    """One row a detector and kind of settings, a column of milliseconds for each frame size."""
    rows = []
    for one in detectors.values():
        for live in sorted({timing.live for timing in one.timings}):
            row: dict[str, object] = {"detector": one.title, "settings": "live video" if live else "photos"}
            same = (timing for timing in one.timings if timing.live == live)
            rows.append(row | {f"{timing.width}x{timing.height} ms": timing.median_ms for timing in same})
    return pd.DataFrame(rows)


def steadiness_table(detectors: Detectors) -> pd.DataFrame:
    """One row a detector: standard deviation of the box centre as detected and after tracking."""
    return pd.DataFrame(
        [
            {
                "detector": one.title,
                "detected_px": one.steadiness.raw_px,
                "detected_share": one.steadiness.raw_share,
                "tracked_px": one.steadiness.tracked_px,
                "tracked_share": one.steadiness.tracked_share,
                "found_share": one.steadiness.found,
                "photographs": one.steadiness.photos,
            }
            for one in detectors.values()
            if one.steadiness is not None
        ]
    )


def _setup_row(setup: SetupReport) -> dict[str, float | int]:
    return {
        "recall": setup.recall.value,
        "recall_low": setup.recall.low,
        "recall_high": setup.recall.high,
        "street_recall": setup.street_recall.value,
        "false_boxes_web": setup.false_boxes_web,
        "false_boxes_all": setup.false_boxes_all,
        "double_boxes": setup.double_boxes,
        "point_error_share": np.nan if setup.points is None else setup.points.mean,
        "point_to_machine_share": np.nan if setup.points_to_machine is None else setup.points_to_machine.mean,
    }

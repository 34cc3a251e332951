"""Reports about detectors as tables for the screen, for figures, the command line and CSV. Nothing is rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from core.evaluation.detection.conditions import CONDITIONS, VIDEO_WH, Condition
from core.evaluation.detection.figures import FIGURES, format_figure
from core.evaluation.detection.metrics import MATCHED_FPPI
from core.evaluation.detection.report import DetectorReport, GroupRecall
from core.settings import LIVE_DETECTOR

Detectors = Mapping[str, DetectorReport]
OPERATING_POINTS: Mapping[str, bool] = {
    "default threshold": False,
    f"{MATCHED_FPPI:.2f} false positives per web image": True,
}
"""Title -> is it the matched one?"""


def figure_table(detectors: Detectors, matched: bool = False) -> pd.DataFrame:
    """Tabulate the figures at one operating point as numbers, one row per figure and one column per detector."""
    return _figures(detectors, matched, lambda key, figures: figures[key].value if key in figures else np.nan)


def figure_text_table(detectors: Detectors, matched: bool = False) -> pd.DataFrame:
    """Tabulate the figures as ``figure_table`` does, rounded and with their units."""
    return _figures(detectors, matched, lambda key, figures: format_figure(key, figures.get(key)))


def _figures(detectors: Detectors, matched: bool, cell: Callable[..., object]) -> pd.DataFrame:
    points = {detector.title: detector.at(matched) for detector in detectors.values()}
    keys = [key for key in FIGURES if any(key in point.figures for point in points.values())]
    columns = {title: [cell(key, point.figures) for key in keys] for title, point in points.items()}
    return pd.DataFrame({"figure": [FIGURES[key].title for key in keys]} | columns)


def condition_table(
    detectors: Detectors, conditions: tuple[Condition, ...] = CONDITIONS, matched: bool = False
) -> pd.DataFrame:
    """Tabulate recall, false positives, NME and latency at one operating point, one row per detector and condition."""
    rows = []
    for detector in detectors.values():
        point = detector.at(matched)
        for condition in (condition for condition in conditions if condition.name in point.conditions):
            report = point.conditions[condition.name]
            rows.append(
                {
                    "detector": detector.title,
                    "images": condition.title,
                    "score_threshold": point.min_score,
                    "recall": report.recall.value,
                    "recall_low": report.recall.low,
                    "recall_high": report.recall.high,
                    "street_recall": report.street_recall.value,
                    "fppi": report.fppi,
                    "fppi_web": report.fppi_web,
                    "duplicates_per_image": report.duplicates,
                    "nme": report.landmarks.mean if report.landmarks else np.nan,
                    "median_ms": frame_ms(detector, condition),
                }
            )
    return pd.DataFrame(rows)


def frame_ms(detector: DetectorReport, condition: Condition) -> float | None:
    """Look up the median milliseconds for a frame of ``VIDEO_WH`` with the settings of ``condition``; ``None`` if
    unknown."""
    wanted = (condition.settings == LIVE_DETECTOR, *VIDEO_WH)
    times = (part.median_ms for part in detector.latencies if (part.live, part.width, part.height) == wanted)
    return next(times, None)


def curve_table(detectors: Detectors, condition: str) -> pd.DataFrame:
    """Tabulate the recall curves, one row per detector and score threshold."""
    curves = {detector.title: detector.curves[condition] for detector in detectors.values() if detector.curves}
    return pd.DataFrame(
        [
            {"detector": title, "fppi": fppi, "recall": recall, "score_threshold": threshold}
            for title, curve in curves.items()
            for fppi, recall, threshold in zip(curve.fppi, curve.recall, curve.thresholds, strict=True)
        ]
    )


def recall_table(
    detectors: Detectors, column: str, groups: Callable[[DetectorReport], tuple[GroupRecall, ...]]
) -> pd.DataFrame:
    """Tabulate recall with its 95 % confidence interval, one row per detector and group of faces; ``column`` names the
    groups."""
    return pd.DataFrame(
        [
            {
                "detector": detector.title,
                column: group.label,
                "recall": group.recall.value,
                "recall_low": group.recall.low,
                "recall_high": group.recall.high,
                "faces": group.recall.n,
            }
            for detector in detectors.values()
            for group in groups(detector)
        ]
    )


def nme_table(detectors: Detectors, condition: str, matched: bool = False) -> pd.DataFrame:
    """Tabulate the NME of all landmarks, by landmark and by size of the face, one row per detector with landmarks."""
    points = {detector.title: detector.at(matched).conditions for detector in detectors.values()}
    reports = {title: reports[condition].landmarks for title, reports in points.items() if condition in reports}
    return pd.DataFrame(
        [
            {"detector": title, "landmark_or_size": label, "nme": mean, "faces": n}
            for title, report in reports.items()
            if report is not None
            for label, mean, n in (
                ("all", report.mean, report.n),
                *((group.label, group.mean, group.n) for group in (*report.by_landmark, *report.by_size)),
            )
        ]
    )


def latency_table(detectors: Detectors) -> pd.DataFrame:
    """Tabulate the milliseconds per call, one row per detector, settings and frame size."""
    return pd.DataFrame(
        [
            {
                "detector": detector.title,
                "settings": "live" if part.live else "photo",
                "frame": f"{part.width}x{part.height}",
                "median_ms": part.median_ms,
            }
            for detector in detectors.values()
            for part in detector.latencies
        ]
    )

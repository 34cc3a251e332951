"""Tab about calibration: do confidences and age intervals hold?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.evaluation.calibration import (
    CalibrationReport,
    IntervalReport,
    calibrate_output,
    coverage_table,
    interval_report,
    interval_table,
    reliability_table,
)
from core.evaluation.plots.calibration import accuracy_coverage, interval_coverage_bars, reliability_diagram
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation.cache import draw_figure
from pages.shared.evaluation.components import download_table, metric_with_interval, show_figure, show_table

_CALIBRATION = (
    "A model is calibrated if its confidence equals its accuracy: of all predictions with 70 % confidence, about 70 % "
    "are correct. Facet corrects the confidence by temperature scaling, fitted on the validation split. It does not "
    "change the predicted class."
)
_ECE = "Mean distance between confidence and accuracy over the bins of the diagram. 0 is best."
_BRIER = "Squared distance of the probabilities from the true class: 0 is best, 2 is worst."
_DIAGRAM = (
    "Predictions are grouped into 15 bins by confidence. Below the dashed line the model is overconfident, above it "
    "underconfident. Lines: 95 % confidence intervals."
)
_COVERAGE = (
    "Predictions below the confidence threshold are shown as 'uncertain'. Coverage: share that is not. Selective "
    "accuracy: accuracy of those. Star: default threshold."
)
_INTERVAL = (
    "Share of people whose true age is inside the predicted 80 % interval (dashed line). The green band is the target "
    "for every age bracket."
)
_LOOK_AT_DOTS = (
    "Look at the distance between the dots and the dashed line: the smaller, the more honest the confidence."
)
_LOOK_AT_STAR = "Look at the star: how many answers are given, and how many of those are right."
_LOOK_AT_BAND = "Look for bars that end outside the green band: there the interval is too narrow or too wide."
_TITLES = {"emotion": "Emotion", "age_group": "Age group", "gender": "Perceived gender"}


def show_calibration(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    """Compare ``models`` with the outputs of ``detail``, whose own diagrams and tables are shown."""
    with_age = detail.predictions.age is not None
    if with_age:
        st.subheader("Age interval")
        intervals = {
            model.name: interval_report(model.predictions) for model in models if model.predictions.age is not None
        }
        _show_intervals(intervals, detail)
    for output in detail.predictions.probabilities:
        if with_age:
            st.subheader(_TITLES[output])
        st.markdown(_CALIBRATION)
        reports = {
            model.name: calibrate_output(model.predictions, output, model.card)
            for model in models
            if output in model.predictions.probabilities
        }
        _show_confidence(reports, detail, output)


def _show_confidence(reports: Mapping[str, CalibrationReport], detail: StoredEvaluation, output: str) -> None:
    for name, report in reports.items():
        st.markdown(f"**{name}** (temperature {report.temperature:.2f})")
        _show_metrics(report)
    report, title = reports[detail.name], _TITLES[output]
    stem = f"{detail.stem}_{output}"
    diagram = draw_figure(reliability_diagram, report, f"{title}: reliability diagram of {detail.name}")
    show_figure(diagram, f"calibration_diagram_{output}", _LOOK_AT_DOTS, _DIAGRAM)
    show_table(reliability_table(report), f"{stem}_calibration.csv", f"calibration_table_{output}")
    curve = draw_figure(accuracy_coverage, reports, f"{title}: selective accuracy against coverage")
    show_figure(curve, f"coverage_{output}", _LOOK_AT_STAR, _COVERAGE)
    download_table(coverage_table(reports), f"{stem}_coverage.csv", f"coverage_table_{output}")


def _show_metrics(report: CalibrationReport) -> None:
    ece, brier, coverage = st.columns(3)
    for column, label, before, after, explanation in (
        (ece, "Calibration error (ECE)", report.before.ece, report.after.ece, _ECE),
        (brier, "Brier score", report.before.brier, report.after.brier, _BRIER),
    ):
        column.metric(label, f"{after:.3f}", help=explanation)
        column.caption(f"{before:.3f} before temperature scaling")
    threshold, accuracy = report.default.threshold, report.default.accuracy
    with coverage:
        explanation = f"Share of predictions with at least {threshold:.0%} confidence, the default threshold."
        metric_with_interval("Coverage", report.default.coverage, "%", explanation)
        if accuracy.n:
            st.caption(f"selective accuracy {accuracy.value:.1%}")


def _show_intervals(reports: Mapping[str, IntervalReport], detail: StoredEvaluation) -> None:
    for name, report in reports.items():
        st.markdown(f"**{name}**")
        rows = {
            "Interval coverage": report.overall,
            f"Lowest: age {report.lowest.label}": report.lowest,
            f"Highest: age {report.highest.label}": report.highest,
        }
        for column, (label, row) in zip(st.columns(len(rows)), rows.items(), strict=True):
            with column:
                metric_with_interval(label, row.coverage, "%", f"The mean interval width is {row.width:.1f} years.")
    show_figure(
        draw_figure(interval_coverage_bars, reports, "Coverage of the age interval by true age"),
        "interval",
        _LOOK_AT_BAND,
        _INTERVAL,
    )
    show_table(interval_table(reports[detail.name]), f"{detail.stem}_age_interval.csv", "table_interval")

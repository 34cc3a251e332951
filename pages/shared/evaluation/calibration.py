"""Tab about calibration: whether stated confidences and age intervals can be taken literally."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.evaluation.calibration import (
    CalibrationReport,
    IntervalReport,
    interval_report,
    output_calibration,
)
from core.evaluation.calibration_tables import coverage_table, interval_table, reliability_table
from core.evaluation.plots.calibration import accuracy_coverage, interval_coverage_bars, reliability_diagram
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation.components import download_table, metric_with_interval, show_figure, show_table

_WHAT_IT_MEANS = (
    "A model is calibrated if its confidence can be taken literally: of all answers with 70 % confidence, about 70 % "
    "are right. Networks seldom are by themselves. One number a model, the temperature, makes all its probabilities "
    "bolder (below 1) or more careful (above 1) without changing which answer comes first. It was fitted on the set "
    "for choosing and is part of every answer in this app."
)
_ECE = (
    "How far confidence and share of right answers are apart, averaged over the groups of the diagram: 0.02 means two "
    "points in a hundred. 0 is best; chance keeps even a perfect model above it. The temperature is fitted to "
    "probabilities as a whole and may leave this one number a little worse."
)
_BRIER = (
    "Squared distance of all probabilities from the truth: 0 if every answer is sure and right, 2 if every answer is "
    "sure and wrong. It also rewards being right."
)
_DIAGRAM = (
    "Answers are sorted into 15 groups by their confidence. On the dashed line a group is right as often as it says, "
    "below it is too sure, above too careful. A long thin line (95 % interval): few answers, which say little."
)
_KEPT = (
    "An answer with too little confidence is called uncertain. From right to left, more of the least confident answers "
    "are left out and the others are right more often. The star is the default; you can set another one elsewhere."
)
_INTERVAL = (
    "Each age comes with an interval that should hold the true age of 80 % of people (dashed line), whatever that age "
    "is: the green band is the aim for every bracket. Point at a bar for the mean width."
)
_OUTPUTS = {"emotion": "emotion", "age_group": "age group", "gender": "perceived gender"}


def show_calibration(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    """Of ``models`` those are compared that answer the same; ``detail`` is shown in its own diagrams and tables."""
    with_age = detail.predictions.age is not None
    if with_age:
        st.subheader("Age interval")
        intervals = {one.name: interval_report(one.predictions) for one in models if one.predictions.age is not None}
        _show_intervals(intervals, detail)
    for what, reports in _confidence_reports(models).items():
        if detail.name not in reports:
            continue
        if with_age:
            st.subheader(what.capitalize())
        st.markdown(_WHAT_IT_MEANS)
        _show_confidence(reports, detail, what)


def _confidence_reports(models: Sequence[StoredEvaluation]) -> dict[str, dict[str, CalibrationReport]]:
    """What is answered with a confidence -> name of the model -> its report."""
    reports: dict[str, dict[str, CalibrationReport]] = {what: {} for what in _OUTPUTS.values()}
    for one in models:
        for output in one.predictions.probabilities:
            reports[_OUTPUTS[output]][one.name] = output_calibration(one.predictions, output, one.card)
    return reports


def _show_confidence(reports: Mapping[str, CalibrationReport], detail: StoredEvaluation, what: str) -> None:
    for name, report in reports.items():
        st.markdown(f"**{name}** (temperature {report.temperature:.2f})")
        _show_figures(report)
    report, key = reports[detail.name], what.replace(" ", "_")
    stem = f"{detail.name}_{detail.split}_{key}"
    diagram = reliability_diagram(report, f"Is the confidence true? {what.capitalize()}, {detail.name}")
    show_figure(diagram, f"calibration_diagram_{key}", _DIAGRAM)
    show_table(reliability_table(report), f"{stem}_calibration.csv", f"calibration_table_{key}")
    show_figure(accuracy_coverage(reports, f"{what.capitalize()}: accuracy of what is kept"), f"kept_{key}", _KEPT)
    download_table(coverage_table(reports), f"{stem}_kept.csv", f"kept_table_{key}")


def _show_figures(report: CalibrationReport) -> None:
    ece, brier, kept = st.columns(3)
    with ece:
        _show_score("Calibration error (ECE)", report.before.ece, report.after.ece, _ECE)
    with brier:
        _show_score("Brier score", report.before.brier, report.after.brier, _BRIER)
    with kept:
        least, accuracy = report.default.min_confidence, report.default.accuracy
        kept_if = f"With at least {least:.0%} confidence, the default; the others are called uncertain."
        metric_with_interval("Answers kept", report.default.share, "%", kept_if)
        if accuracy.n:
            st.caption(f"{accuracy.value:.1%} of the kept answers are right")


def _show_score(label: str, before: float, after: float, explanation: str) -> None:
    st.metric(label, f"{after:.3f}", help=explanation)
    st.caption(f"before the correction {before:.3f}")


def _show_intervals(reports: Mapping[str, IntervalReport], detail: StoredEvaluation) -> None:
    for name, report in reports.items():
        st.markdown(f"**{name}**")
        everybody, lowest, highest = st.columns(3)
        for column, label, one in (
            (everybody, "Interval holds the age", report.everybody),
            (lowest, f"Least often: age {report.lowest.label}", report.lowest),
            (highest, f"Most often: age {report.highest.label}", report.highest),
        ):
            with column:
                metric_with_interval(
                    label, one.coverage, "%", f"The intervals are {one.width:.1f} years wide on average."
                )
    show_figure(interval_coverage_bars(reports, "How often the interval holds the true age"), "interval", _INTERVAL)
    stem = f"{detail.name}_{detail.split}"
    show_table(interval_table(reports[detail.name]), f"{stem}_age_interval.csv", "table_interval")

"""Reports about calibration -> tables for the screen and for CSV. Shares stay in [0, 1], ages in years."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.evaluation.calibration import CalibrationReport, IntervalReport, Reliability


def reliability_table(report: CalibrationReport) -> pd.DataFrame:
    """One row a bin of the confidence, before and after the temperature; bins without answers are left out."""
    rows = [
        {
            "correction": name,
            "confidence_from": one.low,
            "confidence_to": one.high,
            "mean_confidence": one.confidence,
            "accuracy": one.accuracy.value,
            "accuracy_low": one.accuracy.low,
            "accuracy_high": one.accuracy.high,
            "answers": one.n,
        }
        for name, reliability in _both(report).items()
        for one in reliability.bins
        if one.n
    ]
    return pd.DataFrame(rows)


def coverage_table(reports: Mapping[str, CalibrationReport]) -> pd.DataFrame:
    """One row a model and point of its curve: the least confidence, and which share of the answers has it."""
    return pd.DataFrame(
        [
            {
                "model": name,
                "least_confidence": one.min_confidence,
                "share_kept": one.share.value,
                "accuracy": one.accuracy.value,
                "accuracy_low": one.accuracy.low,
                "accuracy_high": one.accuracy.high,
                "answers": one.accuracy.n,
            }
            for name, report in reports.items()
            for one in report.curve
        ]
    )


def interval_table(report: IntervalReport) -> pd.DataFrame:
    """One row a bracket of the true age, and one for everybody."""
    rows = (*report.brackets, report.everybody)
    return pd.DataFrame(
        {
            "true_age": [one.label for one in rows],
            "coverage": [one.coverage.value for one in rows],
            "coverage_low": [one.coverage.low for one in rows],
            "coverage_high": [one.coverage.high for one in rows],
            "mean_width_years": [one.width for one in rows],
            "people": [one.coverage.n for one in rows],
        }
    )


def _both(report: CalibrationReport) -> dict[str, Reliability]:
    return {"before": report.before, "after": report.after}

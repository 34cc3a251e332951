"""The tab about damaged pictures: how much worse a model answers on them, from figures stored beside it."""

from __future__ import annotations

import streamlit as st

from core.errors import ArtifactError, ArtifactMissingError, FacetError
from core.evaluation.plots.robustness import before_bars, cost_bars, severity_charts
from core.evaluation.robustness import MEASURED_ATTRIBUTES, RobustnessReport, load_report, measure_command
from core.evaluation.robustness_before import load_before
from core.evaluation.robustness_tables import before_table, condition_table, severity_table
from core.evaluation.stored import StoredEvaluation
from core.tasks import TASKS
from pages.shared.errors import show_error
from pages.shared.evaluation.components import download_table, metric_with_interval, show_figure, show_table

_WHY_PART = {
    "none": "",
    "limit": " Only part of the set was used, as whoever measured it asked for.",
    "time": " Only part of the set was used, because all of it would have taken too long.",
}


def show_robustness(detail: StoredEvaluation) -> None:
    try:
        report = load_report(detail.folder, detail.card)
    except ArtifactMissingError:
        if detail.card.is_baseline:
            st.info("Damaged pictures were tried on our own networks only, not on this one.")
            return
        if detail.card.task not in MEASURED_ATTRIBUTES:
            st.info("Damaged pictures were not tried on networks of this kind.")
            return
        st.info("How this model answers on damaged pictures was not measured yet. This command does it:")
        st.code(measure_command(detail.name), language="bash")
        return
    except ArtifactError as error:
        show_error(error)
        return
    st.markdown(
        "Real pictures are dark, blurred, small or partly covered. Here the test pictures were damaged on purpose, in "
        f"{len(report.corruptions)} ways and five severities each, and the model answered again."
    )
    st.caption(_what_was_used(report))
    _show_summary(report)
    stem = f"{detail.name}_{report.side}_robustness"
    _show_before(detail, report, stem)
    _show_measure(report, "accuracy", stem)
    if report.task == "age_gender":
        _show_measure(report, "age", stem)
    download_table(condition_table(report), f"{stem}_all.csv", "table_robustness_all")


def _what_was_used(report: RobustnessReport) -> str:
    title = TASKS[report.task].test_split.title
    return (
        f"{title}: {report.images:,} of {report.side_images:,} pictures, the same ones under every damage, "
        f"what is random in it from seed {report.seed}.{_WHY_PART[report.limited_by]}"
    )


def _show_summary(report: RobustnessReport) -> None:
    st.markdown("**Accuracy**" if report.task == "emotion" else "**Perceived gender accuracy**")
    clean, damaged, kept = st.columns(3)
    with clean:
        metric_with_interval("As they are", report.clean.accuracy, "%", "On the same pictures without damage.")
    mean = report.mean_corrupted_accuracy
    damaged.metric("Damaged", f"{mean * 100:.1f} %", help="Mean over all kinds of damage and all five severities.")
    kept.metric(
        "Kept under damage",
        f"{(1 - report.mean_relative_drop) * 100:.1f} %" if report.clean.accuracy.value else "–",
        help="Damaged divided by as they are: 100 % would mean that damage costs nothing.",
    )
    if report.clean.age_mae is None or report.mean_corrupted_age_mae is None:
        return
    st.markdown("**Age error**")
    clean, damaged, added = st.columns(3)
    with clean:
        metric_with_interval("As they are", report.clean.age_mae, "years", "On the same pictures without damage.")
    damaged.metric(
        "Damaged", f"{report.mean_corrupted_age_mae:.2f} years", help="Mean over all damages and severities."
    )
    added.metric(
        "Added by damage",
        f"{report.mean_corrupted_age_mae - report.clean.age_mae.value:+.2f} years",
        help="How many years further off an answer is on average.",
    )


def _show_before(detail: StoredEvaluation, report: RobustnessReport, stem: str) -> None:
    try:
        before = load_before(detail.folder, detail.card, report)
    except FacetError as error:
        show_error(error)
        return
    if before is None:
        return
    earlier, now = (1 - one.mean_relative_drop for one in (before.report, report))
    st.markdown(
        f"**Before and after training against damage.** {before.description} It kept {earlier:.1%} of its accuracy "
        f"under damage, this one keeps {now:.1%}."
    )
    show_figure(
        before_bars(before.report, report, "Accuracy before and after, by kind of damage"),
        "robustness_before",
        "Longer is better; “none” are the pictures as they are. Kinds of damage that gained most come first.",
    )
    download_table(before_table(before.report, report), f"{stem}_before.csv", "table_robustness_before")


def _show_measure(report: RobustnessReport, measure: str, stem: str) -> None:
    if measure == "accuracy":
        name = "accuracy" if report.task == "emotion" else "perceived gender accuracy"
        charts, bars = f"{name.capitalize()} by severity of the damage", "What each damage costs"
        reading = (
            "One small chart a damage, from mild (1) to strong (5); thin lines are 95 % intervals. Dashed: without "
            "damage. Dotted: how sure the model was on average. Where it stays above the solid line, the model is "
            "surer than it should be."
        )
    else:
        charts, bars = "Age error by severity of the damage", "What each damage adds to the age error"
        reading = "As above, in years: lower is better. Dashed: without damage."
    show_figure(severity_charts(report, measure, charts), f"robustness_{measure}", reading)
    show_figure(
        cost_bars(report, measure, bars),
        f"robustness_cost_{measure}",
        "Mean over the five severities, compared with undamaged pictures; shorter is better. Dashed: mean of all. A "
        "bar to the left of 0 means that answers were by chance a little better than without damage.",
    )
    show_table(severity_table(report, measure), f"{stem}_{measure}.csv", f"table_robustness_{measure}")

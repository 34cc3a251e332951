"""The tab about corrupted images: how much worse a model gets, from a report stored beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import plotly.graph_objects as go
import streamlit as st

from core.errors import ArtifactError, ArtifactMissingError
from core.evaluation.consistency import consistency_command, consistency_table, load_consistency
from core.evaluation.plots.robustness import severity_charts
from core.evaluation.robustness import (
    MEASURED_TASKS,
    Metric,
    RobustnessReport,
    load_report,
    measure_command,
    robustness_table,
)
from core.evaluation.stored import StoredEvaluation
from core.labels import pluralize
from core.tasks import TASKS
from pages.shared.errors import show_error
from pages.shared.evaluation.cache import cache_report
from pages.shared.evaluation.components import metric_with_interval, show_figure, show_table

Report = TypeVar("Report")

_SUBJECTS = {"emotion": "emotion", "gender": "perceived gender"}
_LIMITED = {"none": "", "limit": " Limited on request.", "time": " Limited to what 12 minutes allow."}


def has_robustness(model: StoredEvaluation) -> bool:
    """Return whether robustness is measured for models of this kind."""
    return model.card.task in MEASURED_TASKS and model.card.is_own


def show_robustness(detail: StoredEvaluation) -> None:
    report = _load_or_explain(_report, detail, "Robustness was not measured yet.", measure_command)
    if report is None:
        return
    st.markdown(
        f"The test images after {len(report.corruptions)} corruptions at five severities each, such as blur, noise, "
        "low light and covered faces."
    )
    st.caption(
        f"{TASKS[report.task].test_split.title}: {report.images:,} of {report.split_images:,} images, "
        f"seed {report.seed}.{_LIMITED[report.limited_by]}"
    )
    titles = _titles(report)
    shown = report.metrics[0]
    if len(titles) > 1:
        shown = st.segmented_control(
            "Metric",
            list(titles),
            default=shown,
            format_func=titles.__getitem__,
            required=True,
            key="robustness_metric",
        )
    _show_summary(report, shown)
    show_figure(
        _charts(detail, shown, f"{titles[shown]} by severity"),
        f"robustness_{shown}",
        "Look for the charts whose line leaves the dashed one soonest: what the model can bear least.",
        "From mild (1) to strong (5); bars are 95 % intervals. Dashed: clean images. "
        + ("Dotted above solid: the model is overconfident." if shown == "accuracy" else "Lower is better."),
    )
    file_name = f"{detail.name}_{report.split}_robustness_{shown}.csv"
    show_table(
        robustness_table(report, shown), file_name, f"table_robustness_{shown}", "%" if shown == "accuracy" else "years"
    )


def _load_or_explain(
    load: Callable[[StoredEvaluation], Report], detail: StoredEvaluation, missing: str, command: Callable[[str], str]
) -> Report | None:
    """Load a report, or show why there is none and, if it is ``missing``, the command that makes it."""
    try:
        return load(detail)
    except ArtifactMissingError:
        st.info(f"{missing} This command measures it:")
        st.code(command(detail.name), language="bash")
    except ArtifactError as error:
        show_error(error)
    return None


def show_consistency(detail: StoredEvaluation) -> None:
    """Show how often the answer about the same face changes."""
    st.subheader("The same face again")
    report = _load_or_explain(
        lambda detail: load_consistency(detail.folder, detail.card), detail, "Not measured yet.", consistency_command
    )
    if report is None:
        return
    st.markdown(
        "FairFace portraits, each moved by 4 pixels in three directions, resized and mirrored. Detector and model read "
        f"every picture; shown is how often the {_SUBJECTS[report.output]} changes."
    )
    for column, changes in zip(st.columns(len(report.by_views)), report.by_views, strict=True):
        with column:
            label = f"Changed answers, {pluralize(changes.views, 'view')}"
            metric_with_interval(label, changes.answers, "%", "Share of the answers about changed pictures.")
            st.caption(
                f"Stated confidence {changes.confidence:.0%} on average. Of certain answers, "
                f"{changes.certain.value:.1%} change."
            )
    st.caption(
        f"{report.found:,} of {report.images:,} portraits, whose face was found in every picture. Photographs are "
        "answered by the mean of several views, live video by one."
    )
    show_table(consistency_table(report), f"{detail.name}_consistency.csv", "table_consistency")


@cache_report
def _report(model: StoredEvaluation) -> RobustnessReport:
    return load_report(model.folder, model.card)


@cache_report
def _charts(model: StoredEvaluation, shown: Metric, title: str) -> go.Figure:
    # Drawing that many small charts takes half a second.
    return severity_charts(_report(model), shown, title)


def _titles(report: RobustnessReport) -> dict[Metric, str]:
    accuracy = "Accuracy" if report.task == "emotion" else "Perceived gender accuracy"
    titles: dict[Metric, str] = {"accuracy": accuracy, "age_mae": "Age error"}
    return {name: titles[name] for name in report.metrics}


def _show_summary(report: RobustnessReport, shown: Metric) -> None:
    clean, corrupted, change = st.columns(3)
    mean = report.mean_corrupted(shown)
    mean_help = "Mean over all corruptions and severities."
    with clean:
        unit = "%" if shown == "accuracy" else "years"
        metric_with_interval("Clean", report.clean.metric(shown), unit, "On the same images without corruption.")
    if shown == "age_mae":
        corrupted.metric("Corrupted", f"{mean:.2f} years", help=mean_help)
        change.metric("Added error", f"{mean - report.clean.metric(shown).value:+.2f} years", help="Corrupted − clean.")
        return
    corrupted.metric("Corrupted", f"{mean * 100:.1f} %", help=mean_help)
    retained = f"{report.retained_accuracy * 100:.1f} %" if report.clean.accuracy.value else "–"
    change.metric("Retained accuracy", retained, help="Corrupted / clean: 100 % means no loss.")

"""The tabs about models on one test set. A tab that would have nothing to show is left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import streamlit as st

from core.datasets.loading import data_dir, has_data
from core.drawing.bars import bars_html
from core.drawing.palette import EMOTION_HEX
from core.evaluation.answers import describe_accuracy, describe_age
from core.evaluation.fairness import race_grouping
from core.evaluation.metrics import AgeReport, ClassificationReport, age_report, bracket_report, class_report
from core.evaluation.stored import StoredEvaluation
from core.tasks import TASKS
from pages.shared.evaluation.age import show_age, show_age_summary
from pages.shared.evaluation.cache import cache_report
from pages.shared.evaluation.calibration import show_calibration
from pages.shared.evaluation.classification import (
    choose_cell,
    show_accuracy,
    show_class_table,
    show_confusion,
    show_confusion_difference,
)
from pages.shared.evaluation.components import show_open_tab
from pages.shared.evaluation.errors import show_errors, show_examples
from pages.shared.evaluation.fairness import show_fairness
from pages.shared.evaluation.latency import show_speed
from pages.shared.evaluation.model_card import show_card, show_training
from pages.shared.evaluation.photographs import is_of_photographs, show_photographs
from pages.shared.evaluation.reproduce import show_reproduce
from pages.shared.evaluation.robustness import has_robustness, show_consistency, show_robustness
from pages.shared.evaluation.selection import TAB_KEY

_TITLES = {"emotion": "", "age_group": "age group", "gender": "perceived gender"}
"""Output -> what the summary calls it, where that is not clear."""
_RECALL = "share of each class that is read right"
_AGE_GROUPS = (
    "This model predicts one of eight age groups with gaps between them; a true age in a gap counts as the nearest "
    "group. The years in the other tabs are derived from the groups."
)


def show_tabs(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    """Show ``models`` beside each other where they have the outputs of ``detail``; tabs about a single model show
    ``detail``."""
    tabs: dict[str, Callable[[], None]] = {"Summary": partial(_show_summary, detail)}
    if is_of_photographs(detail):
        tabs["Photographs"] = partial(show_photographs, detail)
    tabs |= _output_tabs(models, detail) | {"Calibration": partial(show_calibration, models, detail)}
    if race_grouping(detail.predictions) is not None:
        tabs["Fairness"] = partial(show_fairness, detail.predictions, detail.stem)
    if has_robustness(detail):
        tabs["Robustness"] = partial(_show_robustness, detail)
    tabs["Speed"] = show_speed
    if not detail.card.is_peer:
        tabs["Training"] = partial(show_training, detail.folder)
    tabs["Model card"] = partial(show_card, detail.card)
    if has_data(data_dir(), detail.card.task, detail.split):
        tabs["Errors"] = partial(show_errors, detail)
        if not detail.card.is_peer:
            tabs["Reproduce"] = partial(show_reproduce, detail)
    show_open_tab(tabs, TAB_KEY)


def _show_robustness(detail: StoredEvaluation) -> None:
    show_robustness(detail)
    show_consistency(detail)


def _output_tabs(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> dict[str, Callable[[], None]]:
    outputs, tabs = detail.predictions.probabilities, dict[str, Callable[[], None]]()
    if "emotion" in outputs:
        tabs["Accuracy"] = partial(_show_classes, models, detail, "emotion", "emotion")
        tabs["Confusion matrix"] = partial(_show_confusion, models, detail, "emotion", "emotion")
    if detail.predictions.age is not None:
        if "age" in detail.predictions.truth:
            tabs["Age"] = partial(_show_age, models, detail)
        tabs["Age brackets"] = partial(_show_brackets, models, detail)
    if "age_group" in outputs:
        tabs["Age groups"] = partial(_show_output, models, detail, "age_group", "age group", _AGE_GROUPS)
    if "gender" in outputs:
        tabs["Perceived gender"] = partial(_show_output, models, detail, "gender", "perceived gender")
    return tabs


def _show_summary(detail: StoredEvaluation) -> None:
    """Show the answer in words, and bars that need no chart library: the page opens with this tab."""
    task = TASKS[detail.card.task]
    splits = {split.name: split for split in (*task.splits, *task.photo_splits)}
    data_set = splits[detail.split].title.split()[0].rstrip(",")
    shown = []
    for output, title in _TITLES.items():
        if output in detail.predictions.probabilities:
            report = _class_report(detail, output)
            st.subheader(describe_accuracy(report, data_set, title), anchor=False)
            colors = {str(emotion): color for emotion, color in EMOTION_HEX.items()}
            st.html(bars_html(_known(report.labels, report.recall), colors))
            shown.append(_RECALL)
    if "age_bracket" in detail.predictions.truth:
        brackets = _bracket_report(detail)
        st.subheader(describe_accuracy(brackets, data_set, "age bracket"), anchor=False)
        st.html(bars_html(_known(brackets.labels, brackets.recall)))
        shown.append(_RECALL)
    elif detail.predictions.age is not None:
        ages = _age_report(detail)
        st.subheader(describe_age(ages, data_set), anchor=False)
        errors = _known(
            [bracket.label for bracket in ages.by_bracket], [bracket.mae.value for bracket in ages.by_bracket]
        )
        st.html(bars_html(errors, full=max(errors.values()), text="{:.1f}".format))
        shown.append("years off by true age")
    st.caption(f"Bars: {', or '.join(dict.fromkeys(shown))}. The other tabs show more.")


def _known(labels: Sequence[str], values: Iterable[float]) -> dict[str, float]:
    """Return label -> value, without classes that have no images."""
    return {str(label): float(value) for label, value in zip(labels, values, strict=True) if not math.isnan(value)}


@cache_report
def _class_report(model: StoredEvaluation, output: str) -> ClassificationReport:
    return class_report(model.predictions, output)


@cache_report
def _bracket_report(model: StoredEvaluation) -> ClassificationReport:
    return bracket_report(model.predictions)


@cache_report
def _age_report(model: StoredEvaluation) -> AgeReport:
    return age_report(model.predictions)


def _show_classes(models: Sequence[StoredEvaluation], detail: StoredEvaluation, output: str, title: str) -> None:
    compared = [model for model in models if output in model.predictions.probabilities]
    _show_label({model.name: _class_report(model, output) for model in compared}, models, detail, title)


def _show_confusion(models: Sequence[StoredEvaluation], detail: StoredEvaluation, output: str, title: str) -> None:
    report, with_images = _class_report(detail, output), has_data(data_dir(), detail.card.task, detail.split)
    show_confusion(report, title, detail.stem, selectable=with_images)
    if with_images:
        st.subheader("Images of a cell")
        show_examples(detail, output, choose_cell(report, title))
    others = {model.name: _class_report(model, output) for model in models if output in model.predictions.probabilities}
    names = [name for name, other in others.items() if name != detail.name and other.labels == report.labels]
    if names:
        st.subheader("Difference between two networks")
        other = st.selectbox(f"Compare {detail.name} with", names, key=f"confusion_other_{output}")
        show_confusion_difference(detail.name, other, others, title)


def _show_output(
    models: Sequence[StoredEvaluation], detail: StoredEvaluation, output: str, title: str, note: str = ""
) -> None:
    if note:
        st.caption(note)
    _show_classes(models, detail, output, title)
    _show_confusion(models, detail, output, title)


def _age_reports(models: Sequence[StoredEvaluation]) -> dict[str, AgeReport]:
    return {model.name: _age_report(model) for model in models if model.predictions.age is not None}


def _show_age(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    reports = _age_reports(models)
    _show_left_out(reports, models)
    show_age_summary(reports)
    show_age(reports, detail.predictions, detail.name, detail.stem)


def _show_brackets(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    brackets = {model.name: _bracket_report(model) for model in models if model.predictions.age is not None}
    _show_label(brackets, models, detail, "age bracket")
    show_confusion(brackets[detail.name], "age bracket", detail.stem)


def _show_label(
    reports: Mapping[str, ClassificationReport],
    models: Sequence[StoredEvaluation],
    detail: StoredEvaluation,
    title: str,
) -> None:
    _show_left_out(reports, models)
    show_accuracy(reports, title)
    show_class_table(reports[detail.name], title, detail.stem)


def _show_left_out(compared: Mapping[str, object], models: Sequence[StoredEvaluation]) -> None:
    others = [model.name for model in models if model.name not in compared]
    if others:
        st.caption(f"Not shown, because they do not predict this: {', '.join(others)}.")

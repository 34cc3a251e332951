"""The tabs about models on one test set. A tab that would have nothing to show is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from core.datasets.loading import data_dir, has_data
from core.evaluation.metrics import AgeReport, ClassificationReport, age_report, class_report
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation.age import show_age, show_age_summary
from pages.shared.evaluation.cache import cache_report
from pages.shared.evaluation.calibration import show_calibration
from pages.shared.evaluation.classification import show_accuracy, show_class_table, show_confusion
from pages.shared.evaluation.components import show_open_tab
from pages.shared.evaluation.errors import show_errors
from pages.shared.evaluation.fairness import show_fairness
from pages.shared.evaluation.latency import show_speed
from pages.shared.evaluation.model_card import show_card, show_training
from pages.shared.evaluation.reproduce import show_reproduce
from pages.shared.evaluation.robustness import has_robustness, show_robustness
from pages.shared.evaluation.selection import TAB_KEY

_AGE_GROUPS = (
    "This model predicts one of eight age groups with gaps between them; a true age in a gap counts as the nearest "
    "group. The years in the other tabs are derived from the groups."
)


def show_tabs(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    """Show ``models`` beside each other where they have the outputs of ``detail``; tabs about a single model show
    ``detail``."""
    tabs = _output_tabs(models, detail) | {"Calibration": partial(show_calibration, models, detail)}
    if "race" in detail.predictions.truth:
        tabs["Fairness"] = partial(show_fairness, detail.predictions, detail.stem)
    if has_robustness(detail):
        tabs["Robustness"] = partial(show_robustness, detail)
    tabs |= {
        "Speed": show_speed,
        "Training": partial(show_training, detail.folder),
        "Model card": partial(show_card, detail.card),
    }
    if has_data(data_dir(), detail.card.task):
        tabs |= {"Errors": partial(show_errors, detail), "Reproduce": partial(show_reproduce, detail)}
    show_open_tab(tabs, TAB_KEY)


def _output_tabs(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> dict[str, Callable[[], None]]:
    outputs, tabs = detail.predictions.probabilities, dict[str, Callable[[], None]]()
    if "emotion" in outputs:
        tabs["Accuracy"] = partial(_show_classes, models, detail, "emotion", "emotion")
        tabs["Confusion matrix"] = partial(_show_confusion, detail, "emotion", "emotion")
    if detail.predictions.age is not None:
        tabs["Age"] = partial(_show_age, models, detail)
        tabs["Age brackets"] = partial(_show_brackets, models, detail)
    if "age_group" in outputs:
        tabs["Age groups"] = partial(_show_output, models, detail, "age_group", "age group", _AGE_GROUPS)
    if "gender" in outputs:
        tabs["Perceived gender"] = partial(_show_output, models, detail, "gender", "perceived gender")
    return tabs


@cache_report
def _class_report(model: StoredEvaluation, output: str) -> ClassificationReport:
    return class_report(model.predictions, output)


@cache_report
def _age_report(model: StoredEvaluation) -> AgeReport:
    return age_report(model.predictions)


def _show_classes(models: Sequence[StoredEvaluation], detail: StoredEvaluation, output: str, title: str) -> None:
    compared = [model for model in models if output in model.predictions.probabilities]
    _show_label({model.name: _class_report(model, output) for model in compared}, models, detail, title)


def _show_confusion(detail: StoredEvaluation, output: str, title: str) -> None:
    show_confusion(_class_report(detail, output), title, detail.stem)


def _show_output(
    models: Sequence[StoredEvaluation], detail: StoredEvaluation, output: str, title: str, note: str = ""
) -> None:
    if note:
        st.caption(note)
    _show_classes(models, detail, output, title)
    _show_confusion(detail, output, title)


def _age_reports(models: Sequence[StoredEvaluation]) -> dict[str, AgeReport]:
    return {model.name: _age_report(model) for model in models if model.predictions.age is not None}


def _show_age(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    reports = _age_reports(models)
    _show_left_out(reports, models)
    show_age_summary(reports)
    show_age(reports, detail.predictions, detail.name, detail.stem)


def _show_brackets(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    brackets = {name: report.brackets for name, report in _age_reports(models).items()}
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

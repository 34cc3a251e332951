"""The tabs of the evaluation page about networks: which figures stand where. What is not answered has no tab."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.evaluation.metrics import AgeReport, ClassificationReport, age_report, class_report
from core.evaluation.predictions import Predictions
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation.age import show_age, show_age_summary
from pages.shared.evaluation.calibration import show_calibration
from pages.shared.evaluation.classification import show_accuracy, show_class_table, show_confusion
from pages.shared.evaluation.components import show_open_tab
from pages.shared.evaluation.errors import show_mistakes
from pages.shared.evaluation.fairness import show_groups
from pages.shared.evaluation.latency import show_speed
from pages.shared.evaluation.model_card import show_card, show_training
from pages.shared.evaluation.reproduce import show_rerun
from pages.shared.evaluation.robustness import show_robustness
from pages.shared.evaluation.selection import TAB_KEY

Show = Callable[[], None]


def show_tabs(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    """``models`` are compared, where they answer the same as ``detail``, which is the one that tabs about a single
    model show."""
    tabs = _answer_tabs(models, detail) | {
        "Calibration": lambda: show_calibration(models, detail),
        "Groups": lambda: _show_groups(detail),
        "Robustness": lambda: show_robustness(detail),
        "Speed": show_speed,
        "Training": lambda: show_training(detail.folder),
        "Model card": lambda: show_card(detail.card, detail.split),
        "Mistakes": lambda: show_mistakes(detail),
        "Re-run": lambda: show_rerun(detail),
    }
    show_open_tab(tabs, TAB_KEY)


def _answer_tabs(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> dict[str, Show]:
    """Tabs about what ``detail`` answers."""
    predictions, tabs = detail.predictions, dict[str, Show]()
    if "emotion" in predictions.probabilities:
        emotions = _class_reports(models, "emotion")
        tabs["Accuracy"] = lambda: _show_classes(emotions, detail, "emotion")
        tabs["Confusion"] = lambda: show_confusion(emotions[detail.name], "emotion", _stem(detail))
    if predictions.age is not None:
        years = {one.name: age_report(one.predictions) for one in models if one.predictions.age is not None}
        brackets = {name: one.brackets for name, one in years.items()}
        tabs["Age"] = lambda: _show_age(years, predictions, models, detail)
        tabs["Age brackets"] = lambda: _show_label(brackets, models, detail, "age bracket")
    if "age_group" in predictions.probabilities:
        groups = _class_reports(models, "age_group")
        tabs["Age groups"] = lambda: _show_age_groups(groups, models, detail)
    if "gender" in predictions.probabilities:
        genders = _class_reports(models, "gender")
        tabs["Perceived gender"] = lambda: _show_label(genders, models, detail, "perceived gender")
    return tabs


def _class_reports(models: Sequence[StoredEvaluation], output: str) -> dict[str, ClassificationReport]:
    """By name, the reports of those models that have ``output``."""
    return {
        model.name: class_report(model.predictions, output)
        for model in models
        if output in model.predictions.probabilities
    }


def _show_groups(detail: StoredEvaluation) -> None:
    show_groups(detail.predictions, _stem(detail))


def _show_age(
    reports: Mapping[str, AgeReport],
    predictions: Predictions,
    models: Sequence[StoredEvaluation],
    detail: StoredEvaluation,
) -> None:
    _show_left_out(reports, models)
    show_age_summary(reports)
    show_age(reports, predictions, detail.name, _stem(detail))


def _show_age_groups(
    reports: Mapping[str, ClassificationReport], models: Sequence[StoredEvaluation], detail: StoredEvaluation
) -> None:
    st.caption(
        "This network was trained to answer one of eight age groups, with gaps between them; a true age in a gap "
        "counts as the nearer group. The years in the tabs about age follow from the groups and are rougher."
    )
    _show_label(reports, models, detail, "age group")


def _show_label(
    reports: Mapping[str, ClassificationReport], models: Sequence[StoredEvaluation], detail: StoredEvaluation, what: str
) -> None:
    _show_left_out(reports, models)
    _show_classes(reports, detail, what)
    show_confusion(reports[detail.name], what, _stem(detail))


def _show_classes(reports: Mapping[str, ClassificationReport], detail: StoredEvaluation, what: str) -> None:
    show_accuracy(reports, what)
    show_class_table(reports[detail.name], what, _stem(detail))


def _show_left_out(compared: Mapping[str, object], models: Sequence[StoredEvaluation]) -> None:
    others = [one.name for one in models if one.name not in compared]
    if others:
        st.caption(f"Not here, because they do not answer this: {', '.join(others)}.")


def _stem(detail: StoredEvaluation) -> str:
    return f"{detail.name}_{detail.split}"

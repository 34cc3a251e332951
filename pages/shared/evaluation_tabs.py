"""The tabs of the evaluation page about networks: which figures stand where."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.metrics import emotion_report, gender_report
from core.evaluation.predictions import AgeGenderPredictions, EmotionPredictions
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation_age import age_reports, show_age, show_age_summary
from pages.shared.evaluation_calibration import show_age_gender_calibration, show_emotion_calibration
from pages.shared.evaluation_card import show_card, show_training
from pages.shared.evaluation_classes import show_accuracy, show_class_table, show_confusion
from pages.shared.evaluation_fairness import show_fairness, show_no_groups
from pages.shared.evaluation_robustness import show_robustness
from pages.shared.evaluation_samples import show_mistakes, show_rerun
from pages.shared.evaluation_speed import show_speed

COMMON_TABS = ("Robustness", "Speed and size", "Training", "Model card", "Mistakes", "Re-run")


def show_emotion(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    """``models`` are compared, ``detail`` is the one that tabs about a single model show."""
    predictions = {m.name: m.predictions for m in models if isinstance(m.predictions, EmotionPredictions)}
    reports = {name: emotion_report(one) for name, one in predictions.items()}
    report, stem = reports[detail.name], f"{detail.name}_{detail.side}"
    accuracy, confusion, calibration, groups, *rest = st.tabs(
        ["Accuracy", "Confusion", "Calibration", "Groups", *COMMON_TABS]
    )
    with accuracy:
        show_accuracy(reports, "emotion")
        show_class_table(report, "emotion", stem)
    with confusion:
        show_confusion(report, "emotion", stem)
    with calibration:
        show_emotion_calibration(models, detail)
    with groups:
        show_no_groups()
    _show_common(rest, detail)


def show_age_gender(models: Sequence[StoredEvaluation], detail: StoredEvaluation) -> None:
    """As ``show_emotion``."""
    predictions = {m.name: m.predictions for m in models if isinstance(m.predictions, AgeGenderPredictions)}
    ages = age_reports(predictions)
    genders = {name: gender_report(one) for name, one in predictions.items()}
    chosen, stem = predictions[detail.name], f"{detail.name}_{detail.side}"
    age, brackets, gender, calibration, groups, *rest = st.tabs(
        ["Age", "Age brackets", "Perceived gender", "Calibration", "Groups", *COMMON_TABS]
    )
    with age:
        show_age_summary(ages)
        show_age(ages, chosen, detail.name, stem)
    with brackets:
        show_accuracy({name: one.brackets for name, one in ages.items()}, "age bracket")
        show_class_table(ages[detail.name].brackets, "age bracket", stem)
        show_confusion(ages[detail.name].brackets, "age bracket", stem)
    with gender:
        show_accuracy(genders, "perceived gender")
        show_class_table(genders[detail.name], "perceived gender", stem)
        show_confusion(genders[detail.name], "perceived gender", stem)
    with calibration:
        show_age_gender_calibration(models, detail)
    with groups:
        show_fairness(chosen, stem)
    _show_common(rest, detail)


def _show_common(tabs: Sequence[DeltaGenerator], detail: StoredEvaluation) -> None:
    robustness, speed, *others = tabs
    with robustness:
        show_robustness(detail)
    with speed:
        show_speed()
    for tab, show in zip(others, (show_training, show_card, show_mistakes, show_rerun), strict=True):
        with tab:
            show(detail)

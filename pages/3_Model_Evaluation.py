"""How good the models are, from their stored answers on public test sets."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.metrics import emotion_report, gender_report
from core.evaluation.predictions import AgeGenderPredictions, EmotionPredictions
from core.evaluation.sides import DETECTOR_SIDE
from core.evaluation.stored import StoredEvaluation
from pages.shared.evaluation_age import (
    age_reports,
    show_age,
    show_age_summary,
    show_groups,
)
from pages.shared.evaluation_card import show_card, show_training
from pages.shared.evaluation_classes import (
    show_accuracy,
    show_class_table,
    show_confusion,
)
from pages.shared.evaluation_detector import choose_detectors, load_detection, show_detectors
from pages.shared.evaluation_samples import show_mistakes, show_rerun
from pages.shared.evaluation_selection import choose_detail, choose_models, choose_side

COMMON_TABS = ("Training", "Model card", "Mistakes", "Re-run")


def show_emotion(models: list[StoredEvaluation], detail: StoredEvaluation) -> None:
    predictions = {m.name: m.predictions for m in models if isinstance(m.predictions, EmotionPredictions)}
    reports = {name: emotion_report(one) for name, one in predictions.items()}
    report, stem = reports[detail.name], f"{detail.name}_{detail.side}"
    accuracy, confusion, *rest = st.tabs(["Accuracy", "Confusion", *COMMON_TABS])
    with accuracy:
        show_accuracy(reports, "emotion")
        show_class_table(report, "emotion", stem)
    with confusion:
        show_confusion(report, "emotion", stem)
    show_common(rest, detail)


def show_age_gender(models: list[StoredEvaluation], detail: StoredEvaluation) -> None:
    predictions = {m.name: m.predictions for m in models if isinstance(m.predictions, AgeGenderPredictions)}
    ages = age_reports(predictions)
    genders = {name: gender_report(one) for name, one in predictions.items()}
    chosen, stem = predictions[detail.name], f"{detail.name}_{detail.side}"
    age, brackets, gender, groups, *rest = st.tabs(["Age", "Age brackets", "Perceived gender", "Groups", *COMMON_TABS])
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
    with groups:
        show_groups(chosen, stem)
    show_common(rest, detail)


def show_common(tabs: Sequence[DeltaGenerator], detail: StoredEvaluation) -> None:
    for tab, show in zip(tabs, (show_training, show_card, show_mistakes, show_rerun), strict=True):
        with tab:
            show(detail)


def show_detector_page(right: DeltaGenerator) -> None:
    report = load_detection()
    if report is None:
        return
    with right:
        detectors = choose_detectors(report)
    if detectors:
        show_detectors(report, detectors)
    else:
        st.info("Choose a detector to see its figures.")


st.set_page_config(page_title="Model evaluation · Facet", page_icon="🙂", layout="wide")
st.title("Model evaluation")
st.caption(
    "Every figure here is computed from the stored answers of an installed model. One answer an image: no "
    "averaging over flipped or shifted copies."
)
left, right = st.columns(2)
with left:
    side = choose_side()
if side == DETECTOR_SIDE:
    show_detector_page(right)
    st.stop()
with right:
    models = choose_models(side)
if not models:
    st.info("Choose a model to see its figures. If there is none to choose, none is installed for this test set.")
    st.stop()
detail = choose_detail(models)
if side.task == "emotion":
    show_emotion(models, detail)
else:
    show_age_gender(models, detail)

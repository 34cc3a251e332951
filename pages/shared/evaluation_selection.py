"""Choosing a test set and models; one broken model never hides the others."""

from __future__ import annotations

import streamlit as st

from core.artifact import list_artifacts
from core.errors import FacetError
from core.evaluation.sides import DETECTOR_SIDE, EVALUATION_SIDES, EvaluationSide
from core.evaluation.stored import StoredEvaluation, load_stored
from pages.shared.errors import show_error


def choose_side() -> EvaluationSide:
    titles = {side.title: side for side in (*EVALUATION_SIDES, DETECTOR_SIDE)}
    title = st.selectbox(
        "Test set",
        list(titles),
        key="evaluation_side",
        help="Images with known answers that the model has not been trained on.",
    )
    side = titles[title]
    (st.warning if side.chosen_on else st.info)(side.role, icon=":material/science:")
    return side


def choose_models(side: EvaluationSide) -> list[StoredEvaluation]:
    """The chosen models of the side's task with their stored predictions; whatever cannot be used is said."""
    usable: dict[str, StoredEvaluation] = {}
    broken: list[FacetError] = []
    for artifact in list_artifacts():
        if artifact.card is not None and artifact.card.task != side.task:
            continue
        try:
            usable[artifact.name] = load_stored(artifact, side.side)
        except FacetError as error:
            broken.append(error)
    chosen = st.multiselect(
        "Models",
        list(usable),
        default=list(usable)[:1],
        key=f"evaluation_models_{side.task}_{side.side}",
        help="Choose several to compare them in the accuracy figures.",
    )
    for failure in broken:
        show_error(failure)
    return [usable[name] for name in chosen]


def choose_detail(models: list[StoredEvaluation]) -> StoredEvaluation:
    """The model that the tabs about a single model show."""
    if len(models) == 1:
        return models[0]
    names = {model.name: model for model in models}
    chosen = st.selectbox("Details of", list(names), key="evaluation_detail")
    return names[chosen]

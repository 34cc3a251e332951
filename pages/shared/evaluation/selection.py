"""Choosing what to look at, a test set and models; one broken model never hides the others."""

from __future__ import annotations

import streamlit as st

from core.artifacts.model_card import list_artifacts
from core.errors import FacetError
from core.evaluation.stored import StoredEvaluation, load_stored
from core.tasks import TASKS, Split
from pages.shared.errors import show_error

LEADERBOARD, BY_TEST_SET = "Leaderboard", "By test set"
"""The two views of the page ..."""
VIEW_KEY = "evaluation_view"
"""... and where the chosen one is kept."""
TAB_KEY = "evaluation_tab"
"""Holds the name of the tab that the figures of a test set open with."""
_OUR_TASKS = ("emotion", "age_gender")
"""Their test sets can be chosen even if a card cannot be read, so that the page says what is wrong."""
_SIDE_KEY = "evaluation_side"
_DETAIL_KEY = "evaluation_detail"


def choose_split() -> Split:
    """Choose a split that a built-in or another installed network is measured on."""
    installed = {one.card.task for one in list_artifacts() if one.card is not None}
    tasks = [task for name, task in TASKS.items() if task.outputs and name in {*_OUR_TASKS, *installed}]
    splits = {split.title: split for task in tasks for split in task.splits}
    detection = TASKS["detection"].test_split
    splits[detection.title] = detection
    title = st.selectbox(
        "Test set",
        list(splits),
        key=_SIDE_KEY,
        help="Images with known answers that the model has not been trained on.",
    )
    split = splits[title]
    (st.warning if split.is_validation else st.info)(split.description, icon=":material/science:")
    return split


def choose_models(split: Split) -> list[StoredEvaluation]:
    """The chosen models that are measured on the side's images, with their stored predictions; whatever cannot be used
    is said. Our own come first, then the classic ones."""
    tasks = {name for name, task in TASKS.items() if split in task.splits}
    usable: dict[str, StoredEvaluation] = {}
    broken: list[FacetError] = []
    for artifact in list_artifacts():
        if artifact.card is not None and artifact.card.task not in tasks:
            continue
        try:
            usable[artifact.name] = load_stored(artifact, split.name)
        except FacetError as error:
            broken.append(error)
    names = sorted(usable, key=lambda name: (usable[name].card.is_baseline, name))
    chosen = _multiselect(names, usable, _models_key(split))
    for failure in broken:
        show_error(failure)
    return [usable[name] for name in chosen]


def _multiselect(names: list[str], usable: dict[str, StoredEvaluation], key: str) -> list[str]:
    # What was chosen elsewhere, or before an artifact went, may be none of the options.
    st.session_state[key] = [name for name in st.session_state.get(key, names[:1]) if name in usable]
    return st.multiselect(
        "Models",
        names,
        key=key,
        format_func=lambda name: f"{name} (classic network)" if usable[name].card.is_baseline else name,
        help="Choose several to compare them. Classic networks are those of others, rebuilt and trained on the same "
        "images as our own.",
    )


def choose_detail(models: list[StoredEvaluation]) -> StoredEvaluation:
    """The model that the tabs about a single model show."""
    if len(models) == 1:
        return models[0]
    names = {model.name: model for model in models}
    if st.session_state.get(_DETAIL_KEY) not in names:
        st.session_state.pop(_DETAIL_KEY, None)
    return names[st.selectbox("Details of", list(names), key=_DETAIL_KEY)]


def preselect(split: Split, name: str) -> None:
    """In a callback, before the widgets above are drawn: show model ``name`` on ``split``."""
    st.session_state[_SIDE_KEY] = split.title
    st.session_state[_models_key(split)] = [name]


def _models_key(split: Split) -> str:
    return f"evaluation_models_{split.title}"

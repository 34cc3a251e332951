"""Choose a test set and the models to compare; a broken model never hides the others."""

from __future__ import annotations

import streamlit as st

from core.artifacts.model_card import ModelCard, list_artifacts
from core.errors import FacetError
from core.evaluation.stored import StoredEvaluation
from core.tasks import TASKS, Split, Task
from pages.shared.errors import show_error
from pages.shared.evaluation.cache import load_model
from pages.shared.session import LINK_KEY

LEADERBOARD, BY_TEST_SET, OWN_IMAGES = "Leaderboard", "By test set", "Your own images"
"""The views of the page."""
VIEW_KEY, TAB_KEY, DETECTOR_TAB_KEY = "evaluation_view", "evaluation_tab", "evaluation_detector_tab"
"""Session keys of the open view, and of the open tab about a test set of networks and of detectors."""
TEST_SET_KEY, DETAIL_KEY = "evaluation_test_set", "evaluation_detail"
_DEFAULT_TASKS = ("emotion", "age_gender", "detection")
"""Their test sets are listed even if a card cannot be read: then the page says what is wrong."""


def follow_link() -> None:
    """Open the test set and the tab that the page's address asks for, once per visit."""
    link = st.query_params.to_dict()
    if "test_set" in link and link != st.session_state.get(LINK_KEY):
        tab = link.get("tab")
        st.session_state.update(
            {VIEW_KEY: BY_TEST_SET, TEST_SET_KEY: link["test_set"], TAB_KEY: tab, DETECTOR_TAB_KEY: tab, LINK_KEY: link}
        )


def choose_split() -> Split:
    """Choose one of the splits that the installed models were evaluated on."""
    installed = {artifact.card.task for artifact in list_artifacts() if artifact.card is not None}
    tasks = [task for name, task in TASKS.items() if name in {*_DEFAULT_TASKS, *installed}]
    tasks.sort(key=lambda task: not task.outputs)  # detection last: it has a report instead of predictions
    splits = {split.title: split for task in tasks for split in _listed(task)}
    if st.session_state.get(TEST_SET_KEY) not in splits:
        st.session_state.pop(TEST_SET_KEY, None)
    title = st.selectbox("Test set", list(splits), key=TEST_SET_KEY, persist_state="session")
    split = splits[title]
    (st.warning if split.is_validation else st.info)(split.description, icon=":material/science:")
    return split


def _label(card: ModelCard) -> str:
    if card.is_peer:
        return f"{card.title} (package)"
    return f"{card.name} (baseline)" if card.is_baseline else card.name


def _listed(task: Task) -> list[Split]:
    """The test split, the photographs, then the validation split; of detection only the first."""
    return [task.test_split, *task.photo_splits, *([task.validation_split] if task.outputs else [])]


def choose_models(split: Split) -> list[StoredEvaluation]:
    """Choose models that were evaluated on ``split`` and load their predictions; the built-in models come first. Each
    artifact that cannot be used gets an error message."""
    artifacts, failures = list_artifacts(), []
    tasks = {name for name, task in TASKS.items() if split in _listed(task)}
    cards = {artifact.name: artifact.card for artifact in artifacts if artifact.card and artifact.card.task in tasks}
    if split in (photos for task in TASKS.values() for photos in task.photo_splits):
        # Measured only where somebody has the photographs.
        cards = {name: card for name, card in cards.items() if split.name in card.metrics}
    names, key = sorted(cards, key=lambda name: (not cards[name].is_own, cards[name].is_peer, name)), _models_key(split)
    # The choice may have been made elsewhere, or name an artifact that is gone.
    st.session_state[key] = [name for name in st.session_state.get(key, names[:1]) if name in cards]
    chosen = st.multiselect(
        "Models",
        names,
        key=key,
        persist_state="session",
        format_func=lambda name: _label(cards[name]),
        help="Choose several models to compare them. Baselines are published architectures, trained on the same data. "
        "Packages are measured as they are published.",
    )
    models = []
    for artifact in artifacts:
        try:
            if artifact.error is not None:
                raise artifact.error
            if artifact.name in chosen:
                models.append(load_model(artifact, split.name))
        except FacetError as error:
            failures.append(error)
    for failure in failures:
        show_error(failure)
    return sorted(models, key=lambda model: chosen.index(model.name))


def choose_detail(models: list[StoredEvaluation]) -> StoredEvaluation:
    """Choose the model that the tabs about a single model show."""
    if len(models) == 1:
        return models[0]
    names = {model.name: model for model in models}
    if st.session_state.get(DETAIL_KEY) not in names:
        st.session_state.pop(DETAIL_KEY, None)
    return names[st.selectbox("Show details of", list(names), key=DETAIL_KEY, persist_state="session")]


def preselect(split: Split, name: str) -> None:
    """Choose ``split`` and model ``name``; to be called in a callback, before the widgets are drawn."""
    st.session_state[TEST_SET_KEY] = split.title
    st.session_state[_models_key(split)] = [name]


def _models_key(split: Split) -> str:
    return f"evaluation_models_{split.title}"

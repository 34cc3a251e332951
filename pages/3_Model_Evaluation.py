"""How good the models are, from their stored answers on public test sets."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.tasks import TASKS
from pages.shared.evaluation.detector import choose_detectors, load_detection, show_detectors
from pages.shared.evaluation.leaderboard import show_leaderboard
from pages.shared.evaluation.selection import (
    BY_TEST_SET,
    LEADERBOARD,
    VIEW_KEY,
    choose_detail,
    choose_models,
    choose_split,
)
from pages.shared.evaluation.tabs import show_tabs


def show_by_test_set() -> None:
    left, right = st.columns(2)
    with left:
        split = choose_split()
    if split == TASKS["detection"].test_split:
        show_detector_page(right)
        return
    with right:
        models = choose_models(split)
    if not models:
        st.info("Choose a model to see its figures. If there is none to choose, none is installed for this test set.")
        return
    show_tabs(models, choose_detail(models))


def keep_choices() -> None:
    """Streamlit forgets the choices of widgets that are not on screen."""
    for key in [str(key) for key in st.session_state]:
        if key.startswith("evaluation_") and key != VIEW_KEY:
            st.session_state[key] = st.session_state[key]


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


st.title("Model evaluation")
st.caption(
    "Every measured figure here is computed from the stored answers of an installed model. One answer an image: no "
    "averaging over flipped or shifted copies, except where it says so."
)
# Only the open one is computed.
leaderboard, by_test_set = st.tabs([LEADERBOARD, BY_TEST_SET], default=BY_TEST_SET, key=VIEW_KEY, on_change="rerun")
if leaderboard.open:
    keep_choices()
    with leaderboard:
        show_leaderboard()
else:
    with by_test_set:
        show_by_test_set()

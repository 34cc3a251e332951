"""How accurate the models are, from their saved predictions on public test sets."""

from __future__ import annotations

import streamlit as st

from core.tasks import TASKS
from pages.shared.evaluation.components import show_open_tab
from pages.shared.evaluation.detector import choose_detectors, load_detection, show_detectors
from pages.shared.evaluation.leaderboard import show_leaderboard
from pages.shared.evaluation.own_images import show_own_images
from pages.shared.evaluation.selection import (
    BY_TEST_SET,
    LEADERBOARD,
    OWN_IMAGES,
    VIEW_KEY,
    choose_detail,
    choose_models,
    choose_split,
    follow_link,
)
from pages.shared.evaluation.tabs import show_tabs
from pages.shared.session import run_home_first


def show_by_test_set() -> None:
    left, right = st.columns(2)
    with left:
        split = choose_split()
    if split in TASKS["detection"].splits:
        report = load_detection()
        if report is not None:
            with right:
                detectors = choose_detectors(report)
            if detectors:
                show_detectors(report, detectors)
            else:
                st.info("Choose a detector.")
        return
    with right:
        models = choose_models(split)
    if models:
        show_tabs(models, choose_detail(models))
    else:
        st.info("Choose a model. If the list is empty, no model for this test set is installed.")


run_home_first()
follow_link()
st.title("Model Evaluation")
st.caption("Metrics on public test sets come from saved predictions, one view per face.")
show_open_tab({BY_TEST_SET: show_by_test_set, LEADERBOARD: show_leaderboard, OWN_IMAGES: show_own_images}, VIEW_KEY)

"""How good the models are, from their stored answers on public test sets."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.sides import DETECTOR_SIDE
from pages.shared.evaluation_detector import choose_detectors, load_detection, show_detectors
from pages.shared.evaluation_selection import choose_detail, choose_models, choose_side
from pages.shared.evaluation_tabs import show_age_gender, show_emotion


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

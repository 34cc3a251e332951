"""Part of the tab about calibration: what a crop that is no usable face takes off the answer."""

from __future__ import annotations

import streamlit as st

from core.attributes.quality import installed_file
from core.errors import ArtifactError
from core.evaluation.stored import StoredEvaluation
from core.evaluation.usability_table import usability_table
from pages.shared.errors import show_error
from pages.shared.evaluation.components import show_table

_MEASURED = {"emotion": "emotion", "age_gender": "gender"}
"""Networks that it was measured with -> their answer."""
_WHAT_IT_MEANS = (
    "Calibration holds for images like those of the test set. Of an answer about a face that is turned far to the "
    "side, or a box that the detector itself doubts, only a part is kept, and the rest of the confidence is spread "
    "over all classes. Of a blurred or tiny face a little is taken off: there, the networks are less sure by "
    "themselves. If the detector is sure of a box that holds no face, which is rare, nothing reveals the error, and "
    "the answer keeps its confidence. Measured on images that the limits were chosen on."
)


def show_usability(detail: StoredEvaluation) -> None:
    """Nothing for networks that it was not measured with."""
    answer = _MEASURED.get(detail.name)
    if answer is None:
        return
    st.subheader("What a poor crop takes off")
    st.markdown(_WHAT_IT_MEANS)
    try:
        table = usability_table(installed_file(), answer)
    except ArtifactError as error:
        show_error(error)
        return
    show_table(table, f"{detail.name}_poor_crops.csv", "table_usability", whole=True)

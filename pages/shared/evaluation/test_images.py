"""The images of a test set, read on demand; kept in a bounded cache in memory, never on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from core.datasets.loading import data_dir, read_split
from core.datasets.samples import Dataset, Samples, describe_rejected, fingerprint
from core.errors import FacetError
from core.evaluation.stored import StoredEvaluation
from pages.shared.errors import show_error
from pages.shared.markdown import escape_markdown

_OPENED_KEY = "evaluation_images_opened"


def load_test_images(model: StoredEvaluation) -> Samples | None:
    """Return the test images once the user has asked for them, and say what was left out; until then, show a button."""
    asked = (model.card.task, model.split)
    if st.session_state.get(_OPENED_KEY) != asked:
        if not st.button("Load test images", key="load_images", icon=":material/image_search:"):
            st.caption("Takes 10 to 20 seconds. The images stay in memory and are never saved.")
            return None
        st.session_state[_OPENED_KEY] = asked
    size, ids = model.card.input_size, model.predictions.ids
    try:
        dataset = _cached_dataset(str(data_dir()), *asked, size, fingerprint(ids), ids)
    except FacetError as error:
        show_error(error)
        return None
    for line in (describe_rejected(dataset.rejected), *dataset.notes):
        if line:
            st.warning(f"{escape_markdown(line[0].upper() + line[1:])}.", icon=":material/warning:")
    return dataset.samples


@st.cache_resource(max_entries=2, show_spinner="Loading test images, about 10 to 20 seconds …")
def _cached_dataset(
    folder: str, task: str, split: str, image_size: int, ids_fingerprint: str, _ids: np.ndarray
) -> Dataset:
    """Read the images. ``ids_fingerprint`` stands for the ids in the cache's key, as hashing all of them is slow."""
    return read_split(Path(folder), task, split, _ids, image_size)

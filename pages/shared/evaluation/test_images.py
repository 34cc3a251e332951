"""The images of a test set, read on demand; kept in a bounded cache in memory, never on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from core.datasets.loading import data_dir, read_split
from core.datasets.samples import Samples, fingerprint
from core.errors import FacetError
from core.evaluation.stored import StoredEvaluation
from pages.shared.errors import show_error

_OPENED_KEY = "evaluation_images_opened"


def load_test_images(model: StoredEvaluation) -> Samples | None:
    """Return the test images once the user has asked for them; until then, show a button."""
    asked = (model.card.task, model.split)
    if st.session_state.get(_OPENED_KEY) != asked:
        if not st.button("Load test images", key="load_images", icon=":material/image_search:"):
            st.caption("Takes 10 to 20 seconds. The images stay in memory and are never saved.")
            return None
        st.session_state[_OPENED_KEY] = asked
    size, ids = model.card.input_size, model.predictions.ids
    try:
        return _cached_samples(str(data_dir()), *asked, size, fingerprint(ids), ids)
    except FacetError as error:
        show_error(error)
        return None


@st.cache_resource(max_entries=2, show_spinner="Loading test images, about 10 to 20 seconds …")
def _cached_samples(
    folder: str, task: str, split: str, image_size: int, ids_fingerprint: str, _ids: np.ndarray
) -> Samples:
    """Read the images. ``ids_fingerprint`` stands for the ids in the cache's key, as hashing all of them is slow."""
    return read_split(Path(folder), task, split, _ids, image_size)

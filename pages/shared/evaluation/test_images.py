"""The images of a test set, read when somebody asks for them.

They live in a bounded cache in memory and in the browser, never on disk.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from core.datasets.loading import data_dir, has_data, read_split
from core.datasets.samples import Samples, fingerprint
from core.errors import FacetError
from core.evaluation.stored import StoredEvaluation
from pages.shared.errors import DATA_ADVICE, show_error

_OPENED_KEY = "evaluation_images_opened"


def samples_on_demand(model: StoredEvaluation, key: str) -> Samples | None:
    """The test images once the user asked for them; until then, or without a data set, a line says so."""
    folder = data_dir()
    if not has_data(folder, model.card.task):
        st.info(
            f"This needs the data set, which is not in `{folder}`; everything else on this page works from "
            f"stored answers. Put it there or set `FACET_DATA` to its folder. {DATA_ADVICE}.",
            icon=":material/folder_off:",
        )
        return None
    asked = (model.card.task, model.split)
    if st.button("Read the test images", key=f"read_{key}", icon=":material/image_search:"):
        st.session_state[_OPENED_KEY] = asked
    if st.session_state.get(_OPENED_KEY) != asked:
        st.caption("Takes 10 to 20 seconds; the images stay in memory and are never saved.")
        return None
    size, ids = model.card.input_size, model.predictions.ids
    try:
        return _cached_samples(str(folder), model.card.task, model.split, size, fingerprint(ids), ids)
    except FacetError as error:
        show_error(error)
        return None


@st.cache_resource(max_entries=2, show_spinner="Reading the images, about 10 to 20 seconds …")
def _cached_samples(
    folder: str, task: str, split: str, image_size: int, ids_fingerprint: str, _ids: np.ndarray
) -> Samples:
    """``ids_fingerprint`` stands for the ids in the cache's key; hashing thousands of strings is slow."""
    return read_split(Path(folder), task, split, _ids, image_size)

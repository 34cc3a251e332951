"""What every page does first: keep what the viewer set on the others, and drop what belonged to their last visit."""

from __future__ import annotations

import re

import streamlit as st

from pages.shared.image_memory import forget_all_but
from pages.shared.live_connection import forget_connection

LIVE, IMAGE, OTHER = "live", "image", "other"
_SETTINGS = re.compile(
    r"(live|image)_(detector|sensitivity|smoothing|emotion|age|gender|labels|mirror|blur|min_\w+|\w+_network)"
)
"""Keys of the widgets in the sidebars of the live and of the image page."""


def begin(page: str) -> None:
    """``page`` is one of the three above. Streamlit forgets what was set where widgets are not on screen; a viewer who
    hid the faces and looks at another page must find them hidden afterwards."""
    for key in [str(key) for key in st.session_state]:
        found = _SETTINGS.fullmatch(key)
        if found is not None and found[1] != page:
            st.session_state[key] = st.session_state[key]
    if page != IMAGE:
        forget_all_but(())
    if page != LIVE:
        forget_connection()

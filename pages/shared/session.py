"""What has to be dropped when the viewer opens another page."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from pages.shared.image.cache import forget_all_but
from pages.shared.image.files import forget_handed_over
from pages.shared.live.connection import forget_connection
from pages.shared.video.jobs import forget_job

OWN_EVALUATION_KEY = "evaluation_own_images"
"""Session key of the evaluation of the visitor's own images."""

LINK_KEY = "evaluation_link"
"""Session key of the link that opened the evaluation page."""

SNAPSHOT_KEY = "live_snapshot"
"""Session key of the snapshot that the live page shows."""


def run_home_first() -> None:
    """Start again with ``Home.py``, which draws the navigation and sets the layout.

    Until ``Home.py`` has run once on a server, Streamlit takes the folder ``pages`` for pages of its own older kind: it
    runs the file of a page alone.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def start_page(url_path: str) -> None:
    """Drop the pictures of the image page, the job of the video page, the results about the visitor's own images and
    the link to the evaluation page, and connection and snapshot of the live page, unless that is the page at
    ``url_path``."""
    if url_path != "Analyze_Image":
        forget_all_but(())
        forget_handed_over()
    if url_path != "Analyze_Video":
        forget_job()
    if url_path != "Model_Evaluation":
        st.session_state.pop(OWN_EVALUATION_KEY, None)
        st.session_state.pop(LINK_KEY, None)
    if url_path != "Live_Camera":
        forget_connection()
        st.session_state.pop(SNAPSHOT_KEY, None)

"""Download buttons whose file is made when they are clicked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread

import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import ScriptRunContext, add_script_run_ctx, get_script_run_ctx

ICON = ":material/download:"


def offer_file(
    label: str,
    make: Callable[[], bytes],
    file_name: str,
    mime: str,
    *,
    key: str,
    icon: str | None = ICON,
    help: str | None = None,
) -> None:
    """Draw a button for a file that takes long to make, or that grows while the page is shown.

    ``make`` runs after the script, in another thread.
    """
    on_request = partial(make_and_hold, make, file_name, mime, key, get_script_run_ctx())
    st.download_button(label, on_request, file_name, mime, key=key, on_click="ignore", icon=icon, help=help)


def make_and_hold(
    make: Callable[[], bytes], file_name: str, mime: str, key: str, visit: ScriptRunContext | None
) -> bytes:
    """Make the file, and keep it for the visit until its next full rerun.

    A file that Streamlit makes on request belongs to no visit, and such files go when two scripts have ended, of
    whatever visitors. The refreshes of one live page do that within two seconds, so a slow or busy browser asked for a
    file that was gone.
    """
    data = make()
    server = get_instance()
    if visit is not None and server.is_active_session(visit.session_id):
        hold = partial(server.media_file_mgr.add, data, mime, f"download {key}", file_name, is_for_static_download=True)
        # Streamlit reads from the thread whose visit it is.
        thread = Thread(target=hold)
        add_script_run_ctx(thread, visit)
        thread.start()
        thread.join()
    return data

"""Login by OpenID Connect, where ``[auth]`` is set in secrets.toml; see ``st.login`` for its settings."""

from __future__ import annotations

import streamlit as st

from core.errors import FacetError
from pages.shared.errors import show_error
from pages.shared.secrets import secrets_table


def admit() -> bool:
    """Return whether the visitor may see the pages; if not, show how to log in. Secrets that cannot be read admit
    nobody: a login may be among them."""
    try:
        wanted = bool(secrets_table("auth"))
    except FacetError as error:
        show_error(error)
        return False
    if not wanted:
        return True
    if st.user.is_logged_in:
        st.sidebar.button("Log out", on_click=st.logout, icon=":material/logout:")
        return True
    st.title("Facet", anchor=False)
    st.markdown("This server is for people with an account.")
    st.button("Log in", on_click=st.login, type="primary", icon=":material/login:")
    return False

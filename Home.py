"""Entry point: the pages in the sidebar, and the landing page."""

from __future__ import annotations

import streamlit as st

from pages.shared.home.models import show_models
from pages.shared.home.texts import LEAD, LIMITS, PAGES, PRIVACY
from pages.shared.session import start_page


def show_home() -> None:
    st.title("Facet")
    st.markdown(LEAD)
    for link, column in zip(PAGES, st.columns(len(PAGES)), strict=True):
        with column, st.container(border=True, height="stretch"):
            st.page_link(link.file, label=f"**{link.title}**", icon=link.icon)
            st.caption(link.description)
    st.header("Installed models", divider="gray")
    show_models()
    limits, privacy = st.columns(2, gap="large")
    with limits:
        st.header("Limitations", divider="gray")
        st.markdown(LIMITS)
    with privacy:
        st.header("Privacy", divider="gray")
        st.markdown(PRIVACY)


# Without icons: a browser would fetch them from a server outside to put them on its tab.
home = st.Page(show_home, title="Home", default=True)
page = st.navigation([home, *(st.Page(link.file, title=link.title) for link in PAGES)])
title = "Facet" if page is home else f"{page.title} · Facet"
st.set_page_config(page_title=title, page_icon="🙂", layout="wide")
start_page(page.url_path)
page.run()

"""Entry point: the pages in the sidebar, and the landing page."""

from __future__ import annotations

import streamlit as st

from pages.shared.home.figures import show_figures
from pages.shared.home.sample import show_sample
from pages.shared.home.texts import LEAD, NOTICE, PAGES
from pages.shared.login import admit
from pages.shared.session import start_page

# Everything fits on a laptop's screen.
_DENSE = "<style>.stMainBlockContainer h1 { padding: 0 } [data-testid=stMetricValue] { font-size: 1.7rem }</style>"
# Streamlit writes white on the primary colour, which is light in the dark theme (WCAG 2 AA asks for 4.5 to 1).
_CONTRAST = """<style>@media (prefers-color-scheme: dark) {
[data-testid=stBaseButton-primary], [data-testid=stMultiSelect] :is(span[title], span[title] ~ *) { color: #111 }
}</style>"""
# What a rerun is about to replace would give the file of before, or none.
_UP_TO_DATE = """<style>[data-stale=true]:has(> .stDownloadButton) { cursor: progress }
[data-stale=true] > .stDownloadButton { pointer-events: none }</style>"""


def show_home() -> None:
    st.html(_DENSE)
    st.title("Facet", anchor=False)
    st.markdown(LEAD)
    sample = st.container()
    with st.container(horizontal=True):
        actions = [link for link in PAGES if link.action]
        for number, link in enumerate(actions):
            if st.button(link.action, key=f"home_{number}", icon=link.icon, type="secondary" if number else "primary"):
                st.switch_page(link.file)
    show_figures()
    st.markdown(NOTICE)
    # Last: the first visitor after a start waits for the models, and can read the rest meanwhile.
    with sample:
        show_sample()


# Without icons: a browser would fetch them from a server outside to put them on its tab.
home = st.Page(show_home, title="Home", default=True)
page = st.navigation([home, *(st.Page(link.file, title=link.title) for link in PAGES)])
title = "Facet" if page is home else f"{page.title} · Facet"
st.set_page_config(page_title=title, page_icon="🙂", layout="wide")
st.html(_CONTRAST + _UP_TO_DATE)
if admit():
    start_page(page.url_path)
    page.run()

"""Landing page: what Facet does, how good its models are, what it cannot do, what happens to pictures."""

from __future__ import annotations

import streamlit as st

from pages.shared.home.models import show_models
from pages.shared.home.texts import LEAD, LIMITS, PAGES, PRIVACY
from pages.shared.session import OTHER, begin

st.set_page_config(page_title="Facet", page_icon="🙂", layout="wide")
begin(OTHER)
st.title("Facet")
st.markdown(LEAD)

for (file, label, icon, description), column in zip(PAGES, st.columns(len(PAGES)), strict=True):
    with column, st.container(border=True, height="stretch"):
        st.page_link(file, label=f"**{label}**", icon=icon)
        st.caption(description)

st.header("Installed models", divider="gray")
show_models()

limits, privacy = st.columns(2, gap="large")
with limits:
    st.header("What it cannot do", divider="gray")
    st.markdown(LIMITS)
with privacy:
    st.header("Privacy", divider="gray")
    st.markdown(PRIVACY)

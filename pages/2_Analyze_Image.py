"""Analyze uploaded images or a snapshot, show one card per face, and offer the results for download."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import FacetError
from core.io.export import Outcome
from pages.shared.errors import show_error
from pages.shared.image.cache import compute_fingerprint, forget_all_but
from pages.shared.image.cards import show_file
from pages.shared.image.downloads import offer_downloads
from pages.shared.image.gallery import MAX_IN_FULL, show_gallery
from pages.shared.image.inputs import choose_files, choose_settings
from pages.shared.image.suggestions import suggestion_table
from pages.shared.session import run_home_first
from pages.shared.sidebar import load_analyzer

run_home_first()
st.title("Analyze Image")
st.caption(
    "Images stay in this server's memory until you remove them or leave this page. They are never stored or passed on."
)

try:
    chosen = choose_settings()
    with st.spinner("Loading the models …"):
        analyzer, detector_name = load_analyzer(chosen.detector, chosen.detector_name, chosen.networks)
    settings = replace(chosen, detector_name=detector_name)
except FacetError as error:
    show_error(error)
    st.stop()

files = choose_files()
# Once per run, because hashing large files takes time.
fingerprints = [compute_fingerprint(file) for file in files]
forget_all_but(fingerprints)
if not files:
    st.info("Add an image with one or more faces, or choose a sample.", icon=":material/add_photo_alternate:")
    st.stop()

actions = st.container(horizontal=True, vertical_alignment="center")
results = st.container()
table = suggestion_table(actions)
outcomes: list[Outcome]
with results:
    if len(files) > MAX_IN_FULL:
        outcomes, opened = show_gallery(files, fingerprints, analyzer, settings)
        if opened is not None:
            show_file(files[opened], fingerprints[opened], analyzer, settings, table, opened)
    else:
        outcomes = [
            show_file(file, fingerprint, analyzer, settings, table, number)
            for number, (file, fingerprint) in enumerate(zip(files, fingerprints, strict=True))
        ]
with actions:
    offer_downloads(files, outcomes, settings)

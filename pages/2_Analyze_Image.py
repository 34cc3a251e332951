"""Analyze uploaded images or a snapshot, show one card per face, and offer the results for download."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import FacetError, ImageError
from core.io import export
from pages.shared.errors import show_error
from pages.shared.image.analysis import analyze_file
from pages.shared.image.cache import compute_fingerprint, forget_all_but
from pages.shared.image.cards import show_result
from pages.shared.image.inputs import choose_files, choose_settings
from pages.shared.image.suggestions import suggestion_table
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import load_analyzer

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

table = suggestion_table()
downloads = st.container(horizontal=True)
json_objects: list[dict[str, Any]] = []
csv_rows: list[dict[str, Any]] = []
for number, (file, fingerprint) in enumerate(zip(files, fingerprints, strict=True)):
    try:
        with st.spinner(f"Analyzing {escape_markdown(file.name)} …"):
            result = analyze_file(file, fingerprint, analyzer, settings)
    except FacetError as error:
        show_error(error)
        json_objects.append(export.error_object(file.name, error))
        continue
    if isinstance(result, ImageError):
        show_error(result)
        json_objects.append(export.error_object(file.name, result))
        continue
    show_result(file, fingerprint, result, settings, table, number)
    networks = settings.networks.choice.for_attributes(settings.attributes)
    json_objects.append(export.to_json_object(file.name, result.analysis) | {"networks": networks})
    csv_rows += export.rows(file.name, result.analysis)

with downloads:
    st.download_button(
        "All faces (CSV)",
        # With a byte order mark, without which Excel garbles file names such as Zoë.jpg.
        export.to_csv(csv_rows).encode("utf-8-sig"),
        "faces.csv",
        "text/csv",
        key="image_csv",
        on_click="ignore",
        icon=":material/download:",
    )
    st.download_button(
        "All results (JSON)",
        json.dumps(json_objects, indent=2, ensure_ascii=False),
        "faces.json",
        "application/json",
        key="image_json",
        on_click="ignore",
        icon=":material/download:",
    )

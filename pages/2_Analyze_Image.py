"""Upload pictures or take a snapshot, see what is read from each face, download the results."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import FacetError, ImageError
from core.io import export as report
from pages.shared.errors import show_error
from pages.shared.image.analysis import analyzed
from pages.shared.image.cache import fingerprint, forget_all_but
from pages.shared.image.cards import show_result
from pages.shared.image.inputs import choose_pictures, choose_settings
from pages.shared.image.suggestions import suggestion_table
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import load_analyzer

st.title("Analyze image")
st.caption(
    "Pictures stay in this server's memory until they are removed or this page is left; none is stored or sent on."
)

try:
    chosen = choose_settings()
    with st.spinner("Loading the models …"):
        analyzer, detector_name = load_analyzer(chosen.detector, chosen.detector_name, chosen.networks)
    settings = replace(chosen, detector_name=detector_name)
except FacetError as error:
    show_error(error)
    st.stop()

files = choose_pictures()
# Once a run, as hashing large files takes its time.
fingerprints = [fingerprint(file) for file in files]
forget_all_but(fingerprints)
if not files:
    st.info("Add a picture with one or several faces to begin.", icon=":material/add_photo_alternate:")
    st.stop()

table = suggestion_table()
downloads = st.container(horizontal=True)
json_objects: list[dict[str, Any]] = []
csv_rows: list[dict[str, Any]] = []
for number, (file, picture) in enumerate(zip(files, fingerprints, strict=True)):
    try:
        with st.spinner(f"Analysing {escape_markdown(file.name)} …"):
            result = analyzed(file, picture, analyzer, settings)
    except FacetError as error:
        show_error(error)
        json_objects.append(report.error_object(file.name, error))
        continue
    if isinstance(result, ImageError):
        show_error(result)
        json_objects.append(report.error_object(file.name, result))
        continue
    show_result(file, picture, result, settings, table, number)
    networks = settings.networks.choice.answering(settings.attributes)
    json_objects.append(report.to_json_object(file.name, result.analysis) | {"networks": networks})
    csv_rows += report.rows(file.name, result.analysis)

with downloads:
    st.download_button(
        "All faces (CSV)",
        # With a byte order mark: without one Excel garbles file names such as Zoë.jpg.
        report.to_csv(csv_rows).encode("utf-8-sig"),
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

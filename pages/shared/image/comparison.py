"""The same picture, answered by a second detector or network; what differs is marked."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.attributes.catalog import NOT_INCLUDED, OWN_FILES, list_networks
from core.comparison import Difference, compare, match_faces
from core.detection import DETECTORS
from core.drawing import annotator
from core.errors import FacetError, ImageError
from core.labels import pluralize
from pages.shared import resources
from pages.shared.errors import show_error
from pages.shared.image.analysis import ImageResult, analyze_file
from pages.shared.image.files import ImageFile
from pages.shared.image.picture import LinkedFace, show_picture
from pages.shared.sidebar import ATTRIBUTE_TITLES, DETECTOR_TITLES, PageSettings, ResolvedNetworks


@st.fragment
def show_comparison(file: ImageFile, fingerprint: str, result: ImageResult, settings: PageSettings, key: str) -> None:
    """Show an expander that answers the picture again; nothing is computed while it is closed."""
    with st.expander("Compare with another model", key=f"compare_{key}", on_change="rerun") as expander:
        if not expander.open:
            return
        others = _other_settings(settings)
        title = st.selectbox("Other model", list(others), key=f"compare_with_{key}")
        try:
            other = others[title]
            analyzer = resources.get_analyzer(other.detector, other.detector_name, other.networks.choice)
            second = analyze_file(file, fingerprint, analyzer, other)
        except FacetError as error:
            show_error(error)
            return
        if not isinstance(second, ImageError):
            _show(result, second, settings)


def _other_settings(settings: PageSettings) -> dict[str, PageSettings]:
    """Return title -> settings that differ from ``settings`` by one model."""
    found = {
        f"Detector: {DETECTOR_TITLES.get(name, name)}": replace(settings, detector_name=name)
        for name in DETECTORS
        if name != settings.detector_name
    }
    for attribute, current in settings.networks.choice.for_attributes(settings.attributes).items():
        for network in list_networks(attribute):
            if network.name != current and network.kind not in (NOT_INCLUDED, OWN_FILES):
                choice = replace(settings.networks.choice, **{attribute: network.name})
                title = f"{ATTRIBUTE_TITLES[attribute]}: {network.name}"
                found[title] = replace(settings, networks=ResolvedNetworks(choice))
    return found


def _show(result: ImageResult, second: ImageResult, settings: PageSettings) -> None:
    first_of = {row: number for number, row in match_faces(result.analysis, second.analysis).items()}
    differences = compare(result.analysis, second.analysis)
    changed = {difference.second for difference in differences}
    faces = second.analysis.faces
    # Faces keep the numbers of the first picture; those that it lacks get the next ones.
    only_second = [row for row in range(len(faces)) if row not in first_of]
    number_of = first_of | {row: len(result.analysis.faces) + at for at, row in enumerate(only_second)}
    numbers = [number_of[row] + 1 for row in range(len(faces))]
    drawn = annotator.annotate(second.preview, second.analysis, settings.style, numbers=numbers, legend=True)
    marked = [faces[row] for row in changed if row is not None]
    marked += [result.analysis.faces[item.first or 0] for item in differences if item.second is None]
    st.markdown(f"**{pluralize(len(differences), 'difference')}.** Faces that differ have a dashed frame.")
    frames = [LinkedFace(face, 0, "", differs=True) for face in marked]
    show_picture(drawn, second.analysis, frames, f"{pluralize(len(faces), 'face')} found by the other model")
    if differences:
        st.table([_row(difference, numbers) for difference in differences])


def _row(difference: Difference, numbers: list[int]) -> dict[str, str]:
    number = difference.first + 1 if difference.first is not None else numbers[difference.second or 0]
    what = {"gender": "perceived gender"}.get(difference.what, difference.what)
    return {
        "Face": str(number),
        "Differs in": what,
        "Above": difference.first_text,
        "Other model": difference.second_text,
    }

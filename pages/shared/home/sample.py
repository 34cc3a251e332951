"""A real result to begin with: a sample portrait, read by the installed models once per server."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.drawing.bars import estimate_bars
from core.errors import FacetError
from core.labels import format_age, format_estimate
from core.types import Face
from pages.shared.errors import show_error
from pages.shared.markdown import picture_html
from pages.shared.samples import ASTRONAUT

_SIDE_PX = 720
_HEIGHTS = 2.6
"""Height of the part that is shown, in heights of the face."""


@dataclass(frozen=True)
class SampleResult:
    """``jpeg``: the annotated surroundings of ``face`` as file contents; ``elapsed_ms`` for the whole picture."""

    jpeg: bytes
    face: Face | None
    elapsed_ms: float


def show_sample() -> None:
    """Show the portrait with its box and label, and beside it what was read."""
    try:
        result = _analyze_sample()
    except FacetError as error:
        show_error(error)
        return
    picture, answers = st.columns([4, 5], gap="medium")
    alt = "Portrait of the astronaut Eileen Collins with its result (NASA)"
    picture.html(picture_html(result.jpeg, alt, "width: 100%"))
    face = result.face
    if face is None:
        answers.info("The installed detector finds no face in the sample portrait.")
        return
    with answers:
        if face.emotion is not None:
            st.markdown(f"**Emotion: {format_estimate(face.emotion)}**")
            st.html(estimate_bars(face.emotion))
        lines = [f"**Age: {format_age(face.age, 'years')}**"] if face.age is not None else []
        if face.gender is not None:
            lines.append(f"**Perceived gender: {format_estimate(face.gender)}**")
        st.markdown("  \n".join(lines))
        st.caption(f"Read by the installed models on this server in {result.elapsed_ms:.0f} ms.")


@st.cache_data(show_spinner="Reading a sample portrait …")
def _analyze_sample() -> SampleResult:
    # Only here: these imports take a second, for which the rest of the page need not wait.
    from core.attributes.catalog import network_choice
    from core.detection.registry import default_detector_name
    from core.drawing.annotator import annotate
    from core.drawing.zoom import zoom_to
    from core.io import images
    from core.settings import DetectorSettings
    from pages.shared import resources

    analyzer = resources.get_analyzer(DetectorSettings(), default_detector_name(), network_choice())
    frame = images.read_file(ASTRONAUT).frame
    # The first run takes longer, and so does one beside other work: their times would mislead.
    analysis = min((analyzer.analyze(frame) for _ in range(3)), key=lambda analysis: analysis.elapsed_ms)
    if not analysis.faces:
        return SampleResult(images.encode_jpeg(frame), None, analysis.elapsed_ms)
    largest = max(analysis.faces, key=lambda face: face.box.height)
    view, shown, _ = zoom_to(frame, analysis, largest.box, _HEIGHTS, _SIDE_PX)
    return SampleResult(images.encode_jpeg(annotate(view, shown)), largest, analysis.elapsed_ms)

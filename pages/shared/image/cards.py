"""Results of one image: the annotated image, a card per face, a table of all faces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import PurePath

import streamlit as st

from core import labels
from core.drawing import annotator
from core.errors import FacetError, ImageError
from core.evaluation.plots.faces import probability_bars
from core.io import export, images
from core.io.export import Outcome
from core.settings import OverlayStyle
from core.suggestions import Suggestion, suggest_for
from core.types import EMOTIONS, Analysis, Face
from core.video.session import FrameAnalyzer
from pages.shared import resources
from pages.shared.errors import show_error
from pages.shared.image.analysis import MAX_CARDS, Frame, ImageResult, analyze_file, annotated_png, card_numbers
from pages.shared.image.explanation import show_explanation
from pages.shared.image.files import ImageFile
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import PageSettings

_CARDS_PER_ROW = 3
_THUMBNAIL_SHOWN_PX = 96
NO_FACE = """**No face found.** What helps:
- **Too small:** cut the face out of the picture, or take it from nearer.
- **Turned away:** use a picture taken from the front.
- **Covered or dark:** use one without mask, hands or sunglasses, in even light."""


def show_file(
    file: ImageFile,
    fingerprint: str,
    analyzer: FrameAnalyzer,
    settings: PageSettings,
    table: Sequence[Suggestion],
    number: int,
) -> Outcome:
    """Analyze one file, show its result or error, and return the outcome; see ``show_result``."""
    try:
        with st.spinner(f"Analyzing {escape_markdown(file.name)} …"):
            result = analyze_file(file, fingerprint, analyzer, settings)
    except FacetError as error:
        show_error(error)
        return error
    if isinstance(result, ImageError):
        show_error(result)
        return result
    show_result(file, fingerprint, result, settings, table, number)
    return result.analysis


def show_result(
    file: ImageFile,
    fingerprint: str,
    result: ImageResult,
    settings: PageSettings,
    table: Sequence[Suggestion],
    number: int,
) -> None:
    """Show everything about one file. ``table`` is empty unless suggestions are wanted; ``number`` and ``fingerprint``
    make the widget keys unique, also for files of the same name or place."""
    style, get_networks = settings.style, partial(resources.get_networks, settings.networks.choice)
    st.subheader(escape_markdown(result.name), divider="gray")
    faces, file_key = result.analysis.faces[:MAX_CARDS], fingerprint[:12]
    # A single card fits beside the image, several go below it.
    beside = len(faces) == 1
    left, right = st.columns([3, 2]) if beside else (st.container(), None)
    with left:
        _show_image(file, result, style, number)
    for start in range(0, len(faces), _CARDS_PER_ROW):
        # The same number of columns in every row, so that all cards have the same width.
        columns = [right] if right is not None else st.columns(_CARDS_PER_ROW)
        for index, column in zip(range(start, len(faces)), columns, strict=False):
            thumbnail = result.thumbnails[index]
            shown = annotator.pixelate(thumbnail) if style.blur_faces else thumbnail
            with column, st.container(border=True):
                key = f"{number}_{file_key}_{'_'.join(f'{side:.0f}' for side in faces[index].box.xyxy)}"
                _show_card(faces[index], index + 1, shown, key)
                show_explanation(file, fingerprint, faces[index], key, get_networks, blur=style.blur_faces)
                _show_suggestions(faces[index], table)
    _show_table(result, number)


def _show_image(file: ImageFile, result: ImageResult, style: OverlayStyle, number: int) -> None:
    analysis = result.analysis
    drawn = annotator.annotate(result.preview, analysis, style, numbers=card_numbers(analysis), legend=True)
    st.image(images.to_rgb(drawn), width="content", alt=_summary(analysis), output_format="JPEG")
    st.caption(f"{_summary(analysis)} · {analysis.width} x {analysis.height} pixels · {analysis.elapsed_ms:.0f} ms")
    if analysis.rotation:
        st.caption(f"Read after a rotation by {labels.format_rotation(analysis.rotation)}: the faces are not upright.")
    if not analysis.faces:
        st.info(NO_FACE, icon=":material/person_search:")
    st.download_button(
        "Annotated image (PNG)",
        data=partial(annotated_png, file, analysis, style),
        file_name=f"{PurePath(result.name).stem or 'image'}-annotated.png",
        mime="image/png",
        key=f"image_png_{number}",
        on_click="ignore",
        icon=":material/download:",
    )


def _show_table(result: ImageResult, number: int) -> None:
    analysis = result.analysis
    if not analysis.faces:
        return
    if len(analysis.faces) > MAX_CARDS:
        st.caption(f"Cards show the first {MAX_CARDS} faces from the left; the table lists all.")
    with st.expander(f"All values ({labels.pluralize(len(analysis.faces), 'face')})"):
        rows = export.rows(result.name, analysis)
        st.dataframe(rows, hide_index=True, key=f"image_table_{number}", column_config=export.COLUMN_TITLES)


def _show_card(face: Face, number: int, thumbnail: Frame, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.image(images.to_rgb(thumbnail), width=_THUMBNAIL_SHOWN_PX, alt=f"Face {number}", output_format="PNG")
        lines = _describe(face) or ["No attribute was predicted."]
        st.markdown("  \n".join([f"**Face {number}**", *lines]))
    if face.emotion is not None:
        figure = probability_bars(EMOTIONS, face.emotion.probabilities, "Emotion")
        st.plotly_chart(figure, key=f"image_bars_{key}", config={"displayModeBar": False})


def _describe(face: Face) -> list[str]:
    lines = []
    if face.emotion is not None:
        lines.append(labels.format_estimate(face.emotion).capitalize())
    if face.age is not None:
        lines.append(f"Age {labels.format_age(face.age)}")
    if face.gender is not None:
        lines.append(f"Perceived gender{' ' if face.gender.uncertain else ': '}{labels.format_estimate(face.gender)}")
    return lines


def _show_suggestions(face: Face, table: Sequence[Suggestion]) -> None:
    suggestions = suggest_for(face, table)
    if suggestions:
        lines = [f"- {escape_markdown(row.kind).capitalize()}: {escape_markdown(row.text)}" for row in suggestions]
        st.markdown("\n".join(["**Suggestions**", "", *lines]))
    elif table:
        st.caption("No suggestion in the table fits this face.")
    if table and face.emotion is not None and face.emotion.uncertain:
        st.caption("The emotion is uncertain, so suggestions ignore it.")


def _summary(analysis: Analysis) -> str:
    return f"{labels.pluralize(len(analysis.faces), 'face')} found" if analysis.faces else "No face found"

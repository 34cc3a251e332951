"""One picture's result on screen: the annotated picture, a card per face, a table of all faces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import PurePath

import streamlit as st

from core import labels
from core.drawing import annotator
from core.evaluation.plots.faces import probability_bars
from core.io import export as report
from core.io import images
from core.settings import OverlayStyle
from core.suggestions import Suggestion, suggest_for
from core.types import EMOTIONS, Analysis, Face
from pages.shared import resources
from pages.shared.image.analysis import MAX_CARDS, Frame, ImageResult, annotated_png, card_numbers
from pages.shared.image.explanation import show_explanation
from pages.shared.image.inputs import ImageSettings, PictureFile
from pages.shared.markdown import escape_markdown

_CARDS_A_ROW = 3
_THUMBNAIL_SHOWN_PX = 96
NO_FACE = (
    "No face found in this picture. Faces that are very small, turned away or covered are missed; "
    "a higher sensitivity in the sidebar finds more."
)


def show_result(
    file: PictureFile,
    fingerprint: str,
    result: ImageResult,
    settings: ImageSettings,
    table: Sequence[Suggestion],
    number: int,
) -> None:
    """``table`` is empty while no suggestions are wanted; ``number`` tells files apart that share a name, and
    ``fingerprint`` those that take each other's place."""
    style, get_networks = settings.style, partial(resources.get_networks, settings.networks.choice)
    st.subheader(escape_markdown(result.name), divider="gray")
    faces, picture_key = result.analysis.faces[:MAX_CARDS], fingerprint[:12]
    # A single card fits beside the picture; several go below it.
    beside = len(faces) == 1
    picture, right = st.columns([3, 2]) if beside else (st.container(), None)
    with picture:
        _show_picture(file, result, style, number)
    for start in range(0, len(faces), _CARDS_A_ROW):
        # As many columns in every row, so that cards have one width.
        columns = [right] if right is not None else st.columns(_CARDS_A_ROW)
        for index, column in zip(range(start, len(faces)), columns, strict=False):
            thumbnail = result.thumbnails[index]
            shown = annotator.pixelate(thumbnail) if style.blur_faces else thumbnail
            with column, st.container(border=True):
                key = f"{number}_{picture_key}_{'_'.join(f'{side:.0f}' for side in faces[index].box.xyxy)}"
                _show_card(faces[index], index + 1, shown, key)
                show_explanation(file, fingerprint, faces[index], key, get_networks, blur=style.blur_faces)
                _show_suggestions(faces[index], table)
    _show_table(result, number)


def _show_picture(file: PictureFile, result: ImageResult, style: OverlayStyle, number: int) -> None:
    analysis = result.analysis
    drawn = annotator.annotate(result.preview, analysis, style, numbers=card_numbers(analysis))
    st.image(images.to_rgb(drawn), width="content", alt=_summary(analysis), output_format="JPEG")
    st.caption(f"{_summary(analysis)} · {analysis.width} x {analysis.height} pixels · {analysis.elapsed_ms:.0f} ms")
    if not analysis.faces:
        st.info(NO_FACE, icon=":material/person_search:")
    st.download_button(
        "Annotated picture (PNG)",
        data=partial(annotated_png, file, analysis, style),
        file_name=f"{PurePath(result.name).stem or 'picture'}-annotated.png",
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
        st.caption(f"Cards of the first {MAX_CARDS} faces from the left; the table lists all.")
    with st.expander(f"All values of {labels.pluralize(len(analysis.faces), 'face')}"):
        st.dataframe(report.rows(result.name, analysis), hide_index=True, key=f"image_table_{number}")


def _show_card(face: Face, number: int, thumbnail: Frame, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.image(images.to_rgb(thumbnail), width=_THUMBNAIL_SHOWN_PX, alt=f"Face {number}", output_format="PNG")
        facts = _facts(face) or ["Nothing was read from this face."]
        st.markdown("  \n".join([f"**Face {number}**", *facts]))
    if face.emotion is not None:
        figure = probability_bars(EMOTIONS, face.emotion.probabilities, "Emotion")
        st.plotly_chart(figure, key=f"image_bars_{key}", config={"displayModeBar": False})


def _facts(face: Face) -> list[str]:
    facts = []
    if face.emotion is not None:
        facts.append(labels.format_estimate(face.emotion).capitalize())
    if face.age is not None:
        facts.append(f"Age {labels.format_age(face.age)}")
    if face.gender is not None:
        facts.append(f"Perceived gender{' ' if face.gender.uncertain else ': '}{labels.format_estimate(face.gender)}")
    return facts


def _show_suggestions(face: Face, table: Sequence[Suggestion]) -> None:
    suggestions = suggest_for(face, table)
    if suggestions:
        lines = [f"- {escape_markdown(row.kind).capitalize()}: {escape_markdown(row.text)}" for row in suggestions]
        st.markdown("\n".join(["**Suggestions**", "", *lines]))
    elif table:
        st.caption("The table has no suggestion for this face.")
    if table and face.emotion is not None and face.emotion.uncertain:
        st.caption("The emotion is uncertain, so nothing is suggested for it.")


def _summary(analysis: Analysis) -> str:
    return f"{labels.pluralize(len(analysis.faces), 'face')} found" if analysis.faces else "No face found"

"""Results of one image: the annotated image, a card per face, a table of all faces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import PurePath

import streamlit as st

from core import labels
from core.drawing import annotator
from core.drawing.bars import estimate_bars
from core.errors import FacetError, ImageError
from core.io import export, images
from core.io.export import Outcome
from core.suggestions import Suggestion, suggest_for
from core.types import Analysis, Face
from core.video.session import FrameAnalyzer
from pages.shared import resources
from pages.shared.downloads import offer_file
from pages.shared.errors import show_error
from pages.shared.image.analysis import (
    MAX_CARDS,
    Frame,
    ImageResult,
    analyze_file,
    annotated_png,
    card_numbers,
    zoomed,
)
from pages.shared.image.comparison import show_comparison
from pages.shared.image.explanation import show_explanation
from pages.shared.image.files import ImageFile
from pages.shared.image.picture import LinkedFace, show_picture
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import PageSettings

_CARDS_HEIGHT_PX = 640
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
    """Show everything about one file: the picture, and the cards beside it. ``table`` is empty unless suggestions are
    wanted; ``number`` and ``fingerprint`` make the widget keys unique, also for files of the same name or place."""
    st.subheader(escape_markdown(result.name), divider="gray")
    faces, file_key = result.analysis.faces[:MAX_CARDS], f"{number}_{fingerprint[:12]}"
    keys = [f"{file_key}_{'_'.join(f'{side:.0f}' for side in face.box.xyxy)}" for face in faces]
    zoomed_row = _choose_face(len(faces), file_key)
    left, right = st.columns([3, 2])
    with left:
        _show_image(file, fingerprint, result, settings, keys, zoomed_row)
        _offer_png(file, result, settings, number)
    shown = range(len(faces)) if zoomed_row is None else [zoomed_row]
    with (
        right,
        st.container(height=_CARDS_HEIGHT_PX if len(shown) > 1 else "content", border=False, key=f"cards_{file_key}"),
    ):
        for row in shown:
            with st.container(border=True, key=f"card_{keys[row]}"):
                thumbnail = result.thumbnails[row]
                picture = annotator.pixelate(thumbnail) if settings.style.blur_faces else thumbnail
                _show_card(faces[row], row + 1, picture, keys[row])
                get_networks = partial(resources.get_networks, settings.networks.choice)
                show_explanation(file, fingerprint, faces[row], keys[row], get_networks, blur=settings.style.blur_faces)
                _show_suggestions(faces[row], table)
    _show_table(result, number)
    if faces:
        show_comparison(file, fingerprint, result, settings, file_key)


def _choose_face(count: int, key: str) -> int | None:
    """Choose a face to zoom in on; ``None`` is the whole picture."""
    if not count:
        return None
    chosen = st.pills("Zoom in on face", list(range(1, count + 1)), key=f"image_zoom_{key}")
    return None if chosen is None or chosen > count else chosen - 1


def _show_image(
    file: ImageFile,
    fingerprint: str,
    result: ImageResult,
    settings: PageSettings,
    keys: Sequence[str],
    zoomed_row: int | None,
) -> None:
    analysis, frame, rows = result.analysis, result.preview, tuple(range(len(result.analysis.faces)))
    if zoomed_row is not None:
        frame, analysis, rows = zoomed(file, fingerprint, analysis, zoomed_row)
    numbers = card_numbers(result.analysis)
    drawn = annotator.annotate(frame, analysis, settings.style, numbers=[numbers[row] for row in rows], legend=True)
    linked = [
        LinkedFace(face, row + 1, f"card_{keys[row]}")
        for face, row in zip(analysis.faces, rows, strict=True)
        if row < len(keys)
    ]
    whole = result.analysis
    show_picture(drawn, analysis, linked, _summary(whole))
    views = f" · mean of {whole.views} views per face" if whole.faces and whole.views > 1 else ""
    size, time = f"{whole.width} x {whole.height} pixels", f"{whole.elapsed_ms:.0f} ms"
    st.caption(f"{_summary(whole)} · {size} · {time}{views}")
    if whole.rotation:
        st.caption(f"Read after a rotation by {labels.format_rotation(whole.rotation)}: the faces are not upright.")
    if not whole.faces:
        st.info(NO_FACE, icon=":material/person_search:")


def _offer_png(file: ImageFile, result: ImageResult, settings: PageSettings, number: int) -> None:
    offer_file(
        "Annotated image (PNG)",
        partial(annotated_png, file, result.analysis, settings.style),
        f"{PurePath(result.name).stem or 'image'}-annotated.png",
        "image/png",
        key=f"image_png_{number}",
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
        lines = labels.describe_face(face) or ["No attribute was predicted."]
        st.markdown("  \n".join([f"**Face {number}**", *lines]))
    if face.emotion is not None:
        # Where the link of the face's box leads to.
        st.html(f'<div id="card_{key}" style="scroll-margin-top:12rem">{estimate_bars(face.emotion)}</div>')


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

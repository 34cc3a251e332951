"""Many images: a table of all, and pages of thumbnails, of which one can be opened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.batch import Totals
from core.drawing import annotator
from core.errors import FacetError, ImageError
from core.io import images
from core.io.export import Outcome
from core.labels import format_age, label_or_uncertain
from core.settings import OverlayStyle
from core.types import Analysis
from core.video.session import FrameAnalyzer
from pages.shared.image.analysis import cache_key, decode_file
from pages.shared.image.cache import SUMMARIES, cached
from pages.shared.image.files import ImageFile
from pages.shared.image.inputs import MAX_FILES
from pages.shared.markdown import escape_markdown
from pages.shared.sidebar import PageSettings

MAX_IN_FULL = 4
"""More images than this are shown as a table and thumbnails, of which one can be opened."""
PER_PAGE = 20
THUMBNAIL_SIDE_PX = 320
_SHOWN_PX = 128
_BORDER_PX = 34
_NAMED_FACES = 4
"""Faces whose attributes the table lists."""
_BETWEEN_UPDATES_S = 0.2
_OPENED = "image_opened"


@dataclass(frozen=True)
class Summary:
    """What the page keeps of one of many images: the outcome, and a small copy as JPEG file contents, empty if it could
    not be read."""

    outcome: Outcome
    thumbnail: bytes = b""


def show_gallery(
    files: Sequence[ImageFile], fingerprints: Sequence[str], analyzer: FrameAnalyzer, settings: PageSettings
) -> tuple[list[Outcome], int | None]:
    """Analyze all files, and show totals, table and thumbnails. Returns the outcomes, and which image is opened."""
    summaries = _summarize_all(files, fingerprints, analyzer, settings)
    totals = Totals()
    for summary in summaries:
        totals.add(summary.outcome)
    st.caption(f"{totals}.")
    rows = [_row(file.name, summary.outcome) for file, summary in zip(files, summaries, strict=True)]
    st.dataframe(rows, hide_index=True, key="image_gallery")
    pages = -(-len(files) // PER_PAGE)
    # A key for each number of pages: with fewer, the page that was shown may be gone.
    page = st.pagination(pages, key=f"image_page_of_{pages}") if pages > 1 else 1
    shown = range((page - 1) * PER_PAGE, min(page * PER_PAGE, len(files)))
    with st.container(horizontal=True):
        for number in shown:
            with st.container(border=True, width=_SHOWN_PX + _BORDER_PX):
                _show_thumbnail(files[number].name, fingerprints[number], summaries[number], number, settings.style)
    opened = st.session_state.get(_OPENED)
    return [summary.outcome for summary in summaries], next((n for n in shown if fingerprints[n] == opened), None)


def _summarize_all(
    files: Sequence[ImageFile], fingerprints: Sequence[str], analyzer: FrameAnalyzer, settings: PageSettings
) -> list[Summary]:
    """What is done stays in the cache if the visitor changes something meanwhile."""
    summaries = []
    bar = st.empty()
    updated_s = time.monotonic()
    for number, (file, fingerprint) in enumerate(zip(files, fingerprints, strict=True)):
        if time.monotonic() - updated_s > _BETWEEN_UPDATES_S:
            bar.progress(number / len(files), f"Analyzing image {number + 1} of {len(files)} …")
            updated_s = time.monotonic()
        summaries.append(_summarize(file, fingerprint, analyzer, settings))
    bar.empty()
    return summaries


def _summarize(file: ImageFile, fingerprint: str, analyzer: FrameAnalyzer, settings: PageSettings) -> Summary:
    def make() -> Summary:
        picture = decode_file(file)
        if isinstance(picture, ImageError):
            return Summary(picture)
        analysis = analyzer.analyze(picture.frame, settings.attributes).resized(picture.resolution_wh)
        return Summary(analysis, images.encode_jpeg(images.fit(picture.frame, THUMBNAIL_SIDE_PX)))

    try:
        return cached(SUMMARIES, cache_key(file, fingerprint, settings), make, MAX_FILES)
    except FacetError as error:
        return Summary(error)


def _row(name: str, outcome: Outcome) -> dict[str, Any]:
    faces = outcome.faces if isinstance(outcome, Analysis) else ()
    listed = faces[:_NAMED_FACES]
    more = ", …" * (len(faces) > _NAMED_FACES)
    problem = "no face found" if isinstance(outcome, Analysis) else str(outcome)
    return {
        "Image": name,
        "Faces": len(faces),
        "Emotion": ", ".join(label_or_uncertain(face.emotion) for face in listed if face.emotion) + more,
        "Age": ", ".join(format_age(face.age) for face in listed if face.age) + more,
        "Perceived gender": ", ".join(label_or_uncertain(face.gender) for face in listed if face.gender) + more,
        "Problem": "" if faces else problem,
    }


def _show_thumbnail(name: str, fingerprint: str, summary: Summary, number: int, style: OverlayStyle) -> None:
    if isinstance(summary.outcome, Analysis):
        # Labels would be larger than the faces.
        drawn = annotator.annotate(
            images.decode(summary.thumbnail).frame, summary.outcome, replace(style, labels=False)
        )
        st.image(images.to_rgb(drawn), width=_SHOWN_PX, alt=name, output_format="JPEG")
    else:
        st.markdown(":material/broken_image: Not readable")
    label = name.rpartition("/")[2]
    st.button(
        escape_markdown(label if len(label) <= 24 else f"{label[:20]}…"),
        key=f"image_open_{number}",
        help=escape_markdown(name),
        type="tertiary",
        on_click=_open,
        args=(fingerprint,),
    )


def _open(fingerprint: str) -> None:
    st.session_state[_OPENED] = fingerprint

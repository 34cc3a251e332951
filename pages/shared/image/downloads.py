"""Results of all images for download: a table, JSON, and the annotated images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

import streamlit as st

from core.batch import annotated_paths
from core.drawing import annotator
from core.errors import ImageError
from core.io import export, images
from core.io.archive import write_archive
from core.io.export import Outcome
from core.io.report import ReportImage, html_report
from core.settings import OverlayStyle
from core.types import Analysis
from pages.shared.downloads import ICON, offer_file
from pages.shared.image.analysis import Frame, card_numbers, decode_file
from pages.shared.image.files import ImageFile
from pages.shared.sidebar import PageSettings

ANNOTATED_SIDE_PX = 1600
"""Longer side of the images in the ZIP file, so that hundreds fit into memory."""


def offer_downloads(files: Sequence[ImageFile], outcomes: Sequence[Outcome], settings: PageSettings) -> None:
    """Draw the buttons that save all results."""
    networks = settings.networks.choice.for_attributes(settings.attributes)
    named = [(file.name, outcome) for file, outcome in zip(files, outcomes, strict=True)]
    rows = [row for name, outcome in named for row in export.file_rows(name, outcome)]
    results = [export.file_object(name, outcome, networks) for name, outcome in named]
    st.download_button(
        "All faces (CSV)",
        # With a byte order mark, without which Excel garbles file names such as Zoë.jpg.
        export.to_csv(rows, export.FILE_COLUMNS).encode("utf-8-sig"),
        "faces.csv",
        "text/csv",
        key="image_csv",
        on_click="ignore",
        icon=ICON,
    )
    st.download_button(
        "All results (JSON)",
        json.dumps(results, indent=2, ensure_ascii=False),
        "faces.json",
        "application/json",
        key="image_json",
        on_click="ignore",
        icon=ICON,
    )
    if len(files) > 1:
        offer_file(
            "Annotated images (ZIP)",
            partial(annotated_zip, files, outcomes, settings.style),
            "annotated.zip",
            "application/zip",
            key="image_zip",
            help=f"JPEG, at most {ANNOTATED_SIDE_PX} pixels wide or high. Hundreds of images take a minute.",
        )
    # Two buttons, not a toggle: a click right after the toggle's would get the report of before.
    for label, key, with_pictures in (
        ("Report (HTML)", "image_report", False),
        ("Report with pictures (HTML)", "image_report_pictures", True),
    ):
        offer_file(
            label,
            partial(report, files, outcomes, settings, with_pictures),
            "report.html",
            "text/html",
            key=key,
            icon=":material/description:",
        )


def report(
    files: Sequence[ImageFile], outcomes: Sequence[Outcome], settings: PageSettings, with_pictures: bool
) -> bytes:
    """Return one HTML file with the answers about all images."""
    images_of = []
    for file, outcome in zip(files, outcomes, strict=True):
        drawn = _annotate(file, outcome, settings.style) if with_pictures else None
        images_of.append(ReportImage(file.name, outcome, b"" if drawn is None else images.encode_jpeg(drawn)))
    networks = settings.networks.choice.for_attributes(settings.attributes)
    return html_report(images_of, settings.detector_name, networks).encode()


def annotated_zip(files: Sequence[ImageFile], outcomes: Sequence[Outcome], style: OverlayStyle) -> bytes:
    """Return a ZIP file with the annotated copies of all images that could be analyzed."""

    def annotated() -> Iterator[tuple[str, bytes]]:
        names = annotated_paths(PurePosixPath(file.name) for file in files)
        for file, outcome, name in zip(files, outcomes, names, strict=True):
            drawn = _annotate(file, outcome, style)
            if drawn is not None:
                yield str(name), images.encode_jpeg(drawn)

    return write_archive(annotated())


def _annotate(file: ImageFile, outcome: Outcome, style: OverlayStyle) -> Frame | None:
    """Return the annotated copy of an image, or ``None`` if it could not be analyzed."""
    picture = decode_file(file) if isinstance(outcome, Analysis) else None
    if picture is None or isinstance(picture, ImageError) or not isinstance(outcome, Analysis):
        return None
    frame = images.fit(picture.frame, ANNOTATED_SIDE_PX)
    return annotator.annotate(frame, outcome, style, numbers=card_numbers(outcome), legend=True)

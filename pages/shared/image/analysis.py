"""Uploaded file -> result, remembered by the session for as long as nothing that matters changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import AlignmentSpec
from core.attributes.alignment import align_faces
from core.drawing import annotator
from core.errors import ImageError
from core.io import images
from core.settings import Attributes, OverlayStyle
from core.types import Analysis
from pages.shared.image.cache import RESULTS, remembered
from pages.shared.image.inputs import MAX_FILES, ImageSettings, PictureFile

PREVIEW_SIDE_PX = 1024
THUMBNAIL_PX = 128
MAX_CARDS = 12
"""Faces of one picture that get a card; a table lists all of them."""

_THUMBNAIL_CROP = AlignmentSpec(scale=1.5)

Frame = NDArray[np.uint8]


class Analyzer(Protocol):
    def analyze(self, frame: Frame, attributes: Attributes = ...) -> Analysis: ...


@dataclass(frozen=True)
class ImageResult:
    """What the page needs of one picture. Not the picture itself, which may take 120 MB: ``preview`` is a
    copy of at most ``PREVIEW_SIDE_PX``, ``thumbnails`` are (N, h, w, 3) for the first ``MAX_CARDS`` faces;
    all uint8 BGR.
    """

    name: str
    analysis: Analysis
    preview: Frame
    thumbnails: Frame


def analyzed(file: PictureFile, picture: str, analyzer: Analyzer, settings: ImageSettings) -> ImageResult | ImageError:
    """The remembered result, or a new one. A file that is no usable picture gives its error back, so that the
    others are still analysed; other errors are raised. ``picture`` is the file's fingerprint."""
    detector, networks = (settings.detector, settings.detector_name), settings.networks.choice
    key = (picture, file.name, *detector, networks, settings.attributes)
    return remembered(
        RESULTS, key, lambda: _analyze(file.name, file.getvalue(), analyzer, settings.attributes), MAX_FILES
    )


def _analyze(name: str, data: bytes, analyzer: Analyzer, attributes: Attributes) -> ImageResult | ImageError:
    try:
        frame = images.decode(data, name=name)
    except ImageError as error:
        # A copy: the one that was raised holds on to the file's bytes by its traceback and its cause.
        return type(error)(*error.args)
    analysis = analyzer.analyze(frame, attributes)
    shown = [face.detection for face in analysis.faces[:MAX_CARDS]]
    thumbnails = align_faces(frame, shown, _THUMBNAIL_CROP, THUMBNAIL_PX, channels=3).crops
    return ImageResult(name, analysis, images.fit(frame, PREVIEW_SIDE_PX), thumbnails)


def annotated_png(file: PictureFile, analysis: Analysis, style: OverlayStyle) -> bytes:
    """The picture at its full size with the results drawn on it, as PNG file contents."""
    frame = images.decode(file.getvalue(), name=file.name)
    return images.encode_png(annotator.annotate(frame, analysis, style, numbers=card_numbers(analysis)))


def card_numbers(analysis: Analysis) -> list[int | None]:
    """Return the numbers of the faces' cards, to be written beside several faces."""
    return [None] if len(analysis.faces) == 1 else list(range(1, len(analysis.faces) + 1))

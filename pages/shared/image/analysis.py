"""Analyze an uploaded file; the session caches the result until the file or a setting changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import AlignmentSpec
from core.attributes.alignment import align_faces
from core.drawing import annotator
from core.drawing.zoom import zoom_to
from core.errors import ImageError
from core.io import images
from core.settings import Attributes, OverlayStyle
from core.types import Analysis
from core.video.session import FrameAnalyzer
from pages.shared.image.cache import RESULTS, VIEWS, cached
from pages.shared.image.files import ImageFile
from pages.shared.sidebar import PageSettings

PREVIEW_SIDE_PX = 1024
THUMBNAIL_PX = 128
MAX_RESULTS = 8
"""Images whose full results the session caches, up to 5 MB each."""
MAX_VIEWS = 2
ZOOM_HEIGHTS = 3.0
"""Height of a zoomed view, in heights of the face."""
MAX_CARDS = 12
"""Faces per image that get a card; the table lists all of them."""

_THUMBNAIL_CROP = AlignmentSpec(scale=1.5)

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class ImageResult:
    """What the page keeps of one image, which itself may take 150 MB. All pixels are uint8 BGR: ``preview`` is a copy
    with sides of at most ``PREVIEW_SIDE_PX``, ``thumbnails`` (N, h, w, 3) show the first ``MAX_CARDS`` faces."""

    name: str
    analysis: Analysis
    preview: Frame
    thumbnails: Frame


def analyze_file(
    file: ImageFile, fingerprint: str, analyzer: FrameAnalyzer, settings: PageSettings
) -> ImageResult | ImageError:
    """Return the cached or a new result.

    An ``ImageError`` is returned, so that the other files are still analyzed; other errors are raised.
    """
    key = cache_key(file, fingerprint, settings)
    return cached(RESULTS, key, lambda: _analyze(file, analyzer, settings.attributes), MAX_RESULTS)


def cache_key(file: ImageFile, fingerprint: str, settings: PageSettings) -> tuple[Any, ...]:
    """Return what a result depends on."""
    detector, networks = (settings.detector, settings.detector_name), settings.networks.choice
    return (fingerprint, file.name, *detector, networks, settings.attributes)


def decode_file(file: ImageFile) -> images.Picture | ImageError:
    """Decode a file. An ``ImageError`` is returned, and holds nothing but its message."""
    try:
        return images.decode(file.getvalue(), name=file.name)
    except ImageError as error:
        # A copy, because the traceback and cause of the original keep the file's bytes in memory.
        return type(error)(*error.args)


def _analyze(file: ImageFile, analyzer: FrameAnalyzer, attributes: Attributes) -> ImageResult | ImageError:
    picture = decode_file(file)
    if isinstance(picture, ImageError):
        return picture
    analysis = analyzer.analyze(picture.frame, attributes)
    shown = [face.detection for face in analysis.faces[:MAX_CARDS]]
    thumbnails = align_faces(picture.frame, shown, _THUMBNAIL_CROP, THUMBNAIL_PX, channels=3).crops
    thumbnails = np.rot90(thumbnails, -analysis.rotation // 90, axes=(1, 2))
    preview = images.fit(picture.frame, PREVIEW_SIDE_PX)
    return ImageResult(file.name, analysis.resized(picture.resolution_wh), preview, thumbnails)


def zoomed(file: ImageFile, fingerprint: str, analysis: Analysis, row: int) -> tuple[Frame, Analysis, tuple[int, ...]]:
    """Return the surroundings of a face in the picture's own detail; see ``core.drawing.zoom.zoom_to``."""
    box = analysis.faces[row].box

    def make() -> tuple[Frame, Analysis, tuple[int, ...]]:
        frame = images.decode(file.getvalue(), name=file.name).frame
        return zoom_to(frame, analysis, box, ZOOM_HEIGHTS, PREVIEW_SIDE_PX)

    return cached(VIEWS, (fingerprint, box, len(analysis.faces)), make, MAX_VIEWS)


def annotated_png(file: ImageFile, analysis: Analysis, style: OverlayStyle) -> bytes:
    """Return the annotated image, at the size at which it was decoded, as PNG file contents."""
    frame = images.decode(file.getvalue(), name=file.name).frame
    return images.encode_png(annotator.annotate(frame, analysis, style, numbers=card_numbers(analysis), legend=True))


def card_numbers(analysis: Analysis) -> list[int | None]:
    """Return the numbers of the faces' cards, to be written beside several faces."""
    return [None] if len(analysis.faces) == 1 else list(range(1, len(analysis.faces) + 1))

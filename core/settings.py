"""All settings and their defaults: frozen dataclasses; a variant is ``dataclasses.replace``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields

from core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits of image files, checked before decoding.

    ``max_pixels`` bounds a decoded frame: 3 bytes per pixel, and while it is decoded up to 15 (measured: JPEG and HEIC
    8, AVIF 10, WebP 15), so 0.75 GB. JPEGs may have ``max_jpeg_pixels`` unless they are progressive: those above
    ``max_pixels`` are decoded at a half, a quarter or an eighth of their size, whichever fits first.
    """

    max_bytes: int = 40 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_jpeg_pixels: int = 200_000_000


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits of ZIP files, checked before anything is unpacked: bytes as packed, entries, images, bytes unpacked."""

    max_bytes: int = 200 * 1024 * 1024
    max_entries: int = 5_000
    max_images: int = 500
    max_unpacked_bytes: int = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """Settings of a detector.

    ``sensitivity``, in [0, 1], trades missed faces (0) against false positives (1). Frames are scaled down to a longer
    side of at most ``max_side_px``, for Facet's detector ``detail_side_px``. Faces need ``min_face_px`` pixels of the
    frame, and with Facet's detector ``min_searched_px`` of the copy that is searched; with Haar and YuNet also
    ``min_face_share`` of the frame's longer side, because their smaller detections are mostly false, while
    ``always_face_px`` are enough in any frame. ``any_orientation``: a photograph without a sure face is searched the
    other three ways up too. Facet's detector looks twice at faces of scores below ``second_look_below``; with
    ``second_look_only_confirms`` that never raises a score.
    """

    sensitivity: float = 0.5
    min_face_px: int = 12
    min_face_share: float = 0.044
    always_face_px: int = 29
    max_side_px: int = 640
    detail_side_px: int = 1920
    min_searched_px: int = 13
    any_orientation: bool = True
    second_look_below: float = 1.0
    second_look_only_confirms: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.sensitivity <= 1.0:
            raise ConfigError(f"detector sensitivity must be in [0, 1], got {self.sensitivity}")
        if self.min_face_px < 8:
            raise ConfigError(f"min_face_px must be at least 8, got {self.min_face_px}")
        if not 0.0 <= self.min_face_share < 1.0:
            raise ConfigError(f"min_face_share must be in [0, 1), got {self.min_face_share}")
        if self.max_side_px < 64:
            raise ConfigError(f"max_side_px must be at least 64, got {self.max_side_px}")
        if self.detail_side_px < self.max_side_px:
            raise ConfigError(f"detail_side_px must be at least max_side_px, got {self.detail_side_px}")

    def smallest_face_px(self, longest_px: int) -> float:
        """Return the smallest face side, in pixels, for a frame whose longer side is ``longest_px``."""
        return max(self.min_face_px, min(self.min_face_share * longest_px, self.always_face_px))


LIVE_DETECTOR = DetectorSettings(
    min_searched_px=20,
    max_side_px=320,
    detail_side_px=320,
    any_orientation=False,
    second_look_below=0.8,
    second_look_only_confirms=True,
)
"""For webcams, whose faces are near: half the size takes a quarter of the time, and small faces are mostly false.
Second looks only confirm faces in doubt: each false positive would become a person, and smoothing steadies the rest."""


VIDEO_DETECTOR = DetectorSettings(min_searched_px=20, max_side_px=640, detail_side_px=640, any_orientation=False)
"""For video files, whose people are often farther away than before a webcam, and whose analysis may take its time."""


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """Limits of video files. ``max_bytes`` and ``max_duration_s`` hold for uploads; frames are scaled down to a longer
    side of ``frame_side_px``, and annotated videos have at most ``annotated_fps`` frames per second."""

    max_bytes: int = 200 * 1024 * 1024
    max_duration_s: float = 600.0
    max_pixels: int = 8192 * 4320
    frame_side_px: int = 1280
    annotated_fps: float = 30.0


@dataclass(frozen=True, slots=True)
class VideoSampling:
    """The part of a video that is analysed, in seconds of the file, and how many frames per second."""

    fps: float = 5.0
    start_s: float = 0.0
    end_s: float | None = None

    def __post_init__(self) -> None:
        # Fewer would lose track of people who walk, and frames between two samples are kept until they are drawn.
        if not 1.0 <= self.fps <= 30.0:
            raise ConfigError(f"fps must be in [1, 30], got {self.fps:g}")
        if not 0.0 <= self.start_s < (math.inf if self.end_s is None else self.end_s):
            end = "the end of the video" if self.end_s is None else f"{self.end_s:g}"
            raise ConfigError(f"start must be at least 0 and before end, got {self.start_s:g} and {end}")


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Settings of the tracker.

    ``smoothing_s``: time constant of the averages of boxes and attributes, 0 for none. ``max_age_s``: how long a lost
    face keeps its id. ``min_iou``: overlap from which two boxes are the same face.
    """

    smoothing_s: float = 0.5
    max_age_s: float = 1.5
    min_iou: float = 0.2

    def __post_init__(self) -> None:
        if self.smoothing_s < 0 or self.max_age_s <= 0:
            raise ConfigError(f"smoothing_s must be >= 0 and max_age_s > 0, got {self}")
        if not 0.0 < self.min_iou < 1.0:
            raise ConfigError(f"min_iou must be in (0, 1), got {self.min_iou}")


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """How often each face is read: the mean of ``count`` views is the answer, see ``core.attributes.alignment``.

    An image with more than ``max_faces`` faces gets one view per face, because every view takes the same time.
    """

    count: int = 8
    max_faces: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 8:
            raise ConfigError(f"the number of views must be in 1..8, got {self.count}")
        if self.max_faces < 0:
            raise ConfigError(f"max_faces must be at least 0, got {self.max_faces}")

    def count_for(self, faces: int) -> int:
        """Return the number of views per face of an image with that many ``faces``."""
        return self.count if faces <= self.max_faces else 1


ONE_VIEW = ViewSettings(count=1)
"""For video, whose answers are averaged over time."""


def default_views(detector: DetectorSettings) -> ViewSettings:
    """Return several views for photographs, which may lie on their side, and one for video."""
    return ViewSettings() if detector.any_orientation else ONE_VIEW


@dataclass(frozen=True, slots=True)
class Attributes:
    """Which attributes are read, and their confidence thresholds in [0, 1]; ``None`` means the threshold on the model
    card. Attributes that are off cost no time."""

    emotion: bool = True
    age: bool = True
    gender: bool = True
    min_emotion_confidence: float | None = None
    min_gender_confidence: float | None = None

    def __post_init__(self) -> None:
        for name, value in self.min_confidence.items():
            if not 0.0 <= value <= 1.0:
                raise ConfigError(f"min_{name}_confidence must be in [0, 1], got {value}")

    @property
    def min_confidence(self) -> dict[str, float]:
        """The thresholds that are set, by output name as on a model card."""
        chosen = {"emotion": self.min_emotion_confidence, "gender": self.min_gender_confidence}
        return {name: value for name, value in chosen.items() if value is not None}

    @property
    def read(self) -> frozenset[str]:
        """The attributes that are on."""
        return frozenset(name for name in ("emotion", "age", "gender") if getattr(self, name))


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """The network of each attribute: the name of an artifact folder, or ``caffe`` for Caffe files of the user."""

    emotion: str = "emotion"
    age: str = "age_gender"
    gender: str = "age_gender"

    def __post_init__(self) -> None:
        for attribute, name in self.by_attribute.items():
            # Names may come from outside and become part of a path.
            if not re.fullmatch(r"\w[\w.-]*", name):
                raise ConfigError(f"the {attribute} network must be the name of an artifact's folder, got {name!r}")

    @property
    def by_attribute(self) -> dict[str, str]:
        """Attribute -> name of its network."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def for_attributes(self, attributes: Attributes) -> dict[str, str]:
        """Return ``by_attribute`` for the attributes that are on."""
        return {name: network for name, network in self.by_attribute.items() if name in attributes.read}


DEFAULT_NETWORKS = NetworkChoice()


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """How results are drawn: text labels, pixelated faces, the frame flipped left to right."""

    labels: bool = True
    blur_faces: bool = False
    mirror: bool = False


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Bounds of a live session: a history of ``history_s`` seconds and ``history_rows`` rows, sampled at most every
    ``sample_every_s``; rates are measured over ``rate_window_s``."""

    history_s: float = 600.0
    history_rows: int = 20_000
    sample_every_s: float = 0.25
    rate_window_s: float = 3.0

"""What detectors are run on: test sets, and the runs that are made over each of them.

A run is one pass over a set: every image is varied, a detector with a low score threshold is run on it, and what it
finds is kept in pixels of the original image. All metrics at any higher threshold are computed from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.evaluation.detection import variants
from core.evaluation.detection.variants import Image, Variant
from core.settings import LIVE_DETECTOR, DetectorSettings

FACES, GROUPS, PORTRAITS, ROTATED, SHIFTED, CLOSE_UPS, LANDMARKS, NOBODY = (
    "faces",
    "groups",
    "portraits",
    "rotated",
    "shifted",
    "close_ups",
    "landmarks",
    "nobody",
)
"""The test sets. ``rotated`` and ``shifted`` are parts of ``portraits``."""
SET_TITLES: Mapping[str, str] = {
    FACES: "Web images and street scenes",
    GROUPS: "Groups",
    PORTRAITS: "FairFace portraits",
    ROTATED: "FairFace portraits, rotated",
    SHIFTED: "FairFace portraits, shifted",
    CLOSE_UPS: "UTKFace close-ups",
    LANDMARKS: "All-Age-Faces",
    NOBODY: "Images without a person",
}


@dataclass(frozen=True)
class Condition:
    """``longer_side_px`` is what images are resized to; ``None``: they keep their size."""

    name: str
    title: str
    longer_side_px: int | None
    settings: DetectorSettings


@dataclass(frozen=True)
class Run:
    """``vary`` makes the variant of an image, given its position in the set. ``landmarks``: are they kept?
    ``any_way_up``: is an image without a face searched turned by quarters, as the app does with photographs?"""

    name: str
    vary: Callable[[Image, int], Variant]
    live: bool = False
    landmarks: bool = False
    any_way_up: bool = False


ORIGINAL = Condition("as_is", "Original size (256 px)", None, DetectorSettings())
ENLARGED = Condition("enlarged", "Enlarged to 640 px", 640, DetectorSettings())
LIVE = Condition("live", "Enlarged to 640 px, live settings", 640, LIVE_DETECTOR)
CONDITIONS = (ORIGINAL, ENLARGED, LIVE)
ROTATIONS_DEG = (15, 30, 45, 60)
TURNS_DEG = (90, 180, 270)
CLOSE_UPS_PX = (140, 160, 200, 300, 400, 640, 1000, 1400)
MARGIN = 0.5
"""Around a portrait, as a share of its longer side."""
VIDEO_WH = (640, 480)
"""What a camera sends."""
FRAMES_WH = ((256, 256), (320, 240), VIDEO_WH, (1280, 720))
"""Sizes of the frames that are timed."""


def setting(live: bool) -> str:
    """Name the settings of a detector."""
    return "live" if live else "photo"


def rotation_run(degrees: int, live: bool = False) -> str:
    """Name the run over images rotated in the plane by ``degrees``, to either side in turn."""
    return f"rotation_{degrees}_{setting(live)}"


def turn_run(degrees: int) -> str:
    """Name the run over images turned by quarters of a circle."""
    return f"turn_{degrees}"


def close_up_run(side_px: int) -> str:
    """Name the run over close-ups with a longer side of ``side_px``."""
    return f"as_{side_px}_px"


def vary_for(longer_side_px: int | None) -> Callable[[Image, int], Variant]:
    """Return what resizes images for a ``Condition``."""
    return lambda image, _: variants.keep(image) if longer_side_px is None else variants.resize(image, longer_side_px)


def _turn(image: Image, _: int, degrees: int) -> Variant:
    return variants.turn(image, degrees)


def _rotations(settings_live: tuple[bool, ...]) -> tuple[Run, ...]:
    def vary(image: Image, index: int, degrees: int) -> Variant:
        return variants.rotate(image, degrees if index % 2 == 0 else -degrees)

    return tuple(
        Run(rotation_run(degrees, live), partial(vary, degrees=degrees), live)
        for live in settings_live
        for degrees in ROTATIONS_DEG
    )


def _shifts() -> dict[str, Callable[[Image, int], Variant]]:
    """Shifts of 0 to 8 pixels all round the compass, scales from 0.75 to 1.5, and the mirror image."""

    def move(image: Image, _: int, length_px: int) -> Variant:
        angle = length_px * 2.4
        return variants.shift(image, round(length_px * float(np.cos(angle))), round(length_px * float(np.sin(angle))))

    def scale(image: Image, _: int, factor: float) -> Variant:
        return variants.zoom(image, factor)

    moves = {f"shift_{length_px}": partial(move, length_px=length_px) for length_px in range(9)}
    scales = {f"scale_{factor}": partial(scale, factor=factor) for factor in (0.75, 0.9, 1.2, 1.5)}
    return moves | scales | {"mirror": lambda image, _: variants.mirror(image)}


_KEEP = vary_for(None)
RUNS: Mapping[str, tuple[Run, ...]] = {
    FACES: (
        *(
            Run(condition.name, vary_for(condition.longer_side_px), condition.settings == LIVE_DETECTOR, landmarks=True)
            for condition in CONDITIONS
        ),
        *_rotations((False,)),
    ),
    GROUPS: (Run("as_is", _KEEP),),
    PORTRAITS: (Run("as_is", _KEEP), Run("margin", lambda image, _: variants.pad(image, MARGIN))),
    ROTATED: (
        *_rotations((False, True)),
        *(Run(turn_run(degrees), partial(_turn, degrees=degrees), any_way_up=True) for degrees in TURNS_DEG),
    ),
    SHIFTED: tuple(
        Run(f"{name}_{setting(live)}", vary, live, landmarks=True)
        for live in (False, True)
        for name, vary in _shifts().items()
    ),
    CLOSE_UPS: tuple(Run(close_up_run(side_px), vary_for(side_px)) for side_px in CLOSE_UPS_PX),
    LANDMARKS: tuple(Run(setting(live), _KEEP, live, landmarks=True) for live in (False, True)),
    NOBODY: (Run("as_is", _KEEP, any_way_up=True),),
}
"""Test set -> the runs over it."""

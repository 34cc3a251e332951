"""What a detector is run on: the photographs in two sizes, with the settings of photos and of live video, many in one
picture, and tilted.

A run is one pass over the photographs. Its name is that of the setup; ``<setup>_loose`` is the same at the loosest
sensitivity, for the curve; ``tilt_<degrees>`` is ``AS_IS`` with every photograph turned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.settings import LIVE_DETECTOR, DetectorSettings


@dataclass(frozen=True)
class Setup:
    """``longest_side_px`` is what the photographs are enlarged to, ``None`` leaves them as they are; a picture shows
    ``a_row`` of them in each of as many rows, as a photograph of many people shows their faces."""

    name: str
    title: str
    longest_side_px: int | None
    settings: DetectorSettings
    curve: bool
    a_row: int = 1

    @property
    def loose(self) -> DetectorSettings:
        return replace(self.settings, sensitivity=1.0)


AS_IS = Setup("as_is", "As they are (256 px)", None, DetectorSettings(), curve=True)
ENLARGED = Setup("enlarged", "Enlarged to 640 px", 640, DetectorSettings(), curve=True)
LIVE = Setup("live", "Enlarged, settings for live video", 640, LIVE_DETECTOR, curve=False)
CROWD = Setup("crowd", "64 in one picture (2,048 px)", None, DetectorSettings(), curve=False, a_row=8)
SETUPS = (AS_IS, ENLARGED, LIVE, CROWD)
TILTS_DEG = (15, 30, 45)
VIDEO_WH = (640, 480)
"""What a camera sends."""
FRAMES_WH = ((256, 256), (320, 240), VIDEO_WH, (1280, 720))
"""Sizes of the frames that are timed."""


def loose_run(setup: str) -> str:
    return f"{setup}_loose"


def tilt_run(degrees: int) -> str:
    return f"tilt_{degrees}"


def tilt_matrix(
    resolution_wh: tuple[int, int], degrees: float, index: int
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """(2, 3) matrix that turns a picture about its centre, and the size of the canvas that holds all of it.

    Photographs with even ``index`` turn clockwise, odd ones against the clock. Coordinates are half-open, as in
    ``core.types``: pixel i covers [i, i + 1).
    """
    angle = np.deg2rad(degrees if index % 2 == 0 else -degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Rounded first: without a turn the sines' last bits must not add a column.
    canvas = np.ceil((np.abs(turn) @ np.array(resolution_wh, np.float64)).round(6))
    offset = canvas / 2 - turn @ (np.array(resolution_wh) / 2)
    return np.column_stack([turn, offset]), (int(canvas[0]), int(canvas[1]))


def tilted_points(
    points: NDArray[np.float64], resolution_wh: tuple[int, int], degrees: float, index: int
) -> NDArray[np.float64]:
    """(..., 2) points of photograph ``index`` in the pixels of its turned copy."""
    matrix, _ = tilt_matrix(resolution_wh, degrees, index)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])

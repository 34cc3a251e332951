"""What a detector is run on: images in two sizes, with the settings of photos and of live video, and rotated.

A run is one pass over the images. Its name is that of the condition; ``<condition>_loose`` is the same at the highest
sensitivity, for the recall curve; ``tilt_<degrees>`` is ``ORIGINAL`` with every image rotated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.settings import LIVE_DETECTOR, DetectorSettings


@dataclass(frozen=True)
class Condition:
    """``longer_side_px`` is what images are resized to (``None``: their own size); ``curve``: is a recall curve
    measured?"""

    name: str
    title: str
    longer_side_px: int | None
    settings: DetectorSettings
    curve: bool

    @property
    def low_threshold_settings(self) -> DetectorSettings:
        return replace(self.settings, sensitivity=1.0)


ORIGINAL = Condition("as_is", "Original size (256 px)", None, DetectorSettings(), curve=True)
ENLARGED = Condition("enlarged", "Enlarged to 640 px", 640, DetectorSettings(), curve=True)
LIVE = Condition("live", "Enlarged to 640 px, live settings", 640, LIVE_DETECTOR, curve=False)
CONDITIONS = (ORIGINAL, ENLARGED, LIVE)
ROTATIONS_DEG = (15, 30, 45)
VIDEO_WH = (640, 480)
"""What a camera sends."""
FRAMES_WH = ((256, 256), (320, 240), VIDEO_WH, (1280, 720))
"""Sizes of the frames that are timed."""


def low_threshold_run(condition: str) -> str:
    return f"{condition}_loose"


def rotation_run(degrees: int) -> str:
    return f"tilt_{degrees}"


def rotation_matrix(
    resolution_wh: tuple[int, int], degrees: float, index: int
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Compute the (2, 3) matrix that rotates an image about its centre, and the size of the canvas that holds it all.

    Images with an even ``index`` rotate clockwise, odd ones counter-clockwise. Coordinates are half-open, as in
    ``core.types``: pixel i covers [i, i + 1).
    """
    angle = np.deg2rad(degrees if index % 2 == 0 else -degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Rounded first: at 0 degrees the last bits of the sines must not add a column.
    canvas = np.ceil((np.abs(rotation) @ np.array(resolution_wh, np.float64)).round(6))
    offset = canvas / 2 - rotation @ (np.array(resolution_wh) / 2)
    return np.column_stack([rotation, offset]), (int(canvas[0]), int(canvas[1]))


def rotate_points(
    points: NDArray[np.float64], resolution_wh: tuple[int, int], degrees: float, index: int
) -> NDArray[np.float64]:
    """Convert points (..., 2) of image ``index`` to pixels of its rotated copy."""
    matrix, _ = rotation_matrix(resolution_wh, degrees, index)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])

"""A clip for visitors without a camera: the two sample portraits, filmed by a window that moves over them."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.io.images import read_file
from pages.shared.samples import ASTRONAUT, GRACE_HOPPER

FPS = 15
CLIP_WH = (640, 480)
_PERIOD_S = 16.0


def clip_frame(time_s: float) -> NDArray[np.uint8]:
    """Return the (480, 640, 3) uint8 BGR frame at ``time_s``; the clip repeats after 16 seconds."""
    portraits, (width, height) = _portraits(), CLIP_WH
    phase = 2 * math.pi * time_s / _PERIOD_S
    left = round((portraits.shape[1] - width) * (1 - math.cos(phase)) / 2)
    top = round((portraits.shape[0] - height) * (1 + math.sin(2 * phase)) / 2)
    return portraits[top : top + height, left : left + width]


@lru_cache(maxsize=1)
def _portraits() -> NDArray[np.uint8]:
    """Return the portraits side by side, (512, 1024, 3)."""
    frames = [read_file(path).frame for path in (ASTRONAUT, GRACE_HOPPER)]
    height = min(frame.shape[0] for frame in frames)
    return np.concatenate([frame[:height] for frame in frames], axis=1)

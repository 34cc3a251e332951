"""Views of a part of a frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.drawing.zoom import zoom_to
from core.types import Analysis, Box, Detection, Face, Landmarks

POINTS = Landmarks((110, 60), (130, 60), (120, 70), (112, 80), (128, 80))
NEAR = Face(Detection(Box(100, 40, 140, 90), 0.9, POINTS))
FAR = Face(Detection(Box(390, 290, 398, 298), 0.9))
ANALYSIS = Analysis(400, 300, (NEAR, FAR))


def frame_with_box(width: int, height: int) -> np.ndarray:
    frame = np.zeros((height, width, 3), np.uint8)
    scale = width // ANALYSIS.width
    frame[40 * scale : 90 * scale, 100 * scale : 140 * scale] = 255
    return frame


@pytest.mark.parametrize("enlarged", [1, 2], ids=["same size", "larger frame"])
def test_box_and_landmarks_move_with_the_pixels(enlarged: int) -> None:
    view, shown, rows = zoom_to(frame_with_box(400 * enlarged, 300 * enlarged), ANALYSIS, NEAR.box, 2.0, 800)
    assert view.shape == (600, 800, 3)
    assert (shown.width, shown.height, rows) == (800, 600, (0,))
    x1, y1, x2, y2 = np.round(shown.faces[0].box.xyxy).astype(int)
    assert (view[y1 + 8 : y2 - 8, x1 + 8 : x2 - 8] == 255).all()
    assert view[:, : x1 - 8].max() == view[:, x2 + 8 :].max() == 0
    left, top = shown.faces[0].detection.landmarks.left_eye
    assert ((left - x1) / (x2 - x1), (top - y1) / (y2 - y1)) == pytest.approx((0.25, 0.4), abs=0.02)


def test_a_view_stays_inside_the_frame() -> None:
    view, shown, rows = zoom_to(frame_with_box(400, 300), ANALYSIS, FAR.box, 2.0, 320)
    assert view.shape == (240, 320, 3)
    assert rows == (1,)
    assert 0 < shown.faces[0].box.x1 < shown.faces[0].box.x2 <= 320.5


def test_a_view_larger_than_the_frame_is_the_frame() -> None:
    tall = replace(ANALYSIS, width=400, height=300)
    view, _, rows = zoom_to(frame_with_box(400, 300), tall, NEAR.box, 100, 400)
    assert view.shape == (300, 400, 3)
    assert rows == (0, 1)

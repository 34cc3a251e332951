from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.detection.base import FaceArrays
from core.evaluation.detection import variants
from core.evaluation.detection.conditions import CLOSE_UPS_PX, FRAMES_WH, RUNS
from core.evaluation.detection.variants import Image, Variant

X, Y, SIDE = 120, 60, 24


def spot() -> Image:
    """200 x 160 with a bright square of 24 px around (120, 60)."""
    image = np.zeros((160, 200, 3), np.uint8)
    image[Y - SIDE // 2 : Y + SIDE // 2, X - SIDE // 2 : X + SIDE // 2] = 255
    return image


def find_spot(image: Image) -> FaceArrays:
    """A box around bright pixels; landmarks at its left, right, middle, lower left and lower right."""
    rows, columns = np.nonzero(image[..., 0] > 127)
    x1, x2, y1, y2 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    five = np.array([[[x1, y], [x2, y], [x, y], [x1, y2], [x2, y2]]], np.float64)
    return FaceArrays(np.array([[x1, y1, x2, y2]], np.float64), np.ones(1), five)


@pytest.mark.parametrize(
    "vary",
    [
        variants.keep,
        lambda image: variants.resize(image, 640),
        lambda image: variants.zoom(image, 0.75),
        lambda image: variants.pad(image, 0.5),
        lambda image: variants.shift(image, -7, 3),
        lambda image: variants.turn(image, 90),
        lambda image: variants.turn(image, 180),
        lambda image: variants.turn(image, 270),
        lambda image: variants.rotate(image, 90),
        variants.mirror,
    ],
    ids=["keep", "resize", "zoom", "pad", "shift", "90", "180", "270", "rotate", "mirror"],
)
def test_boxes_come_back_to_the_original(vary: Callable[[Image], Variant]) -> None:
    variant = vary(spot())
    faces = variant.to_original(find_spot(variant.image))
    assert faces.xyxy[0] == pytest.approx(find_spot(spot()).xyxy[0], abs=1)


def test_mirrored_landmarks_keep_the_viewers_sides() -> None:
    variant = variants.mirror(spot())
    faces = variant.to_original(find_spot(variant.image))
    assert faces.landmarks[0] == pytest.approx(find_spot(spot()).landmarks[0])


def test_turned_landmarks_turn_back() -> None:
    # A quarter clockwise: what is found at the left was below.
    variant = variants.turn(spot(), 90)
    faces = variant.to_original(find_spot(variant.image))
    assert faces.landmarks[0, 0] == pytest.approx([X, Y + SIDE / 2])


@pytest.mark.parametrize("degrees", [30, -45, 60])
def test_rotated_boxes_keep_their_centre_and_area(degrees: int) -> None:
    variant = variants.rotate(spot(), degrees)
    found = find_spot(variant.image)
    faces = variant.to_original(found)
    assert faces.landmarks[0, 2] == pytest.approx([X, Y], abs=1)
    assert faces.sizes() == pytest.approx(found.sizes())


def test_rotation_is_clockwise_and_keeps_everything_on_the_canvas() -> None:
    image = np.full((160, 200, 3), 255, np.uint8)
    assert variants.rotate(image, 90).image.shape == (200, 160, 3)
    assert variants.rotate(image, 45).image.astype(bool)[..., 0].sum() == pytest.approx(160 * 200, rel=0.02)
    right = variants.rotate(image, 90).matrix @ [200.0, 80.0, 1.0]
    assert right == pytest.approx([80.0, 200.0])  # Down is positive: clockwise moves the right edge down.
    assert np.array_equal(variants.rotate(spot(), 0).image, spot())


@pytest.mark.parametrize("frame_wh", FRAMES_WH)
def test_frames_are_filled(frame_wh: tuple[int, int]) -> None:
    frame = variants.fill_frame(np.full((160, 200, 3), 9, np.uint8), frame_wh)
    assert frame.shape == (frame_wh[1], frame_wh[0], 3)
    assert (frame == 9).all()


def test_every_run_varies_an_image_and_has_a_name_of_its_own() -> None:
    for runs in RUNS.values():
        assert len({run.name for run in runs}) == len(runs)
        for run in runs:
            assert run.vary(spot(), 0).image.dtype == np.uint8
    sides = [max(run.vary(spot(), 0).image.shape) for run in RUNS["close_ups"]]
    assert sides == list(CLOSE_UPS_PX)
    even, odd = (RUNS["rotated"][0].vary(spot(), index).matrix[0, 1] for index in (0, 1))
    assert even == -odd != 0

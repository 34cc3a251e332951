import cv2
import numpy as np
import pytest

from core.artifact import CropSpec
from core.crops import crop_faces
from core.types import Box


def gradient(height=120, width=160):
    ys, xs = np.mgrid[:height, :width]
    return np.stack([xs, ys, np.zeros_like(xs)], axis=2).astype(np.uint8)


def test_a_box_of_the_crop_size_is_copied_exactly():
    frame = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    crop = crop_faces(frame, [Box(20, 30, 68, 78)], CropSpec(1.0), 48, 3)
    assert np.array_equal(crop[0], frame[30:78, 20:68])


def test_one_channel_is_the_grey_of_three():
    frame = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    grey = crop_faces(frame, [Box(20, 30, 68, 78)], CropSpec(1.0), 48, 1)
    assert grey.shape == (1, 48, 48, 1)
    assert np.array_equal(grey[0, ..., 0], cv2.cvtColor(frame[30:78, 20:68], cv2.COLOR_BGR2GRAY))


@pytest.mark.parametrize(
    ("spec", "center"),
    [(CropSpec(1.0), (60, 50)), (CropSpec(1.5), (60, 50)), (CropSpec(1.0, 0.25), (60, 60))],
    ids=["plain", "wider", "lower"],
)
def test_the_crop_is_centred_where_the_spec_says(spec, center):
    crop = crop_faces(gradient(), [Box(40, 30, 80, 70)], spec, 32, 3)[0].astype(float)
    assert crop[..., 0].mean() + 0.5 == pytest.approx(center[0], abs=0.6)
    assert crop[..., 1].mean() + 0.5 == pytest.approx(center[1], abs=0.6)
    assert np.ptp(crop[..., 0]) == pytest.approx(40 * spec.scale * 31 / 32, abs=1.5)


def test_an_oblong_box_gives_a_square_of_its_longer_side():
    crop = crop_faces(gradient(), [Box(60, 20, 80, 60)], CropSpec(1.0), 40, 3)[0].astype(int)
    assert np.ptp(crop[..., 0]) == np.ptp(crop[..., 1]) == 39


def test_a_large_face_is_averaged_not_picked():
    frame = np.zeros((512, 512, 3), np.uint8)
    frame[::2, ::2] = 255
    crop = crop_faces(frame, [Box(0, 0, 512, 512)], CropSpec(1.0), 32, 1)[0]
    assert np.ptp(crop.astype(int)) <= 3
    assert crop.mean() == pytest.approx(255 / 4, abs=3)


def test_outside_the_frame_repeats_the_border():
    frame = np.full((50, 50, 3), 7, np.uint8)
    assert (crop_faces(frame, [Box(-40, -40, 30, 30)], CropSpec(2.0), 24, 3) == 7).all()


def test_no_boxes_give_an_empty_batch():
    assert crop_faces(gradient(), [], CropSpec(1.0), 48, 1).shape == (0, 48, 48, 1)


def test_the_frame_is_not_changed():
    frame = gradient()
    before = frame.copy()
    crop_faces(frame, [Box(0, 0, 30, 30)], CropSpec(1.4), 48, 3)
    assert np.array_equal(frame, before)


def test_other_channel_counts_are_refused():
    with pytest.raises(ValueError, match="channels"):
        crop_faces(gradient(), [], CropSpec(1.0), 48, 2)

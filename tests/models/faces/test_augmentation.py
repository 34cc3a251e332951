from dataclasses import replace

import cv2
import numpy as np

from models.faces.augmentation import FaceAugmentation, aligned_crop, augment_face, plain_crop
from models.faces.packing import FACE_PX, MARGIN_PX, REFERENCE, SIDE

POINTS = (REFERENCE * FACE_PX + MARGIN_PX).astype(np.float32)
NOISE = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
IMAGE = cv2.resize(NOISE, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
NONE = FaceAugmentation(
    *(0.0,) * 9, dark_probability=0, grey_probability=0, cover_probability=0, corruption_probability=0
)


def test_without_changes_a_crop_is_the_plain_one_or_its_mirror_image():
    plain = plain_crop(IMAGE, FACE_PX).astype(int)
    drawn = [augment_face(IMAGE, POINTS, FACE_PX, NONE, np.random.default_rng(seed)).astype(int) for seed in range(8)]
    mirrored = [bool(np.abs(crop - plain).mean() > 5) for crop in drawn]
    assert len(set(mirrored)) == 2
    for crop, is_mirrored in zip(drawn, mirrored, strict=True):
        assert np.abs((crop[:, ::-1] if is_mirrored else crop) - plain).mean() < 3


def test_landmarks_move_the_crop():
    moved = aligned_crop(IMAGE, POINTS + 6, 96)
    expected = cv2.warpAffine(
        IMAGE, np.array([[1, 0, -6], [0, 1, -6.0]]), (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE
    )
    assert np.abs(moved.astype(int) - aligned_crop(expected, POINTS, 96)).mean() < 1


def test_the_same_generator_gives_the_same_crop_and_the_packed_face_stays():
    before = IMAGE.copy()
    settings = replace(FaceAugmentation(), cover_probability=1, corruption_probability=1)
    unknown = np.full((5, 2), np.nan, np.float32)
    for seed in range(40):
        crops = [augment_face(IMAGE, unknown, 112, settings, np.random.default_rng(seed)) for _ in range(2)]
        np.testing.assert_array_equal(*crops)
        assert crops[0].shape == (112, 112, 3)
    np.testing.assert_array_equal(IMAGE, before)

import cv2
import numpy as np
import pytest

from core.datasets.near_duplicates import groups_of, near_duplicate_pairs


def scene(seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    return cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC)


def jpeg(image, quality=40):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


CHANGES = {
    "same": lambda image: image,
    "jpeg": jpeg,
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=0.8, beta=30),
    "resampled": lambda image: cv2.resize(cv2.resize(image, (40, 40), interpolation=cv2.INTER_AREA), (96, 96)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_is_found_among_others(change):
    images = np.stack([scene(0), scene(1), scene(2), change(scene(1))])[..., None]
    assert near_duplicate_pairs(images).tolist() == [[1, 3]]


def test_different_pictures_are_no_pairs():
    images = np.stack([scene(seed) for seed in range(40)])[..., None]
    assert near_duplicate_pairs(images).shape == (0, 2)


def test_colour_images_work():
    images = np.stack([scene(0), scene(0), scene(1)])[..., None].repeat(3, axis=3)
    assert near_duplicate_pairs(images).tolist() == [[0, 1]]


def test_groups_join_chains():
    groups = groups_of(np.array([[0, 2], [2, 4], [1, 5]]), 6)
    assert len({int(groups[i]) for i in (0, 2, 4)}) == 1
    assert groups[1] == groups[5]
    assert len(set(groups.tolist())) == 3


def test_no_pairs_leave_everybody_alone():
    assert len(set(groups_of(np.empty((0, 2), np.int64), 3).tolist())) == 3

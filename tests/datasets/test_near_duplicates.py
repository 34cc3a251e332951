import cv2
import numpy as np
import pytest

from core.datasets.near_duplicates import (
    MAX_DISTANCE,
    MIN_CORRELATION,
    group_pairs,
    near_duplicate_pairs,
    perceptual_hashes,
)


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


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_is_found_among_others(change, channels):
    images = np.stack([scene(0), scene(1), scene(2), change(scene(1))])[..., None].repeat(channels, axis=3)
    assert near_duplicate_pairs(images).tolist() == [[1, 3]]


def test_different_pictures_are_no_pairs():
    images = np.stack([scene(seed) for seed in range(40)])[..., None]
    assert near_duplicate_pairs(images).shape == (0, 2)


def from_frequencies(low):
    """The picture with these (8, 8) lowest frequencies."""
    frequencies = np.zeros((32, 32), np.float32)
    frequencies[:8, :8] = low
    return np.clip(cv2.idct(frequencies) + 128, 0, 255).astype(np.uint8)[..., None]


def test_the_same_signs_of_frequencies_are_not_enough():
    rng = np.random.default_rng(0)
    signs = np.sign(rng.normal(size=(8, 8)))
    images = np.stack([from_frequencies(signs * rng.gamma(0.3, 150, (8, 8))) for _ in range(2)])
    first, second = perceptual_hashes(images)
    assert np.bitwise_count(first ^ second) <= MAX_DISTANCE
    assert near_duplicate_pairs(images).tolist() == []


def test_the_same_coarse_picture_is_not_enough():
    rng = np.random.default_rng(0)
    details = rng.normal(0, 30, (2, 8, 8))
    details[:, 0, 1] = 1200
    images = np.stack([from_frequencies(low) for low in details])
    assert np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1] > MIN_CORRELATION
    assert near_duplicate_pairs(images).tolist() == []


def test_groups_join_chains():
    groups = group_pairs(np.array([[0, 2], [2, 4], [1, 5]]), 6)
    assert len({int(groups[i]) for i in (0, 2, 4)}) == 1
    assert groups[1] == groups[5]
    assert len(set(groups.tolist())) == 3
    assert len(set(group_pairs(np.empty((0, 2), np.int64), 3).tolist())) == 3

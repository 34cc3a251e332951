import cv2
import numpy as np
import pytest
import skimage.data

from models.corruptions import CORRUPTIONS, SEVERITIES, TRAINING_CORRUPTIONS, corrupt, occlusions

POINTS = ((0.32, 0.38), (0.68, 0.38), (0.5, 0.6), (0.36, 0.75), (0.64, 0.75))
SUITE = CORRUPTIONS | occlusions(POINTS)
DRAWN_AT_RANDOM = ("noise", "motion", "rotation", "shift", "bar", "glasses", "mask")
DRAWS = 8


def face(size, channels):
    """The astronaut's face, (size, size, channels) uint8."""
    image = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)[40:200, 150:310]
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None] if channels == 1 else image


IMAGES = {"grey 48 px": face(48, 1), "colour 64 px": face(64, 3), "colour 200 px": face(200, 3)}


@pytest.fixture(params=IMAGES)
def image(request):
    return IMAGES[request.param].copy()


def corrupted(image, name, severity, seed=0):
    return SUITE[name].at(severity, image, np.random.default_rng(seed))


def change(image, name, severity):
    """Mean absolute change in grey levels, over several draws."""
    changed = [corrupted(image, name, severity, seed) for seed in range(DRAWS)]
    return np.abs(np.stack(changed).astype(float) - image).mean()


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", SUITE)
def test_a_corruption_changes_a_copy(image, name, severity):
    before = image.copy()
    out = corrupted(image, name, severity)
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert not np.shares_memory(out, image)
    np.testing.assert_array_equal(image, before)
    assert (out != image).any()


@pytest.mark.parametrize("name", SUITE)
def test_a_corruption_grows_with_severity(image, name):
    changes = [change(image, name, severity) for severity in SEVERITIES]
    assert (np.diff(changes) > 0).all(), changes


@pytest.mark.parametrize("name", SUITE)
def test_only_some_corruptions_are_drawn_at_random(image, name):
    several = [corrupted(image, name, 3, seed) for seed in range(DRAWS)]
    np.testing.assert_array_equal(several[-1], corrupted(image, name, 3, DRAWS - 1))
    differs = any((other != several[0]).any() for other in several[1:])
    assert differs == (name in DRAWN_AT_RANDOM)


def test_small_images_are_not_downscaled():
    image = face(16, 3)
    np.testing.assert_array_equal(corrupted(image, "small", 5), image)


@pytest.mark.parametrize("name", [name for name in SUITE if name != "noise"])
def test_grey_stays_grey(name):
    grey = np.repeat(face(64, 1), 3, axis=2)
    out = corrupted(grey, name, 4).astype(int)
    assert np.ptp(out, axis=2).max() <= (2 if name == "jpeg" else 0)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corrupt_takes_a_name(name):
    image = IMAGES["grey 48 px"]
    by_name = corrupt(image, name, 2, np.random.default_rng(3))
    np.testing.assert_array_equal(by_name, CORRUPTIONS[name].at(2, image, np.random.default_rng(3)))


@pytest.mark.parametrize("severity", [0, 6])
def test_other_severities_are_refused(severity):
    with pytest.raises(ValueError, match="severity must be one of"):
        corrupt(IMAGES["grey 48 px"], "noise", severity, np.random.default_rng(0))


@pytest.mark.parametrize(("name", "covered", "free"), [("glasses", (0, 1), (3, 4)), ("mask", (3, 4), (0, 1))])
def test_bars_lie_on_eyes_or_mouth(image, name, covered, free):
    side = image.shape[0]
    pixels = [(int(y * side), int(x * side)) for x, y in POINTS]
    for severity in SEVERITIES:
        out = corrupted(image, name, severity)
        levels = {int(level) for row in covered for level in out[pixels[row]]}
        assert len(levels) == 1
        assert (levels.pop() < 60) == (name == "glasses")
        # The strongest mask also covers the nose, but never the eyes.
        for row in free:
            np.testing.assert_array_equal(out[pixels[row]], image[pixels[row]])


def test_bars_are_as_wide_as_a_face():
    out = np.flatnonzero((corrupted(np.full((100, 100, 1), 128, np.uint8), "glasses", 3) != 128).any(axis=(0, 2)))
    assert (out[0], out[-1]) == (14, 85)


def test_bars_end_with_the_image():
    points = ((0.0, 0.02), (0.4, 0.02), (0.2, 0.5), (0.05, 0.98), (0.35, 0.98))
    image = np.full((50, 50, 3), 128, np.uint8)
    for corruption in occlusions(points).values():
        out = corruption.at(5, image, np.random.default_rng(0))
        assert out.shape == image.shape
        assert (out[:, 0] != 128).any()
        assert (out[:, -1] == 128).all()
    with pytest.raises(ValueError, match="five points, got 4"):
        occlusions(points[:4])


def test_training_excludes_bars_over_eyes_and_mouth():
    assert set(TRAINING_CORRUPTIONS) <= set(CORRUPTIONS)
    assert not set(occlusions(POINTS)) & set(CORRUPTIONS)

from dataclasses import replace

import numpy as np
import pytest

from core.attributes.occlusion import GRID_SIZE, PATCH_SHARE, explain, occlude
from core.errors import ConfigError
from tests.fakes.core import AGE_GENDER_CARD, EMOTION_CARD, FakeEstimator

SIZE = 48
STRIDE_PX = SIZE / GRID_SIZE


class SpotEstimator:
    """Predicts from the brightness of one square: happy, male and old where it is bright."""

    def __init__(self, card=EMOTION_CARD, rows=slice(30, 40), columns=slice(8, 18)):
        self.card = card
        self.spot = (slice(None), rows, columns)
        self.sizes = []

    def predict(self, crops):
        self.sizes.append(len(crops))
        bright = crops[self.spot].reshape(len(crops), -1).mean(axis=1) / 255
        if self.card.task == "emotion":
            rest = np.repeat((1 - bright)[:, None] / 6, 7, axis=1)
            rest[:, 3] = bright
            return {"emotion": rest.astype(np.float32)}
        age = np.zeros((len(crops), 101), np.float32)
        age[:, 80], age[:, 20] = bright, 1 - bright
        return {"age": age, "gender": np.stack([bright, 1 - bright], axis=1).astype(np.float32)}


def face(channels=1):
    crop = np.full((SIZE, SIZE, channels), 30, np.uint8)
    crop[30:40, 8:18] = 240
    return crop


@pytest.mark.parametrize(
    ("attribute", "card", "label"),
    [("emotion", EMOTION_CARD, "happy"), ("gender", AGE_GENDER_CARD, "male"), ("age", AGE_GENDER_CARD, None)],
)
def test_map_peaks_at_the_region_that_decides(attribute, card, label):
    found = explain(face(card.channels), SpotEstimator(card), attribute)
    row, column = found.strongest
    assert abs((row + 0.5) * STRIDE_PX - 35) <= STRIDE_PX
    assert abs((column + 0.5) * STRIDE_PX - 13) <= STRIDE_PX
    assert found.label == label
    assert found.importance[0, -1] == pytest.approx(0, abs=0.02), "far from the spot"
    assert found.covered[found.strongest] < found.prediction


def test_prediction_is_calibrated():
    crop = face()
    plain = explain(crop, SpotEstimator(), "emotion")
    softer = explain(crop, SpotEstimator(replace(EMOTION_CARD, temperature={"emotion": 3.0})), "emotion")
    assert plain.prediction == pytest.approx(240 / 255, abs=0.01)
    assert softer.prediction < plain.prediction - 0.05
    years = explain(face(3), SpotEstimator(AGE_GENDER_CARD), "age").prediction
    assert years == pytest.approx(20 + 60 * 240 / 255, abs=0.5)


def test_importance_counts_both_ways():
    crop = face()
    crop[30:40, 8:18] = 120
    # The covered spot is darker than before in one case and, with bright surroundings, brighter in the other.
    darker = explain(crop, SpotEstimator(), "emotion")
    crop[:30] = 255
    brighter = explain(crop, SpotEstimator(), "emotion")
    assert darker.covered[darker.strongest] < darker.prediction
    assert brighter.covered[brighter.strongest] > brighter.prediction
    assert darker.importance.min() >= 0
    assert brighter.importance.min() >= 0


def test_uniform_crop_has_no_important_region():
    found = explain(np.full((SIZE, SIZE, 1), 90, np.uint8), FakeEstimator(), "emotion")
    assert found.importance.max() == 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [48, 64, 97])
def test_patches_cover_the_whole_crop(size, channels):
    crop = np.random.default_rng(0).integers(0, 256, (size, size, channels), dtype=np.uint8)
    before = crop.copy()
    copies = occlude(crop)
    assert copies.shape == (GRID_SIZE**2, size, size, channels)
    assert copies.dtype == np.uint8
    assert np.array_equal(crop, before)
    changed = (copies != crop).any(axis=3)
    assert changed.any(axis=0).mean() > 0.97
    share = changed.mean(axis=(1, 2))
    assert share.max() < 1.6 * PATCH_SHARE**2
    # Patches at the border are cut there, so that every part of the crop is the middle of one.
    assert share[0] < 0.6 * share.max()


def test_patches_have_the_mean_colour():
    crop = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    row, center = 45, (22, 27)
    assert np.abs(occlude(crop)[row][center] - crop.mean(axis=(0, 1))).max() <= 0.5


@pytest.mark.parametrize(
    "crop",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 1), np.float32), np.zeros((0, 8, 1), np.uint8)],
    ids=["no channels", "float", "empty"],
)
def test_occlude_rejects_other_arrays(crop):
    with pytest.raises(ValueError, match="uint8"):
        occlude(crop)


def test_explain_rejects_attributes_of_other_networks():
    with pytest.raises(ConfigError, match="not age"):
        explain(face(), SpotEstimator(), "age")

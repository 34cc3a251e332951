"""Training batches and augmentation of aligned faces."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import DatasetError
from models.training.baseline_recipes import BASELINE_CONFIGS
from models.training.pipeline import Augmentation, TrainingBatches, augment_crop
from models.training.recipes import CONFIGS
from models.training.tasks import TASKS
from tests.fakes.evaluation import write_fer2013_csv
from tests.fakes.training import made_up_data, made_up_samples

DEFAULT = Augmentation()
NONE = Augmentation(0, 0, 0, 0, 0, 0, 0, flip=False)
SAMPLES = made_up_samples("emotion")
EMOTION = TASKS["emotion"]


def batches(augmentation=DEFAULT, epoch=0, size=16, **options):
    return TrainingBatches(SAMPLES, EMOTION.targets, size, 8, augmentation, seed=3, first_epoch=epoch, **options)


def test_batches_repeat_with_the_seed_and_differ_by_epoch():
    first, again, later = batches(), batches(), batches(epoch=1)
    assert len(first) == 3
    assert np.array_equal(first[1][0], again[1][0])
    assert not np.array_equal(first[1][0], later[1][0])
    again.on_epoch_end()
    assert np.array_equal(again[2][0], later[2][0])


@pytest.mark.parametrize(("epoch", "is_final"), [(1, False), (2, True)])
def test_final_augmentation_starts_at_its_epoch(epoch, is_final):
    images, _ = batches(epoch=epoch, size=24, final_augmentation=NONE, final_epoch=2)[0]
    order = np.random.default_rng((3, epoch)).permutation(len(SAMPLES))
    assert np.array_equal(images, SAMPLES.images[order[:8]]) is is_final


def test_mixup_mixes_images_and_targets():
    images, targets = batches(NONE, size=24, mixup=0.4)[0]
    assert images.shape == (8, 24, 24, 1)
    assert ((targets["emotion"] > 0).sum(axis=1) == 2).any()


def test_only_corruptions_with_a_probability_change_a_crop():
    corrupting, rng = replace(NONE, damage_probability=1.0), np.random.default_rng(0)
    image = SAMPLES.images[0]
    assert np.array_equal(augment_crop(image, 24, NONE, rng), image)
    changed = [augment_crop(image, 24, corrupting, rng) for _ in range(40)]
    assert {crop.shape for crop in changed} == {(24, 24, 1)}
    assert sum(not np.array_equal(crop, image) for crop in changed) > 30


@pytest.mark.parametrize("name", ["four_conv", "three_conv_emotion"])
def test_baseline_crops_follow_the_recipe(name):
    config = replace(BASELINE_CONFIGS[name], batch_size=24, image_size=24)
    data = made_up_data("emotion")
    crops, _ = EMOTION.batches(config, data, 0)[0]
    given = {image.tobytes() for image in data.splits["train"].images}
    flipped = {image[:, ::-1].tobytes() for image in data.splits["train"].images}
    seen = {crop.astype(np.uint8).tobytes() for crop in crops}
    assert seen <= given | flipped
    assert bool(seen & flipped) is config.augmentation.flip


def test_soft_labels_need_the_votes(tmp_path):
    with pytest.raises(DatasetError, match="ferplus_votes"):
        EMOTION.load(write_fer2013_csv(tmp_path), replace(CONFIGS["emotion"], annotators_share=0.5))

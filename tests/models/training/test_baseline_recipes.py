"""Recipes, tasks and claims of the rebuilt networks."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

from dataclasses import replace

import keras
import numpy as np
import pytest

from core.datasets.label_subsets import load_five_emotions
from core.errors import ConfigError
from models.exporting.reported_results import REPORTED_RESULTS, ReportedResult
from models.registry import ARCHITECTURES
from models.training.baseline_recipes import BASELINE_CONFIGS, BaselineConfig
from models.training.losses import age_class_loss
from models.training.optimizers import build_optimizer, learning_rate
from models.training.pipeline import TrainingBatches
from models.training.tasks import ATTRIBUTE_TASKS

CONFIG = BaselineConfig(name="made_up", task="emotion", architecture="four_conv", epochs=4, warmup_epochs=0.0)


def rates(config, steps=(0, 10, 20, 39)):
    rate = learning_rate(config, 10)
    return [float(rate(step)) if callable(rate) else rate for step in steps]


def test_every_config_names_what_exists_and_has_its_claims():
    assert set(REPORTED_RESULTS) == set(BASELINE_CONFIGS)
    for config in BASELINE_CONFIGS.values():
        assert config.architecture in ARCHITECTURES
        assert config.task in ATTRIBUTE_TASKS
        assert config.recipe
        for claim in REPORTED_RESULTS[config.name]:
            assert claim.output in ("emotion", "gender", "age", "age_group")


@pytest.mark.parametrize(
    "arguments",
    [("age", "rank", "", 1, 2, "x"), ("emotion", "accuracy", "", 0.9, 1.1, "x"), ("age", "mae", "", 4, 3, "x")],
)
def test_impossible_reported_results_are_refused(arguments):
    with pytest.raises(ValueError, match="reported result"):
        ReportedResult(*arguments)


def test_rates_follow_the_schedule():
    assert rates(CONFIG) == [1e-3] * 4
    stepped = replace(CONFIG, schedule="steps", step_epochs=(1, 3))
    assert rates(stepped, (0, 10, 11, 30, 31)) == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5])
    cosine = rates(replace(CONFIG, schedule="cosine", warmup_epochs=1.0))
    assert cosine[0] == pytest.approx(1e-4)
    assert cosine[1] == pytest.approx(1e-3)
    assert cosine[1] > cosine[2] > cosine[3]


@pytest.mark.parametrize(
    ("name", "kind", "nesterov"),
    [("adam", "Adam", None), ("adamw", "AdamW", None), ("sgd", "SGD", True), ("momentum", "SGD", False)],
    ids=str,
)
def test_optimizers_by_name(name, kind, nesterov):
    optimizer = build_optimizer(replace(CONFIG, optimizer=name), 10)
    assert type(optimizer).__name__ == kind
    assert getattr(optimizer, "nesterov", None) is nesterov


@pytest.mark.parametrize("changes", [{"optimizer": "lion"}, {"schedule": "plateau"}], ids=str)
def test_unknown_names_say_what_is_allowed(changes):
    with pytest.raises(ConfigError, match="choose one of"):
        build_optimizer(replace(CONFIG, **changes), 10)


def test_the_loss_of_a_year_is_its_cross_entropy():
    shares = np.full((3, 101), 0.002, np.float32)
    shares[0, 30] = shares[1, 30] = shares[2, 100] = 0.8
    loss = np.asarray(age_class_loss(np.float32([[30], [31], [116]]), shares))
    assert loss == pytest.approx(-np.log([0.8, 0.002, 0.8]), rel=1e-4)
    assert keras.saving.get_registered_name(age_class_loss) == "facet>age_class_loss"


@pytest.fixture
def fer2013(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["emotion,pixels,Usage"]
    for number in range(42):
        usage = ("Training", "PublicTest", "PrivateTest")[number // 14]
        rows.append(f"{number % 7},{' '.join(map(str, rng.integers(0, 256, 48 * 48)))},{usage}")
    (tmp_path / "fer2013.csv").write_text("\n".join(rows))
    return tmp_path


def test_five_emotions_leave_out_two_on_every_side(fer2013):
    data = load_five_emotions(fer2013)
    assert {split: len(samples) for split, samples in data.splits.items()} == {
        "train": 10,
        "five_public": 10,
        "five_private": 10,
    }
    assert {int(label) for split in data.splits.values() for label in split.labels["emotion"]} == {0, 3, 4, 5, 6}
    task, config = ATTRIBUTE_TASKS["emotion_five"], BASELINE_CONFIGS["five_emotions"]
    images, wanted = task.validation(config, task.load(fer2013, config))
    assert images.shape == (10, 64, 64, 1)
    assert not wanted["emotion"][:, [1, 2]].any()


@pytest.mark.parametrize("name", ["four_conv", "three_conv_emotion"])
def test_crops_are_changed_as_the_recipe_says(fer2013, name):
    config = replace(BASELINE_CONFIGS[name], batch_size=14)
    task = ATTRIBUTE_TASKS["emotion"]
    data = task.load(fer2013, config)
    batches = task.batches(config, data, 0)
    assert isinstance(batches, TrainingBatches)
    crops, _ = batches[0]
    given = {image.tobytes() for image in data.splits["train"].images}
    flipped = {image[:, ::-1].tobytes() for image in data.splits["train"].images}
    seen = {crop.astype(np.uint8).tobytes() for crop in crops}
    assert seen <= given | flipped
    assert bool(seen & flipped) is config.augmentation.flip

"""Losses, averaged weights, optimizers and learning rates."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from core.errors import ConfigError
from models.training.baseline_recipes import BaselineConfig
from models.training.ema import EmaWeights
from models.training.losses import age_class_loss, age_distribution_loss, mae
from models.training.optimizers import build_optimizer, build_schedule

CONFIG = BaselineConfig(name="made_up", task="emotion", architecture="four_conv", epochs=4, warmup_epochs=0.0)


@pytest.mark.parametrize("age", [0, 30, 100, 116])
def test_the_age_loss_is_lowest_at_the_true_age(age):
    years = np.arange(101)
    peaks = np.exp(-((years[None] - years[:, None]) ** 2) / 8)
    peaks = (peaks / peaks.sum(1, keepdims=True)).astype(np.float32)
    losses = np.asarray(age_distribution_loss(np.full((101, 1), age, np.float32), peaks))
    assert losses.argmin() == min(age, 100)
    assert np.asarray(mae(np.float32([[40]]), peaks[30:31])) == pytest.approx([10], abs=0.01)


def test_the_loss_of_a_year_is_its_cross_entropy():
    shares = np.full((3, 101), 0.002, np.float32)
    shares[0, 30] = shares[1, 30] = shares[2, 100] = 0.8
    loss = np.asarray(age_class_loss(np.float32([[30], [31], [116]]), shares))
    assert loss == pytest.approx(-np.log([0.8, 0.002, 0.8]), rel=1e-4)


@pytest.mark.parametrize("loss", [age_class_loss, age_distribution_loss, mae], ids=lambda loss: loss.__name__)
def test_names_in_stored_networks_stay(loss):
    assert keras.saving.get_registered_name(loss) == f"facet>{loss.__name__}"


def test_the_average_is_in_place_only_while_evaluated():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    average = EmaWeights(0.9)
    average.set_model(model)
    for value in (1.0, 3.0):
        model.set_weights([np.full((1, 1), value, np.float32)])
        average.on_train_batch_end(0)
    with average.in_place():
        inside = float(model.get_weights()[0][0, 0])
    assert 1.0 < inside < 3.0
    assert float(model.get_weights()[0][0, 0]) == 3.0


def rates(config, steps=(0, 10, 20, 39)):
    rate = build_schedule(config, 10)
    return [float(rate(step)) if callable(rate) else rate for step in steps]


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
    for changes in ({"optimizer": "lion"}, {"schedule": "plateau"}):
        with pytest.raises(ConfigError, match="choose one of"):
            build_optimizer(replace(CONFIG, **{"optimizer": name, **changes}), 10)

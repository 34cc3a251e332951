import csv
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from core.datasets.samples import resize_images
from core.errors import ConfigError
from models import registry
from models.training.recipes import CONFIGS
from models.training.runs import load_best_weights, read_best_epoch
from models.training.torch_trainer import train_in_pytorch
from tests.fakes.training import made_up_data

CONFIG = replace(
    CONFIGS["emotion_teacher"],
    architecture_arguments={"input_size": 16, "stages": ((8, 2), (8, 2)), "stem": (4, 1)},
    image_size=16,
    batch_size=8,
    epochs=2,
    annotators_share=0.0,
)


def test_a_run_is_recorded_and_can_be_resumed(tmp_path):
    data = made_up_data("emotion")
    first = train_in_pytorch(replace(CONFIG, epochs=1), data, tmp_path)
    assert first["epoch"] == 1
    assert 0 <= first["val_accuracy"] <= 1
    train_in_pytorch(CONFIG, data, tmp_path, resume=True)
    with (tmp_path / "history.csv").open() as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["1", "2"]
    weights = load_best_weights(CONFIG, tmp_path)
    model = registry.build(CONFIG.architecture, **CONFIG.architecture_arguments)
    model.set_weights(weights)
    answers = model(resize_images(data.splits["public"].images, 16).astype(np.float32))["emotion"]
    assert np.isfinite(np.asarray(answers)).all()
    assert read_best_epoch(tmp_path)["val_accuracy"] >= first["val_accuracy"]


def test_other_networks_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="four_conv"):
        train_in_pytorch(CONFIGS["four_conv"], made_up_data("emotion"), tmp_path)


def test_nothing_to_resume_is_told(tmp_path):
    with pytest.raises(ConfigError, match="nothing to resume"):
        train_in_pytorch(CONFIG, made_up_data("emotion"), tmp_path, resume=True)

# ruff: noqa: E402, everything below needs PyTorch
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models import registry
from models.faces.command import train_faces
from models.faces.config import FaceLearning
from models.faces.losses import label_loss
from models.faces.targets import build_targets
from models.faces.train import build_network
from models.training.config import TrainConfig
from models.training.recipes import get_recipe
from models.training.runs import load_best_weights, read_run
from models.training.torch_residual import insert_identity_blocks
from models.training.torch_trainer import layer_weights, set_layer_weights
from tests.fakes.faces import write_packed_faces

OLD, NEW = ((4, 2), (6, 2)), ((4, 2), (4, 1), (6, 2), (6, 1))
CONFIG = replace(
    get_recipe("age_gender"),
    architecture_arguments={"input_size": 32, "stages": NEW, "stem": (4, 2), "dropout": 0.0},
    image_size=32,
    epochs=1,
    batch_size=8,
    faces=FaceLearning(),
)


def keras_network(config: TrainConfig):
    return registry.build(config.architecture, **config.architecture_arguments)


def predict(network, crops):
    network.eval()
    with torch.no_grad():
        logits = network(torch.from_numpy(crops).permute(0, 3, 1, 2))
    return {name: values.softmax(-1).numpy() for name, values in logits.items()}


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)


def test_both_networks_answer_alike(crops):
    network = build_network(CONFIG)
    for bn in (layer.bn for layer in network._layers().values()):
        torch.nn.init.normal_(bn.running_mean, std=0.1)
    twin = keras_network(CONFIG)
    set_layer_weights(twin, network.keras_weights())
    answers = twin(crops)
    for name, values in predict(network, crops).items():
        np.testing.assert_allclose(values, answers[name], atol=1e-5)
    other = build_network(CONFIG)
    other.load_keras_weights(layer_weights(twin))
    np.testing.assert_array_equal(predict(other, crops)["age"], predict(network, crops)["age"])


def test_inserted_blocks_change_nothing(crops):
    shallow = replace(CONFIG, architecture_arguments=dict(CONFIG.architecture_arguments) | {"stages": OLD})
    small, large = build_network(shallow), build_network(CONFIG)
    large.load_keras_weights(insert_identity_blocks(small.keras_weights(), OLD, NEW))
    np.testing.assert_allclose(predict(large, crops)["age"], predict(small, crops)["age"], atol=1e-6)


@pytest.mark.parametrize("stages", [((4, 2),), ((4, 2), (5, 1), (6, 2))], ids=["fewer", "other width"])
def test_other_blocks_cannot_be_inserted(stages):
    shallow = replace(CONFIG, architecture_arguments=dict(CONFIG.architecture_arguments) | {"stages": OLD})
    with pytest.raises(ValueError, match="block"):
        insert_identity_blocks(build_network(shallow).keras_weights(), OLD, stages)


def test_probability_inside_a_bracket_is_right_wherever_it_lies(tmp_path):
    faces = write_packed_faces(tmp_path / "packed", 4)
    faces.age_low[:], faces.age_high[:] = 20, 29
    target = torch.from_numpy(build_targets(faces, None).age)[:3]
    age = torch.full((3, 101), 1e-6)
    for row, year in enumerate((21, 28, 60)):
        age[row, year] = 1.0
    young, old, outside = label_loss((age / age.sum(-1, keepdim=True)).log(), target, torch.zeros(3), 0.1).tolist()
    assert young == pytest.approx(old, abs=1e-3)
    assert young < 0.01
    assert outside > 10


def test_a_run_can_be_exported_and_resumed(tmp_path, capsys):
    write_packed_faces(tmp_path / "runs/packed_faces")
    workdir = tmp_path / "runs/age_gender"
    best = train_faces(CONFIG, tmp_path, workdir, limit=100)
    assert "labels alone" in capsys.readouterr().out
    assert best["epoch"] == 1
    assert read_run(workdir)["sources"] == {"utkface": 4, "fairface": 4, "aaf": 4, "appa_real": 4}
    assert len(load_best_weights(CONFIG, workdir)) == len(keras_network(CONFIG).get_weights())
    longer = replace(CONFIG, epochs=2)
    train_faces(longer, tmp_path, workdir, resume=True)
    history = (workdir / "history.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in history] == ["epoch", "1", "2"]

"""Runs of rebuilt networks, shrunk and with random weights, become artifacts and files of the original format."""

import json
import os
import shutil

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import warnings
from dataclasses import replace

import keras
import numpy as np
import pytest

from core.artifacts.model_card import KERAS_FILE, SERVED_FILE, is_served, load_card
from core.attributes.estimator import LiteRTEstimator
from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset
from core.evaluation.predictions import load_predictions
from core.tasks import TASKS
from models import evaluate, export, registry
from models.exporting import keras_json as original_formats
from models.exporting import model_card as cards
from models.exporting.keras_json import read_json_h5
from models.exporting.quantization import round_to_float16
from models.training.baseline_recipes import BASELINE_CONFIGS
from models.training.runs import load_best_weights
from models.training.tasks import ATTRIBUTE_TASKS, LOADERS

COUNT = 12
SMALL = {
    "five_emotions": {"input_size": 32, "widths": (8, 8)},
    "ssr_net_age": {},
    "levi_hassner": {"input_size": 35, "filters": (8, 8, 8), "dense": 16},
}
QUANTISED = "levi_hassner"
FIGURES = {"five_emotions": "accuracy", "ssr_net_age": "age_mae", "levi_hassner": "age_group_accuracy"}


def small(name):
    config = BASELINE_CONFIGS[name]
    arguments = dict(config.architecture_arguments) | SMALL[name]
    return replace(config, architecture_arguments=arguments, image_size=arguments.get("input_size", 64), source_size=40)


def made_up(prefix, emotions):
    rng = np.random.default_rng(len(prefix))
    if emotions:
        labels = {"emotion": rng.choice([0, 3, 4, 5, 6], COUNT)}
    else:
        labels = {name: rng.integers(0, top, COUNT) for name, top in (("age", 90), ("gender", 2), ("race", 5))}
    images = rng.integers(0, 256, (COUNT, 40, 40, 1 if emotions else 3), dtype=np.uint8)
    return Samples(np.array([f"{prefix}_{row}" for row in range(COUNT)]), images, labels)


def loader(dataset):
    task = next(task for task in TASKS.values() if task.dataset == dataset)
    names = ("train", *(split.name for split in task.splits))
    made = SplitDataset(dataset, {name: made_up(name, "fer" in dataset) for name in names}, (), 0, 0)
    return lambda data_dir, image_size: made


OF_ANOTHER_NETWORK = ("two_views.npz", "speed.json")


@pytest.fixture(scope="module")
def data():
    """Made-up faces in place of both data sets."""
    with pytest.MonkeyPatch.context() as patch:
        for dataset in ("fer2013_five", "utkface"):
            patch.setitem(LOADERS, dataset, loader(dataset))
        yield


def write_run(root, config):
    """A finished run as older ones are, which did not count their parameters."""
    folder = root / config.name
    folder.mkdir(parents=True)
    keras.utils.set_random_seed(3)
    registry.build(config.architecture, **config.architecture_arguments).save_weights(folder / "best.weights.h5")
    (folder / "history.csv").write_text("epoch,elapsed_s,loss\n1,2.0,3\n2,4.0,2\n")
    (folder / "state.json").write_text(json.dumps({"epoch": 2, "best": {"epoch": 2}}))
    (folder / "run.json").write_text(json.dumps({"config": {"name": config.name}, "backend": "torch"}))
    return folder


def refuse(float32_file, int8_file):
    raise KeyError("an operation that nobody knows")


@pytest.fixture(scope="module", params=SMALL)
def artifact(request, data, tmp_path_factory):
    """One is quantised, the others cannot be."""
    root, config = tmp_path_factory.mktemp("exported"), small(request.param)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if request.param != QUANTISED:
            patch.setattr(export, "quantize_dynamic", refuse)
        run, folder = write_run(root / "runs", config), root / "artifacts" / config.name
        folder.mkdir(parents=True)
        for name in OF_ANOTHER_NETWORK:
            (folder / name).write_text("of the network that was there before")
        return export.export(config, root, run, folder)


def test_a_run_becomes_an_artifact(artifact):
    card, name = load_card(artifact), artifact.name
    task = ATTRIBUTE_TASKS[small(name).task].core_task
    stored = load_predictions(artifact / "predictions.npz")
    tasks = {split: predictions.task for split, predictions in stored.items()}
    assert tasks == {split.name: task for split in TASKS[task].splits}
    figure = FIGURES[name]
    assert all({figure, f"{figure}_low", f"{figure}_high"} <= set(card.metrics[split]) for split in stored)
    assert card.raw["trainable_parameters"] + card.raw["frozen_parameters"] == card.parameters
    assert (card.epochs_run, card.recipe_epochs) == (2, BASELINE_CONFIGS[name].epochs)
    assert is_served(artifact, card)


def test_nothing_stays_of_the_network_before(artifact):
    assert not [name for name in OF_ANOTHER_NETWORK if (artifact / name).exists()]


def test_a_network_that_cannot_be_quantised_says_so_on_its_card(artifact):
    exports = load_card(artifact).raw["exports"]
    if artifact.name == QUANTISED:
        assert exports["int8"]["bytes"] > 0
    else:
        assert exports["served"] == "float32"
        assert exports["int8"] == {"failed": "KeyError: 'an operation that nobody knows'"}


def test_it_is_evaluated_like_the_others(artifact, monkeypatch, capsys):
    monkeypatch.setenv("FACET_ARTIFACTS", str(artifact.parent))
    card = load_card(artifact)
    test_split = TASKS[card.task].test_split.name
    assert evaluate.main([artifact.name, "--data", "made-up", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["split"] == test_split
    stored = card.metrics[test_split]
    assert {name: printed[name] for name in stored} == pytest.approx(stored)


def test_a_large_network_is_served_here_and_said_to_be_missing_elsewhere(artifact, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cards, "MAX_COMMITTED_BYTES", 1000)
    folder, name = tmp_path / artifact.name, artifact.name
    shutil.copytree(artifact, folder)
    cards.write_card(folder, cards.read_card(folder))
    card = load_card(folder)
    assert set(card.excluded_files) == {SERVED_FILE, KERAS_FILE}
    assert set(card.files) == {"predictions.npz", "history.csv"}
    assert is_served(folder, card)
    assert LiteRTEstimator(folder).card.name == name
    for file_name in card.excluded_files:
        (folder / file_name).unlink()
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    assert evaluate.main([name, "--data", "made-up"]) == 2
    error = capsys.readouterr().err
    assert f"python -m models.train {name} --data data" in error
    assert f"python -m models export {name} --data data" in error
    assert len(error.splitlines()) == 1


FORMS = {
    "alike": ({}, True),
    "larger": ({"bytes": 11}, False),
    "worse groups": ({"age_group_accuracy": 0.59}, False),
    "worse gender": ({"gender_accuracy": 0.85}, False),
    "worse years": ({"age_mae": 6.1}, False),
    "a little better": ({"age_group_accuracy": 0.61, "age_mae": 5.9}, True),
}


@pytest.mark.parametrize(("changes", "close"), FORMS.values(), ids=FORMS.keys())
def test_int8_is_served_only_if_nothing_is_lost(changes, close):
    float32 = {"bytes": 10, "age_group_accuracy": 0.6, "gender_accuracy": 0.9, "age_mae": 6.0}
    assert export._is_close(float32, float32 | {"bytes": 9} | changes) is close
    assert not export._is_close(float32, {"failed": "x"})


def test_weights_beyond_16_bits_are_left_as_they_are():
    weights = [np.float32([1.00001, 7e4]), np.float32([1.00001]), np.empty(0, np.float32)]
    rounded = round_to_float16(weights)
    assert np.array_equal(rounded[0], weights[0])
    assert rounded[1].tolist() == [1.0]
    assert len(rounded[2]) == 0


def write_original(tmp_path, name):
    arguments = ["--format", "json-h5", "--runs", str(tmp_path / "runs"), "--artifacts", str(tmp_path / "artifacts")]
    return export.main([name, *arguments, "--output", str(tmp_path / "out")])


def test_json_and_h5_of_a_run_answer_alike(tmp_path, monkeypatch, capsys):
    name, config = "five_emotions", small("five_emotions")
    write_run(tmp_path / "runs", config)
    monkeypatch.setitem(original_formats.CONFIGS, name, config)
    assert write_original(tmp_path, name) == 0
    written = json.loads(capsys.readouterr().out)
    out = tmp_path / "out"
    assert written == {"architecture": str(out / f"{name}.json"), "weights": str(out / f"{name}.weights.h5")}
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.set_weights(load_best_weights(config, tmp_path / "runs" / name))
    same_answers(model, read_json_h5(out / f"{name}.json", out / f"{name}.weights.h5"))


def test_json_and_h5_of_an_artifact_answer_alike(artifact, tmp_path):
    name = artifact.name
    arguments = ["--artifacts", str(artifact.parent), "--runs", str(tmp_path), "--output", str(tmp_path)]
    assert export.main([name, "--format", "json-h5", *arguments]) == 0
    model = keras.saving.load_model(artifact / KERAS_FILE, compile=False)
    same_answers(model, read_json_h5(tmp_path / f"{name}.json", tmp_path / f"{name}.weights.h5"))


def same_answers(one, other):
    images = np.random.default_rng(0).uniform(0, 255, (3, *one.input_shape[1:])).astype(np.float32)
    expected, found = one(images, training=False), other(images, training=False)
    assert set(expected) == set(found)
    for name, values in expected.items():
        assert np.array_equal(np.asarray(values), np.asarray(found[name]))


def test_without_a_network_the_error_is_one_line(tmp_path, capsys):
    assert write_original(tmp_path, "ssr_net_age") == 2
    assert "card.json is missing" in capsys.readouterr().err


def test_an_artifact_needs_the_data(capsys):
    with pytest.raises(SystemExit):
        export.main(["ssr_net_age"])
    assert "--data is needed" in capsys.readouterr().err

"""The real training path, one step long, on made-up faces: once for each kind of task."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ConfigError
from models import registry, train
from models.training.recipes import CONFIGS
from models.training.tasks import TASKS
from tests.fakes.training import made_up_data

STAGES = ((8, 2), (8, 2))
SMALL = {
    "emotion": {
        "architecture_arguments": {"input_size": 16, "stages": STAGES},
        "image_size": 16,
        "batch_size": 8,
        "annotators_share": 0.0,
        "unlabelled_share": 0.0,
    },
    "age_gender": {
        "architecture_arguments": {"input_size": 16, "stages": STAGES},
        "image_size": 16,
        "batch_size": 8,
    },
}


def small(name, /, **changes):
    """A recipe on a shrunk network, for one epoch from random weights."""
    return replace(CONFIGS[name], **{"epochs": 1, "start_from": None, "precision": "float32", **SMALL[name], **changes})


def run(config, workdir, **options):
    return train.train_and_evaluate(
        config, made_up_data(config.task), workdir, verbose=0, **{"run_eagerly": True, **options}
    )


@pytest.mark.parametrize("name", SMALL)
def test_a_run_is_recorded_and_can_be_resumed(tmp_path, name):
    config = small(name, epochs=2)
    best = run(replace(config, stop_after=1), tmp_path)
    assert best["epoch"] == 1
    assert TASKS[config.task].objective.monitor in best
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["fingerprints"] == made_up_data(config.task).metadata()["fingerprints"]
    model = registry.build(config.architecture, **config.architecture_arguments)
    assert record["trainable_parameters"] + record["frozen_parameters"] == model.count_params()
    assert record["start"] == "random weights"
    model.load_weights(tmp_path / "best.weights.h5")
    run(config, tmp_path, resume=True)
    with (tmp_path / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["elapsed_s"]) > float(rows[0]["elapsed_s"])
    assert json.loads((tmp_path / "state.json").read_text())["epoch"] == 2


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Runs folder with one finished run, ``emotion``, traced as in real trainings. Not to be changed."""
    runs = tmp_path_factory.mktemp("runs")
    run(small("emotion"), runs / "emotion", run_eagerly=False)
    return runs


@pytest.fixture
def workdir(finished, tmp_path):
    shutil.copytree(finished / "emotion", tmp_path / "emotion")
    return tmp_path / "emotion"


def test_a_second_stage_starts_from_the_weights_of_the_first(workdir):
    second = small("emotion", name="second", start_from="emotion", learning_rate=0.0, average_momentum=0.0)
    run(second, workdir.parent / "second")
    models = [registry.build(second.architecture, **second.architecture_arguments) for _ in range(2)]
    for model, name in zip(models, ("emotion", "second"), strict=True):
        model.load_weights(workdir.parent / name / "best.weights.h5")
    first, last = (model.get_layer("stem_conv").get_weights()[0] for model in models)
    assert np.array_equal(first, last)


def test_resuming_allows_only_more_epochs_at_a_constant_rate(tmp_path, workdir):
    for changes in ({"epochs": 4}, {"batch_size": 4}):
        with pytest.raises(ConfigError, match=f"{next(iter(changes))} differed"):
            run(small("emotion", **changes), workdir, resume=True)
    config = small("emotion", schedule="constant")
    run(config, tmp_path / "constant")
    run(replace(config, epochs=2), tmp_path / "constant", resume=True)
    assert json.loads((tmp_path / "constant" / "state.json").read_text())["epoch"] == 2


def test_failed_start_leaves_the_last_run(workdir):
    kept = {file.name: file.read_bytes() for file in workdir.iterdir()}
    with pytest.raises(ConfigError, match="train first"):
        run(small("emotion", start_from="age_gender_published"), workdir)
    assert {file.name: file.read_bytes() for file in workdir.iterdir()} == kept


def test_infinite_loss_ends_the_run(workdir):
    with pytest.raises(ConfigError, match="loss of epoch 1 is not finite"):
        run(small("emotion", schedule="constant", learning_rate=1e30), workdir)
    assert [file.name for file in workdir.iterdir()] == ["run.json"]


@pytest.mark.parametrize("files", [(), ("state.json", "last.keras")], ids=["nothing", "half a run"])
def test_resuming_without_a_run_is_refused(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text('{"epoch": 1, "best": {}}')
    with pytest.raises(ConfigError, match="nothing to resume"):
        run(small("emotion"), tmp_path, resume=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense", "--data", "."], "choose one of emotion"),
        (["emotion", "--data", "/nowhere"], "expected DIR/fer2013"),
    ],
    ids=["recipe", "data"],
)
def test_an_error_is_one_line_and_status_2(capsys, arguments, words):
    assert train.main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1
    for option, number in (("--epochs", "0"), ("--seed", "-1"), ("--limit", "0")):
        with pytest.raises(SystemExit):
            train.main([*arguments, option, number])
        assert f"argument {option}: must be" in capsys.readouterr().err

"""Several networks in one call, on machines that are lent for minutes."""

import json
import time
import zipfile
from pathlib import Path

import pytest

from core.errors import ConfigError
from models import train_many
from models.packed_data import without_reporting, write_pack
from models.train_many import Round, parsed, summary, train_chain
from tests.fakes.datasets import data_set


class FakeTraining:
    """Leaves what ``models.train`` leaves, unless it is to fail or to run out of time before the first epoch."""

    def __init__(self, outcomes=None):
        self.outcomes = outcomes or {}
        self.calls = []

    def __call__(self, arguments, log, most_s):
        self.calls.append(arguments)
        name = arguments[0]
        outcome = self.outcomes.get(name, "done")
        if outcome != "failed":
            runs = Path(arguments[arguments.index("--runs") + 1])
            seed = f"_seed{arguments[arguments.index('--seed') + 1]}" if "--seed" in arguments else ""
            folder = runs / f"{name}{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            for file in ("best.weights.h5", "run.json", "history.csv", "last.keras"):
                (folder / file).write_text(name)
            best = {"val_accuracy": 0.5, "loss": 2.0, "epoch": 2}
            (folder / "state.json").write_text(json.dumps({"epoch": 3, "best": best}))
        return outcome


@pytest.fixture
def folders(tmp_path):
    runs, output = tmp_path / "runs", tmp_path / "output"
    output.mkdir()
    return tmp_path / "data", runs, output


def trained(texts, folders, training, left_s=60.0):
    rounds = [Round.parse(text) for text in texts]
    return train_chain(rounds, *folders, time.monotonic() + left_s, training)


def test_a_round_says_config_epochs_and_seed():
    assert Round.parse("emotion") == Round("emotion")
    assert Round.parse("emotion:20") == Round("emotion", 20)
    assert Round.parse("emotion:20:11") == Round("emotion", 20, 11)
    for text in ("emotion:x", "emotion:1:2:3", "nothing"):
        with pytest.raises(ConfigError):
            Round.parse(text)


@pytest.mark.parametrize(
    ("chains", "words"),
    [
        (["emotion_base+emotion_second", "emotion_base:5"], "emotion_base would be more often"),
        (["emotion_base:5:9+emotion_second"], "not emotion_base"),
    ],
    ids=["two chains in one run", "a seed that the next round does not start from"],
)
def test_chains_that_cannot_be_trained_together_are_refused(chains, words):
    with pytest.raises(ConfigError, match=words):
        parsed(chains)


def test_seeds_of_a_last_round_have_runs_of_their_own():
    assert parsed(["emotion:84:11", "emotion:84:12"]) == [[Round("emotion", 84, 11)], [Round("emotion", 84, 12)]]


def test_rounds_follow_each_other_and_come_home_without_what_only_resuming_needs(folders):
    training = FakeTraining()
    ended = trained(["emotion_base:5", "emotion:7:11"], folders, training)
    data, runs, _ = map(str, folders)
    assert training.calls == [
        ["emotion_base", "--data", data, "--runs", runs, "--epochs", "5", "--quiet"],
        ["emotion", "--data", data, "--runs", runs, "--epochs", "7", "--seed", "11", "--quiet"],
    ]
    assert [one.outcome for one in ended] == ["done", "done"]
    with zipfile.ZipFile(folders[2] / "emotion_seed11.zip") as archive:
        assert sorted(archive.namelist()) == [
            f"emotion_seed11/{name}" for name in ("best.weights.h5", "history.csv", "run.json", "state.json")
        ]
    assert (folders[2] / "emotion_base.zip").is_file()


@pytest.mark.parametrize("outcome", ["failed", "out of time"])
def test_nothing_goes_on_from_a_round_that_is_not_done(folders, outcome):
    training = FakeTraining({"emotion_base": outcome})
    ended = trained(["emotion_base", "emotion_second"], folders, training)
    assert [one.outcome for one in ended] == [outcome, "not begun"]
    assert len(training.calls) == 1


def test_no_round_begins_when_time_is_up(folders):
    training = FakeTraining()
    assert [one.outcome for one in trained(["emotion"], folders, training, left_s=-1)] == ["not begun"]
    assert not training.calls


def test_an_earlier_run_of_the_same_name_is_not_taken_for_this_one(folders):
    trained(["emotion"], folders, FakeTraining())
    (folders[2] / "emotion.zip").unlink()
    ended = trained(["emotion"], folders, FakeTraining({"emotion": "failed"}))
    assert not (folders[2] / "emotion.zip").exists()
    assert summary(ended, folders[1]).splitlines()[-1] == "| emotion | failed |  |  |  |"


def test_the_table_has_what_was_chosen_on(folders):
    ended = trained(["emotion"], folders, FakeTraining())
    assert summary(ended, folders[1]).splitlines() == [
        "| Run | Outcome | Epochs | Best | Chosen on |",
        "| --- | --- | --- | --- | --- |",
        "| emotion | done | 3 | 2 | accuracy 0.5000 |",
    ]


def test_the_command_trains_a_real_network_from_a_pack(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    write_pack(tmp_path / "packs", without_reporting(data_set("fer2013", count=40), 48), 90)
    where = ["--data", tmp_path / "packs", "--runs", tmp_path / "runs", "--output", tmp_path / "out"]
    options = [*map(str, where), "--jobs", "2", "--minutes", "5"]
    status = train_many.main(["mini_xception_emotion:1", "mini_xception_gender:1", *options])
    table = capsys.readouterr().out
    assert status == 1
    # There is no pack of UTKFace.
    assert "| mini_xception_gender | failed, see" in table
    assert "| mini_xception_emotion | done | 1 | 1 | accuracy" in table, table
    run = json.loads((tmp_path / "runs" / "mini_xception_emotion" / "run.json").read_text())
    assert run["packed_quality"] == 90
    assert (tmp_path / "out" / "mini_xception_emotion.zip").is_file()


def test_a_training_that_takes_too_long_is_stopped(tmp_path):
    assert train_many.train_in_process(["emotion", "--data", str(tmp_path)], tmp_path / "log", 0.2) == "out of time"


def test_a_chain_that_is_none_is_refused_at_once(tmp_path, capsys):
    where = ["--data", str(tmp_path), "--runs", str(tmp_path / "runs"), "--output", str(tmp_path / "out")]
    assert train_many.main(["emotion+nothing", *where]) == 2
    assert "nothing" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()

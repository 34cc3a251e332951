import argparse
import importlib.util

import numpy as np
import pytest

from core.datasets.samples import Rejected, Samples
from core.datasets.splits import SplitDataset
from core.errors import ConfigError, DatasetError
from models import __main__ as commands
from models.cli import add_data, non_negative_int, positive_int, report_splits, run


def test_argument_types_parse():
    assert (positive_int("3"), non_negative_int("0")) == (3, 0)


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (positive_int, "0", "at least 1"),
        (non_negative_int, "-1", "at least 0"),
        (positive_int, "x", "integer"),
    ],
)
def test_argument_types_reject(parse, text, words):
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        parse(text)


def fail(options):
    raise ConfigError(f"cannot read {options.data}")


@pytest.mark.parametrize(
    ("command", "status", "error"),
    [(lambda options: None, 0, ""), (lambda options: 1, 1, ""), (fail, 2, "error: cannot read here\n")],
    ids=["done", "own status", "error"],
)
def test_run_returns_the_exit_status_and_prints_an_error_as_one_line(command, status, error, capsys):
    parser = argparse.ArgumentParser()
    add_data(parser)
    assert run(parser, command, ["--data", "here"]) == status
    assert capsys.readouterr().err == error


def test_what_a_data_set_lacks_is_told(capsys):
    labels = {"train": [0, 3, 4, 5, 6], "public": [0, 3, 4], "private": []}
    splits = {
        name: Samples(
            np.array([f"{name}_{n}" for n in range(len(emotions))], np.str_),
            np.zeros((len(emotions), 4, 4, 1), np.uint8),
            {"emotion": np.array(emotions, np.int64)},
        )
        for name, emotions in labels.items()
    }
    rejected = (Rejected("train/anger/a.png", "unreadable image"),)
    data = SplitDataset("made-up", splits, rejected, 3, 2, notes=("names are not official",))
    report_splits(data, "emotion_five")
    assert capsys.readouterr().err.splitlines() == [
        "warning: left out: 1 files or rows: 1 unreadable image (train/anger/a.png)",
        "warning: names are not official",
        "warning: left out: 2 training near-duplicates of test images",
        "warning: no images in the split public of emotion surprise, neutral: per-class metrics lack these classes, "
        "and means are over the others",
        "warning: no images in the split private",
    ]
    data.require("train", "public")
    with pytest.raises(DatasetError, match=r"no usable images of private .*train 5, public 3, private 0"):
        data.require("train", "private")


@pytest.mark.parametrize("module", [module for module, _ in commands.COMMANDS.values()])
def test_every_command_has_its_module(module):
    # Not imported: some load TensorFlow.
    source = importlib.util.find_spec(module).loader.get_source(module)
    assert "def main(arguments" in source


def test_a_command_gets_the_arguments_after_it(capsys):
    with pytest.raises(SystemExit) as ended:
        commands.main(["prepare", "--help"])
    assert ended.value.code == 0
    assert "usage: python -m models prepare" in capsys.readouterr().out


def test_commands_are_listed_and_others_refused(capsys):
    with pytest.raises(SystemExit):
        commands.main(["--help"])
    listed = capsys.readouterr().out
    assert all(f"  {command} " in listed for command in commands.COMMANDS)
    with pytest.raises(SystemExit) as ended:
        commands.main(["paint"])
    assert ended.value.code == 2

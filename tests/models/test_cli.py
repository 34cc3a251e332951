import argparse
import importlib.util

import pytest

from core.errors import ConfigError
from models import __main__ as commands
from models.cli import add_data, non_negative_int, positive_int, run


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

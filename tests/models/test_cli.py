import argparse

import pytest

from models.cli import natural, positive, sentence


def test_values_are_read():
    assert (positive("3"), natural("0"), sentence("as before")) == (3, 0, "as before")


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (positive, "0", "at least 1"),
        (natural, "-1", "at least 0"),
        (positive, "x", "whole number"),
        (sentence, " ", "empty"),
    ],
)
def test_what_makes_no_sense_is_refused(read, text, words):
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        read(text)

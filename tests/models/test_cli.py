import argparse

import pytest

from models.cli import non_empty, non_negative_int, positive_int


def test_values_are_read():
    assert (positive_int("3"), non_negative_int("0"), non_empty("as before")) == (3, 0, "as before")


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (positive_int, "0", "at least 1"),
        (non_negative_int, "-1", "at least 0"),
        (positive_int, "x", "whole number"),
        (non_empty, " ", "empty"),
    ],
)
def test_what_makes_no_sense_is_refused(read, text, words):
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        read(text)

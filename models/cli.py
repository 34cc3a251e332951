"""Values on command lines, checked where they are read: argparse says which option was wrong."""

from __future__ import annotations

import argparse


def positive_int(text: str) -> int:
    """A whole number from 1."""
    return _at_least(1, text)


def non_negative_int(text: str) -> int:
    """A whole number from 0."""
    return _at_least(0, text)


def non_empty(text: str) -> str:
    """Text that is not blank."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def _at_least(least: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}, got {number}")
    return number

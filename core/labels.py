"""How answers are put into words: the same in the picture, on the pages, in the tables and in the terminal."""

from __future__ import annotations

import math
from typing import Any

from core.types import AgeEstimate, ClassEstimate

UNCERTAIN = "uncertain"
"""Written in place of the label of an answer that is less probable than asked for."""


def pluralize(number: int, noun: str) -> str:
    """``1 face``, ``2 faces``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def label_or_uncertain(estimate: ClassEstimate[Any]) -> str:
    """For example ``happy``."""
    return UNCERTAIN if estimate.uncertain else str(estimate.label)


def format_top2(estimate: ClassEstimate[Any], separator: str = ", ") -> str:
    """For example ``sad 41%, neutral 38%``."""
    return separator.join(f"{label} {probability:.0%}" for label, probability in estimate.top_two)


def answer(estimate: ClassEstimate[Any]) -> str:
    """``happy 87%``, or ``uncertain: sad 41% / neutral 38%``."""
    if estimate.uncertain:
        return f"{UNCERTAIN}: {format_top2(estimate, ' / ')}"
    return f"{estimate.label} {estimate.confidence:.0%}"


def round_age(years: float) -> int:
    """The year that an age is shown as and that suggestions go by: the nearest, halves up, as for age brackets."""
    return math.floor(years + 0.5)


def age(estimate: AgeEstimate, unit: str = "") -> str:
    """``31 (25-38)``, or with a ``unit`` such as ``years``: ``31 years (25-38)``."""
    years = f"{round_age(estimate.years)} {unit}".rstrip()
    return f"{years} ({estimate.low:.0f}-{estimate.high:.0f})"

"""Wording of results: the same in the video, on the pages, in tables and on the command line."""

from __future__ import annotations

import math
from typing import Any

from core.types import AgeEstimate, ClassEstimate, Face

UNCERTAIN = "uncertain"
"""Replaces the label of a prediction below its confidence threshold."""


def pluralize(number: int, noun: str) -> str:
    """``1 face``, ``2 faces``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def label_or_uncertain(estimate: ClassEstimate[Any]) -> str:
    """Return the label, for example ``happy``, or ``uncertain``."""
    return UNCERTAIN if estimate.uncertain else str(estimate.label)


def format_top2(estimate: ClassEstimate[Any], separator: str = ", ") -> str:
    """Format the two most probable classes: ``sad 41%, neutral 38%``."""
    return separator.join(f"{label} {probability:.0%}" for label, probability in estimate.top_two)


def format_estimate(estimate: ClassEstimate[Any]) -> str:
    """Format a prediction: ``happy 87%``, or ``uncertain: sad 41% / neutral 38%``."""
    if estimate.uncertain:
        return f"{UNCERTAIN}: {format_top2(estimate, ' / ')}"
    return f"{estimate.label} {estimate.confidence:.0%}"


def round_age(years: float) -> int:
    """Round to the nearest whole year, halves up, as age brackets and suggestions do."""
    return math.floor(years + 0.5)


def format_age(estimate: AgeEstimate, unit: str = "") -> str:
    """Format an age with its interval: ``31 (25-38)``, or with a ``unit``: ``31 years (25-38)``."""
    years = f"{round_age(estimate.years)} {unit}".rstrip()
    return f"{years} ({estimate.low:.0f}-{estimate.high:.0f})"


def format_rotation(degrees: int) -> str:
    """Format a rotation clockwise in degrees, 0 to 359, the short way round: ``90° counterclockwise``."""
    if degrees == 180:
        return "180°"
    return f"{degrees}° clockwise" if degrees < 180 else f"{360 - degrees}° counterclockwise"


def describe_face(face: Face) -> list[str]:
    """Return one line per attribute that was read."""
    lines = []
    if face.emotion is not None:
        lines.append(format_estimate(face.emotion).capitalize())
    if face.age is not None:
        lines.append(f"Age {format_age(face.age)}")
    if face.gender is not None:
        lines.append(f"Perceived gender{' ' if face.gender.uncertain else ': '}{format_estimate(face.gender)}")
    return lines

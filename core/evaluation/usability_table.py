"""What poor crops take off the answers, as ``models.measuring.quality`` measured it beside the limits -> a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from core.artifacts.listed_reports import load_listed
from core.attributes.quality import RESTORE_LIMITS

_COLUMNS = {
    "n": "faces",
    "whole": "share_left_whole",
    "before": "confidence_before",
    "after": "confidence_after",
    "accuracy": "accuracy",
}
"""In the file, and in the table."""


def usability_table(file: Path, answer: str) -> pd.DataFrame:
    """One row a condition for ``emotion`` or ``gender``: number of boxes, share of them whose answers stay whole, mean
    confidence before and after, and accuracy, NaN where there is no face.

    Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file.
    """

    def parsed(raw: Mapping[str, Any]) -> pd.DataFrame:
        measured = raw["measured"].items()
        rows = [{"condition": name} | _row(answers[answer]) for name, answers in measured if answer in answers]
        return pd.DataFrame(rows, columns=["condition", *_COLUMNS.values()])

    return load_listed(file, None, parsed, RESTORE_LIMITS)


def _row(figures: Mapping[str, float]) -> dict[str, float]:
    known = {column: float(figures.get(name, "nan")) for name, column in _COLUMNS.items()}
    return known | {"faces": int(figures["n"])}

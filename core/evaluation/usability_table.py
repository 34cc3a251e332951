"""What poor crops take off the answers, as ``models.usability`` measured it beside the limits -> a table."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.usability import RESTORE_LIMITS

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
    try:
        measured = json.loads(file.read_text(encoding="utf-8"))["measured"]
        rows = [{"condition": name} | _row(answers[answer]) for name, answers in measured.items() if answer in answers]
    except FileNotFoundError as error:
        raise ArtifactMissingError(f"{file} is missing. {RESTORE_LIMITS}") from error
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise ArtifactCorruptError(
            f"{file} holds no measured conditions ({type(error).__name__}: {error}). {RESTORE_LIMITS}"
        ) from error
    return pd.DataFrame(rows, columns=["condition", *_COLUMNS.values()])


def _row(figures: dict[str, float]) -> dict[str, float]:
    known = {column: float(figures.get(name, "nan")) for name, column in _COLUMNS.items()}
    return known | {"faces": int(figures["n"])}

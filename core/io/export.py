"""Export an ``Analysis``, or the error of a file, as a JSON object, as table rows and as CSV text."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import FacetError
from core.labels import format_top2, label_or_uncertain
from core.types import EMOTIONS, GENDERS, Analysis, ClassEstimate, Face

COLUMNS: tuple[str, ...] = (
    "file",
    "rotation",
    "face",
    *("x1", "y1", "x2", "y2", "score"),
    *("emotion", "emotion_guesses", *(f"p_{emotion}" for emotion in EMOTIONS)),
    *("age_years", "age_low", "age_high"),
    *("perceived_gender", "perceived_gender_guesses", *(f"p_{gender}" for gender in GENDERS)),
)
"""Columns of ``rows``: boxes in pixels of the image as it is, ``rotation`` in degrees clockwise that
bring it upright, probabilities in [0, 1], ages in years."""

FILE_COLUMNS = (*COLUMNS, "faces", "error")
"""Columns of ``file_rows``."""

Outcome = Analysis | FacetError
"""What became of a file."""

COLUMN_TITLES: dict[str, str] = {
    **{name: name.replace("_", " ").capitalize() for name in COLUMNS},
    **{f"p_{label}": f"P({label})" for label in (*EMOTIONS, *GENDERS)},
    "emotion_guesses": "Emotion, top two",
    "perceived_gender_guesses": "Perceived gender, top two",
}
"""Column -> display name."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_json_object(file: str, analysis: Analysis) -> dict[str, Any]:
    """Return what ``python -m core analyze --json`` prints for one image. Attributes that were not read are ``None``;
    ``label`` is the most probable class, even if uncertain; ``views``: crops per face that
    the answers are the mean of."""
    return {
        "file": file,
        "width": analysis.width,
        "height": analysis.height,
        "rotation": analysis.rotation,
        "views": analysis.views,
        "faces": [face_object(face) for face in analysis.faces],
        "elapsed_ms": round(analysis.elapsed_ms, 2),
    }


def error_object(file: str, error: FacetError) -> dict[str, str]:
    """Return the JSON object of an image that could not be analysed."""
    return {"file": file, "error": str(error)}


def file_object(file: str, outcome: Outcome, networks: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON object of a file; ``networks``: attribute -> name of the network that read it."""
    if isinstance(outcome, FacetError):
        return error_object(file, outcome)
    return to_json_object(file, outcome) | {"networks": dict(networks)}


def file_rows(file: str, outcome: Outcome) -> list[dict[str, Any]]:
    """Return one row per face with the keys of ``FILE_COLUMNS``. ``faces`` is the number of rows of the file; a file
    without faces has a row with 0, and one that could not be analysed a row with its ``error``."""
    if isinstance(outcome, FacetError):
        return [{"file": file, "error": str(outcome)}]
    faces = len(outcome.faces)
    return [row | {"faces": faces} for row in rows(file, outcome)] or [{"file": file, "faces": 0}]


def rows(file: str, analysis: Analysis) -> list[dict[str, Any]]:
    """Return one flat row per face with the keys of ``COLUMNS``; faces count from 1, missing values are ``None``."""
    return [_row(file, analysis.rotation, number, face) for number, face in enumerate(analysis.faces, start=1)]


def to_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> str:
    """Return CSV text (RFC 4180) with a header line; ``None`` becomes an empty cell.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_guard(row.get(column)) for column in columns] for row in rows)
    return text.getvalue()


def remove_guard(cell: str) -> str:
    """Undo the apostrophe that ``to_csv`` puts before a formula."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA_STARTS) else cell


def face_object(face: Face) -> dict[str, Any]:
    """Return the JSON object of one face."""
    age = face.age
    return {
        "box": [round(value, 2) for value in face.box.xyxy],
        "score": round(face.detection.score, 4),
        "emotion": _estimate_object(face.emotion),
        "age": age and {"years": round(age.years, 2), "low": round(age.low, 2), "high": round(age.high, 2)},
        "gender": _estimate_object(face.gender),
    }


def _estimate_object(estimate: ClassEstimate[Any] | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {
        "label": str(estimate.label),
        "probabilities": {str(k): round(p, 6) for k, p in zip(estimate.LABELS, estimate.probabilities, strict=True)},
        "uncertain": estimate.uncertain,
        "guesses": [str(label) for label, _ in estimate.top_two],
    }


def _row(file: str, rotation: int, number: int, face: Face) -> dict[str, Any]:
    values = face_object(face)
    emotion, age, gender = (values[key] or {} for key in ("emotion", "age", "gender"))
    return {
        "file": file,
        "rotation": rotation,
        "face": number,
        **dict(zip(("x1", "y1", "x2", "y2"), values["box"], strict=True)),
        "score": values["score"],
        "emotion": face.emotion and label_or_uncertain(face.emotion),
        "emotion_guesses": face.emotion and format_top2(face.emotion),
        **{f"p_{label}": emotion.get("probabilities", {}).get(label) for label in EMOTIONS},
        "age_years": age.get("years"),
        "age_low": age.get("low"),
        "age_high": age.get("high"),
        "perceived_gender": face.gender and label_or_uncertain(face.gender),
        "perceived_gender_guesses": face.gender and format_top2(face.gender),
        **{f"p_{label}": gender.get("probabilities", {}).get(label) for label in GENDERS},
    }


def _guard(value: object) -> object:
    # Also if the text starts with apostrophes: removing one must restore it.
    if isinstance(value, str) and value.lstrip("'").startswith(_FORMULA_STARTS):
        return "'" + value
    return value

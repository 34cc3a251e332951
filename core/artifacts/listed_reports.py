"""Reports of numbers, kept as JSON beside a network and listed on its card."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from core.artifacts.model_card import ModelCard
from core.artifacts.storage import sha256_of
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.intervals import MetricValue

Report = TypeVar("Report")


def save_json(file: Path, content: Mapping[str, Any]) -> Path:
    """Write ``content``, which must hold no NaN; the file appears complete or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(json.dumps(content, allow_nan=False, indent=1) + "\n", encoding="utf-8")
    partial.replace(file)
    return file


def load_listed(file: Path, card: ModelCard | None, parse: Callable[[Any], Report], advice: str) -> Report:
    """What ``parse`` makes of ``file``, which must be as listed on ``card`` if there is one.

    Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file and ending with ``advice``; the latter
    also where ``parse`` raises ``AttributeError``, ``KeyError``, ``TypeError`` or ``ValueError``.
    """
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {advice}")
    try:
        if card is not None:
            _check_listed(file, card, advice)
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactCorruptError(f"{file} is no report ({type(error).__name__}: {error}). {advice}") from error


def _check_listed(file: Path, card: ModelCard, advice: str) -> None:
    if file.name not in card.files:
        raise ArtifactCorruptError(f"{file} is not listed on the card. {advice}")
    if sha256_of(file) != card.files[file.name]["sha256"]:
        raise ArtifactCorruptError(f"{file} does not match the SHA-256 on its card. {advice}")


def measured_from(raw: Mapping[str, Any]) -> MetricValue:
    """``None`` is NaN, see ``core.evaluation.json_values``."""
    value, low, high = (math.nan if raw[name] is None else float(raw[name]) for name in ("value", "low", "high"))
    return MetricValue(value, low, high, int(raw["n"]))


def text_from(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {value!r}")
    return value

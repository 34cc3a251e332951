"""The same damage done to an earlier network that had not been trained against it, kept beside the served one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.artifacts.listed_reports import load_listed, save_json, text_from
from core.artifacts.model_card import ModelCard
from core.errors import ConfigError
from core.evaluation.robustness import RobustnessReport, report_dict, report_from

ROBUSTNESS_BEFORE_FILE = "robustness_before.json"


@dataclass(frozen=True)
class BeforeReport:
    """``report``: of the earlier network; ``description``: a sentence on how it differs from the served one."""

    description: str
    report: RobustnessReport

    def __post_init__(self) -> None:
        if not self.description.strip():
            raise ValueError("say how the earlier network differs from the served one")


def check_comparable(before: RobustnessReport, after: RobustnessReport) -> None:
    """``ConfigError`` unless both are about the same pictures and kinds of damage, and about different networks."""
    same = ("task", "side", "fingerprint", "images", "seed")
    different = [name for name in same if getattr(before, name) != getattr(after, name)]
    if different or [one.name for one in before.corruptions] != [one.name for one in after.corruptions]:
        raise ConfigError(f"the reports cannot be compared: they differ in {', '.join(different) or 'kinds of damage'}")
    if before.model_sha256 == after.model_sha256:
        raise ConfigError("both reports are about the same network")


def save_before(folder: Path, before: BeforeReport) -> Path:
    """Write ``robustness_before.json``; it appears complete or not at all."""
    content = {"description": before.description, "report": report_dict(before.report)}
    return save_json(Path(folder) / ROBUSTNESS_BEFORE_FILE, content)


def load_before(folder: Path, card: ModelCard, after: RobustnessReport) -> BeforeReport | None:
    """``None`` if there is no earlier network to compare with. Raises ``ArtifactCorruptError`` for an altered file and
    ``ConfigError`` for one that cannot be compared with ``after``."""
    file = Path(folder) / ROBUSTNESS_BEFORE_FILE
    if not file.is_file():
        return None
    advice = f"Store it again with: python -m models robustness {card.name} --before FOLDER"
    before = load_listed(file, card, _before, advice)
    check_comparable(before.report, after)
    return before


def _before(raw: Mapping[str, Any]) -> BeforeReport:
    return BeforeReport(text_from(raw["description"]), report_from(raw["report"]))

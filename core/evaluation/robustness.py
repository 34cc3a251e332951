"""How well a network answers on damaged pictures: a frozen report, and the file that keeps it beside the network.

The figures are measured by ``python -m models robustness``; ``robustness.json`` holds numbers only, no pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts.listed_reports import load_listed, measured_from, save_json, text_from
from core.artifacts.model_card import SERVED_FILE, ModelCard
from core.errors import ArtifactCorruptError, ConfigError
from core.evaluation.intervals import MetricValue
from core.evaluation.json_values import without_nan
from core.evaluation.metrics import age_report, class_report
from core.evaluation.predictions import Predictions

ROBUSTNESS_FILE = "robustness.json"
SEVERITIES = (1, 2, 3, 4, 5)
MEASURED_ATTRIBUTES = {"emotion": ("emotion",), "age_gender": ("gender", "age")}
"""Task of a network that can be measured -> its attributes; the report's accuracy is that of the first one."""
LIMITS = ("none", "limit", "time")
"""Why a report is about part of the test set: it is not, the user asked for it, all would have taken too long."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Answers on one set of pictures: accuracy of the emotion or of the perceived gender, mean calibrated confidence
    in it (both in [0, 1]), and mean absolute age error in years where the network answers ages."""

    accuracy: MetricValue
    confidence: float
    age_mae: MetricValue | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.accuracy.value <= 1 or not 0 <= self.confidence <= 1:
            raise ValueError(f"shares must be in [0, 1], got {self.accuracy.value} and {self.confidence}")
        if self.age_mae is not None and not (self.age_mae.value >= 0 and self.age_mae.n == self.n):
            raise ValueError(f"an age error must not be negative and be of {self.n} pictures, got {self.age_mae}")

    @property
    def n(self) -> int:
        return self.accuracy.n


@dataclass(frozen=True, slots=True)
class CorruptionFigures:
    """One kind of damage; ``levels`` (in ``unit``) and ``figures`` by severity, mild to strong."""

    name: str
    title: str
    unit: str
    levels: tuple[float, ...]
    figures: tuple[Figures, ...]

    def __post_init__(self) -> None:
        if len(self.levels) != len(SEVERITIES) or len(self.figures) != len(SEVERITIES):
            raise ValueError(f"{self.name} needs {len(SEVERITIES)} levels and figures, got {len(self.figures)}")

    @property
    def mean_accuracy(self) -> float:
        return sum(one.accuracy.value for one in self.figures) / len(self.figures)

    @property
    def mean_age_mae(self) -> float | None:
        errors = [one.age_mae.value for one in self.figures if one.age_mae is not None]
        return sum(errors) / len(errors) if errors else None


@dataclass(frozen=True)
class RobustnessReport:
    """One network on the pictures of its reporting side, as they are and damaged; always the same ``images``.

    ``model_sha256``: of the served network that was measured; ``side_images``: how many pictures the side has;
    ``fingerprint``: of the ids of those used.
    """

    artifact: str
    task: str
    side: str
    model_sha256: str
    seed: int
    images: int
    side_images: int
    limited_by: str
    fingerprint: str
    elapsed_s: float
    clean: Figures
    corruptions: tuple[CorruptionFigures, ...]

    def __post_init__(self) -> None:
        if self.task not in MEASURED_ATTRIBUTES:
            raise ValueError(f"task must be one of {', '.join(MEASURED_ATTRIBUTES)}, got {self.task!r}")
        if self.limited_by not in LIMITS:
            raise ValueError(f"limited_by must be one of {', '.join(LIMITS)}, got {self.limited_by!r}")
        if not 0 < self.images <= self.side_images or (self.limited_by == "none") != (self.images == self.side_images):
            raise ValueError(f"{self.images} of {self.side_images} images do not fit limited_by={self.limited_by!r}")
        names = [one.name for one in self.corruptions]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"corruptions must be at least one and unique, got {names}")
        for one in self.all_figures:
            if one.n != self.images or (one.age_mae is not None) != ("age" in MEASURED_ATTRIBUTES[self.task]):
                raise ValueError(f"figures must be of {self.images} images, with ages for age_gender only, got {one}")

    @property
    def all_figures(self) -> tuple[Figures, ...]:
        return (self.clean, *(figures for one in self.corruptions for figures in one.figures))

    @property
    def mean_corrupted_accuracy(self) -> float:
        """Mean over all corruptions and severities."""
        return sum(one.mean_accuracy for one in self.corruptions) / len(self.corruptions)

    @property
    def mean_corrupted_age_mae(self) -> float | None:
        errors = [one.mean_age_mae for one in self.corruptions if one.mean_age_mae is not None]
        return sum(errors) / len(errors) if errors else None

    @property
    def mean_relative_drop(self) -> float:
        """Share of the clean accuracy that damage costs on average; NaN if nothing was right on clean pictures."""
        return self.relative_drop(self.mean_corrupted_accuracy)

    def relative_drop(self, accuracy: float) -> float:
        clean = self.clean.accuracy.value
        return 1 - accuracy / clean if clean else math.nan


def figures_of(predictions: Predictions) -> Figures:
    """``predictions``: calibrated, as they are served and stored. ``ConfigError`` for answers that are not measured."""
    if predictions.task not in MEASURED_ATTRIBUTES:
        raise ConfigError(f"robustness is measured for {', '.join(MEASURED_ATTRIBUTES)}, got {predictions.task}")
    output = MEASURED_ATTRIBUTES[predictions.task][0]
    return Figures(
        class_report(predictions, output).accuracy,
        _mean_confidence(predictions.probabilities[output]),
        None if predictions.age is None else age_report(predictions).mae,
    )


def measure_command(artifact: str) -> str:
    """The command line that makes the file."""
    return f"python -m models robustness {artifact} --data DIR"


def report_dict(report: RobustnessReport) -> dict[str, Any]:
    """For JSON: nested dictionaries and lists, ``None`` for NaN; ``summary`` is computed from the rest."""
    return {**without_nan(asdict(report)), "summary": without_nan(summary(report))}


def summary(report: RobustnessReport) -> dict[str, float]:
    """Headline figures, flat; ages only where the network answers them."""
    figures = {
        "clean_accuracy": report.clean.accuracy.value,
        "mean_corrupted_accuracy": report.mean_corrupted_accuracy,
        "mean_relative_drop": report.mean_relative_drop,
    }
    if report.clean.age_mae is not None and report.mean_corrupted_age_mae is not None:
        figures |= {
            "clean_age_mae": report.clean.age_mae.value,
            "mean_corrupted_age_mae": report.mean_corrupted_age_mae,
        }
    return figures


def save_report(folder: Path, report: RobustnessReport) -> Path:
    """Write ``robustness.json``; it appears complete or not at all."""
    return save_json(Path(folder) / ROBUSTNESS_FILE, report_dict(report))


def load_report(folder: Path, card: ModelCard) -> RobustnessReport:
    """Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file; the latter also for a report that
    is not on the card, or about another network than the one that the card lists."""
    file = Path(folder) / ROBUSTNESS_FILE
    advice = f"Measure it again with: {measure_command(Path(folder).name)}"
    report = load_listed(file, card, report_from, advice)
    if report.model_sha256 != served_sha256(card) or report.task != card.task:
        raise ArtifactCorruptError(f"{file} was measured on another network than the one installed now. {advice}")
    return report


def served_sha256(card: ModelCard) -> str:
    """Of the served network that the card lists, too large for the repository or not; empty if there is none."""
    return str({**card.excluded_files, **card.files}.get(SERVED_FILE, {}).get("sha256", ""))


def _mean_confidence(probabilities: NDArray[np.float32]) -> float:
    # Float32 shares may exceed 1 by a rounding error.
    return min(1.0, float(probabilities.max(axis=1).mean(dtype=np.float64)))


def report_from(raw: Mapping[str, Any]) -> RobustnessReport:
    """What ``report_dict`` made. Raises ``AttributeError``, ``KeyError``, ``TypeError`` or ``ValueError`` otherwise."""
    report = RobustnessReport(
        artifact=text_from(raw["artifact"]),
        task=text_from(raw["task"]),
        side=text_from(raw["side"]),
        model_sha256=text_from(raw["model_sha256"]),
        seed=int(raw["seed"]),
        images=int(raw["images"]),
        side_images=int(raw["side_images"]),
        limited_by=text_from(raw["limited_by"]),
        fingerprint=text_from(raw["fingerprint"]),
        elapsed_s=float(raw["elapsed_s"]),
        clean=_figures(raw["clean"]),
        corruptions=tuple(_corruption(one) for one in raw["corruptions"]),
    )
    stored = {name: math.nan if value is None else float(value) for name, value in raw["summary"].items()}
    computed = summary(report)
    # Sums may differ in the last digit between versions of Python.
    if stored.keys() != computed.keys() or not np.allclose(
        list(stored.values()), [computed[name] for name in stored], rtol=0, atol=1e-9, equal_nan=True
    ):
        raise ValueError("the summary does not fit the figures")
    return report


def _corruption(raw: Mapping[str, Any]) -> CorruptionFigures:
    levels = tuple(float(level) for level in raw["levels"])
    figures = tuple(_figures(one) for one in raw["figures"])
    return CorruptionFigures(text_from(raw["name"]), text_from(raw["title"]), text_from(raw["unit"]), levels, figures)


def _figures(raw: Mapping[str, Any]) -> Figures:
    age_mae = None if raw["age_mae"] is None else measured_from(raw["age_mae"])
    return Figures(measured_from(raw["accuracy"]), float(raw["confidence"]), age_mae)

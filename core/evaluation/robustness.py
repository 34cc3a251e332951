"""Accuracy on corrupted images (Hendrycks & Dietterich 2019): a frozen report, its file, and its table.

``python -m models robustness`` measures it; ``robustness.json`` holds numbers only, no pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.artifacts.model_card import ROBUSTNESS_FILE, SERVED_FILE, ModelCard
from core.artifacts.storage import JSON_KEY, load_verified_json, save_json, to_json
from core.errors import ArtifactCorruptError, ConfigError
from core.evaluation.intervals import MetricValue
from core.evaluation.metrics import age_report, class_report
from core.evaluation.predictions import Predictions

MEASURED_TASKS = ("emotion", "age_gender")
Metric = Literal["accuracy", "age_mae"]
"""Accuracy of the emotion or of the perceived gender, a share; mean absolute age error, years."""
Limit = Literal["none", "limit", "time"]
"""Why a report covers part of the test split: it does not; the user limited it; the whole would have taken too long."""


@dataclass(frozen=True, slots=True)
class ConditionMetrics:
    """Metrics on one set of images: clean, or after one corruption at one severity.

    ``confidence`` is the mean calibrated confidence in [0, 1]; ``age_mae`` is ``None`` for networks without an age.
    """

    accuracy: MetricValue
    confidence: float
    age_mae: MetricValue | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.accuracy.value <= 1 or not 0 <= self.confidence <= 1:
            raise ValueError(f"shares must be in [0, 1], got {self.accuracy.value} and {self.confidence}")
        if self.age_mae is not None and not (self.age_mae.value >= 0 and self.age_mae.n == self.n):
            raise ValueError(f"an age error must be at least 0 and from {self.n} images, got {self.age_mae}")

    @property
    def n(self) -> int:
        """Number of images."""
        return self.accuracy.n

    def metric(self, name: Metric) -> MetricValue:
        """Return one of the metrics. Raises ``ConfigError`` for one that was not measured."""
        value: MetricValue | None = getattr(self, name, None) if name in get_args(Metric) else None
        if value is None:
            raise ConfigError(f"a metric must be one of {', '.join(get_args(Metric))} and measured, got {name!r}")
        return value


@dataclass(frozen=True, slots=True)
class CorruptionMetrics:
    """Metrics after one corruption, by severity from mild (1) to strong; ``levels`` are in ``unit``."""

    name: str
    title: str
    unit: str
    levels: tuple[float, ...]
    by_severity: tuple[ConditionMetrics, ...] = field(metadata={JSON_KEY: "figures"})

    def __post_init__(self) -> None:
        if not self.levels or len(self.levels) != len(self.by_severity):
            raise ValueError(f"{self.name} needs as many levels as metrics, got {self.levels}")

    def mean(self, name: Metric) -> float:
        """Average one metric over the severities."""
        return float(np.mean([metrics.metric(name).value for metrics in self.by_severity]))


@dataclass(frozen=True)
class RobustnessReport:
    """One network on the clean and the corrupted images of its test split; the same ``images`` everywhere.

    ``model_sha256`` is that of the served network measured; ``fingerprint`` is that of the ids of the images.
    """

    artifact: str
    task: str
    split: str = field(metadata={JSON_KEY: "side"})
    model_sha256: str
    seed: int
    images: int
    split_images: int = field(metadata={JSON_KEY: "side_images"})
    limited_by: Limit
    fingerprint: str
    elapsed_s: float
    clean: ConditionMetrics
    corruptions: tuple[CorruptionMetrics, ...]
    corrupted_ece: float | None = None
    """Expected calibration error over all corrupted images together; absent from older reports."""

    def __post_init__(self) -> None:
        if self.task not in MEASURED_TASKS:
            raise ValueError(f"task must be one of {', '.join(MEASURED_TASKS)}, got {self.task!r}")
        if not 0 < self.images <= self.split_images:
            raise ValueError(f"images must be in 1..{self.split_images}, got {self.images}")
        if (self.limited_by == "none") != (self.images == self.split_images):
            raise ValueError(f"{self.images} of {self.split_images} images do not fit limited_by={self.limited_by!r}")
        names = [corruption.name for corruption in self.corruptions]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"corruptions must be at least one and unique, got {names}")
        for metrics in self.conditions:
            if metrics.n != self.images or (metrics.age_mae is not None) != (self.task == "age_gender"):
                raise ValueError(f"metrics must be of {self.images} images, with ages for age_gender only")

    @property
    def conditions(self) -> tuple[ConditionMetrics, ...]:
        """Metrics of all conditions, the clean one first."""
        corrupted = (metrics for corruption in self.corruptions for metrics in corruption.by_severity)
        return (self.clean, *corrupted)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Names of the metrics that were measured."""
        return ("accuracy",) if self.clean.age_mae is None else ("accuracy", "age_mae")

    def mean_corrupted(self, name: Metric) -> float:
        """Average one metric over all corruptions and severities."""
        return float(np.mean([corruption.mean(name) for corruption in self.corruptions]))

    @property
    def retained_accuracy(self) -> float:
        """Mean accuracy on corrupted images divided by that on clean ones; NaN where the latter is 0."""
        clean = self.clean.accuracy.value
        return self.mean_corrupted("accuracy") / clean if clean else math.nan

    def relative_drop(self, corruption: CorruptionMetrics, name: Metric) -> float:
        """Change of one metric for the worse, as a share of its clean value; NaN where the latter is 0."""
        clean, mean = self.clean.metric(name).value, corruption.mean(name)
        worse = clean - mean if name == "accuracy" else mean - clean
        return worse / clean if clean else math.nan


def measured_output(task: str) -> str:
    """Return the output whose accuracy is measured."""
    return "emotion" if task == "emotion" else "gender"


def measure_condition(predictions: Predictions) -> ConditionMetrics:
    """Compute the metrics of calibrated predictions. Raises ``ConfigError`` for a task that is not measured."""
    if predictions.task not in MEASURED_TASKS:
        raise ConfigError(f"robustness is measured for {', '.join(MEASURED_TASKS)}, got {predictions.task}")
    output = measured_output(predictions.task)
    return ConditionMetrics(
        class_report(predictions, output).accuracy,
        _mean_confidence(predictions.probabilities[output]),
        None if predictions.age is None else age_report(predictions).mae,
    )


def robustness_table(report: RobustnessReport, name: Metric) -> pd.DataFrame:
    """One row per corruption, largest change for the worse first: the metric clean, at each severity and on average.

    Accuracy and relative change are shares, age errors are years; nothing is rounded.
    """
    unit, change = ("accuracy", "relative_drop") if name == "accuracy" else ("years", "relative_increase")
    rows = [
        {
            "corruption": corruption.title,
            f"clean_{unit}": report.clean.metric(name).value,
            **{
                f"severity_{row}_{unit}": metrics.metric(name).value
                for row, metrics in enumerate(corruption.by_severity, 1)
            },
            f"mean_{unit}": corruption.mean(name),
            change: report.relative_drop(corruption, name),
        }
        for corruption in report.corruptions
    ]
    return pd.DataFrame(rows).sort_values(change, ascending=False, kind="stable", ignore_index=True)


def measure_command(artifact: str) -> str:
    """The command line that measures an artifact."""
    return f"python -m models robustness {artifact} --data DIR"


def summarize(report: RobustnessReport) -> dict[str, float]:
    """Summary metrics by name, flat."""
    summary = {
        "clean_accuracy": report.clean.accuracy.value,
        "mean_corrupted_accuracy": report.mean_corrupted("accuracy"),
        "mean_relative_drop": 1 - report.retained_accuracy,
    }
    if report.corrupted_ece is not None:
        summary["corrupted_ece"] = report.corrupted_ece
    if report.clean.age_mae is not None:
        summary |= {
            "clean_age_mae": report.clean.age_mae.value,
            "mean_corrupted_age_mae": report.mean_corrupted("age_mae"),
        }
    return summary


def save_report(folder: Path, report: RobustnessReport) -> Path:
    """Write ``robustness.json``, which also holds the ``summary``, and return its path."""
    file = Path(folder) / ROBUSTNESS_FILE
    save_json(file, {**to_json(report), "summary": summarize(report)})
    return file


def load_report(folder: Path, card: ModelCard) -> RobustnessReport:
    """Read the report that the card lists. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``.

    A report about another network than the one on the card is corrupt as well.
    """
    file = Path(folder) / ROBUSTNESS_FILE
    advice = f"Measure it again with: {measure_command(Path(folder).name)}"
    report = load_verified_json(file, card.files, RobustnessReport, advice)
    if report.model_sha256 != served_sha256(card) or report.task != card.task:
        raise ArtifactCorruptError(f"{file} was measured on another network than the one installed now. {advice}")
    return report


def served_sha256(card: ModelCard) -> str:
    """SHA-256 of the served network that the card lists, in the repository or not; empty if it lists none."""
    return str({**card.excluded_files, **card.files}.get(SERVED_FILE, {}).get("sha256", ""))


def _mean_confidence(probabilities: NDArray[np.float32]) -> float:
    # Float32 shares may exceed 1 by a rounding error.
    return min(1.0, float(probabilities.max(axis=1).mean(dtype=np.float64)))

"""Installed models: an artifact is a folder with fixed file names and a card; no fact lives in a file name.

The card lists size and SHA-256 of the other files, so a truncated or altered file is found before it is used. Model
files that are too large for the repository are listed as well: training and exporting makes them again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import environment
from core.artifacts.package import ListedFile, PeerPackage
from core.artifacts.storage import JSON_KEY, check_listed, from_json, load_json
from core.attributes.postprocessing import UNCALIBRATED_AGE, AgeCalibration
from core.errors import ArtifactCorruptError, ArtifactError, ArtifactMissingError
from core.tasks import TASKS

ARTIFACTS_DIR = Path(__file__).resolve().parents[2] / "models" / "artifacts"
CARD_FILE = "card.json"
SERVED_FILE = "model.tflite"
KERAS_FILE = "model.keras"
PREDICTIONS_FILE = "predictions.npz"
SEVERAL_VIEWS_FILE = "several_views.npz"
"""Predictions from the mean of several views, as of photographs; those in ``PREDICTIONS_FILE`` are of one view."""
SEVERAL_VIEWS_KEY = "several_views"
"""On a card: split -> metric -> value, from ``SEVERAL_VIEWS_FILE``; the metric ``views`` is their number."""
HISTORY_FILE = "history.csv"
ROBUSTNESS_FILE = "robustness.json"
CONSISTENCY_FILE = "consistency.json"
SPEED_FILE = "speed.json"
DETECTOR_ARTIFACT = "face_detector"
"""Folder of Facet's face detector and of the reports on all detectors."""


@dataclass(frozen=True)
class AlignmentSpec:
    """How a detected face becomes the model's crop.

    ``points``: reference landmarks, (x, y) as fractions of the crop's side, in the order of ``core.types.Landmarks``.
    A face without landmarks gets a square of ``scale`` x its box's longer side, whose centre is moved down by
    ``shift_y`` x that side.
    """

    scale: float = 1.0
    shift_y: float = 0.0
    points: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        if self.points is not None and len(self.points) != 5:
            raise ValueError(f"a crop is aligned by five landmarks, got {len(self.points)}")


@dataclass(frozen=True)
class _ReportedResult:
    output: str
    measure: str
    text: str
    source: str


@dataclass(frozen=True)
class _Stage:
    epochs_run: int


@dataclass(frozen=True)
class _Input:
    size: int
    channels: int


@dataclass(frozen=True)
class ViewCalibration:
    """Calibration of the mean of several views, which is less confident than one view and more often right."""

    temperature: Mapping[str, float]
    age_calibration: AgeCalibration = UNCALIBRATED_AGE


@dataclass(frozen=True)
class ModelCard:
    """Metadata of one artifact. ``metrics``: split -> metric -> value, as computed from its predictions."""

    name: str
    title: str
    task: str
    architecture: str
    parameters: int
    input_size: int
    channels: int
    crop: AlignmentSpec
    metrics: Mapping[str, Mapping[str, float]]
    training: Mapping[str, Any]
    data: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any]]
    """File name -> ``bytes`` and ``sha256``."""
    license: str
    intended_use: str
    limits: str
    age_calibration: AgeCalibration = UNCALIBRATED_AGE
    """Fitted on the validation split."""
    temperature: Mapping[str, float] = field(default_factory=dict)
    """Output -> temperature of its probabilities, fitted on the validation split; 1 if absent."""
    several_views_calibration: ViewCalibration | None = None
    """Replaces ``temperature`` and ``age_calibration`` where several views are averaged, see ``for_views``."""
    min_confidence: Mapping[str, float] = field(default_factory=dict)
    """Output -> default confidence threshold: predictions below are "uncertain"; 0 if absent."""
    min_score: float = 0.5
    """Of a detector: score threshold, chosen on the validation split."""
    reported_results: tuple[Mapping[str, Any], ...] = field(default=(), metadata={JSON_KEY: "claims"})
    """Reported results of a baseline: ``output``, ``measure``, ``text``, ``low``, ``high`` and ``source`` of each."""
    recipe: str = ""
    """Whose training recipe a baseline follows; empty for Facet's networks."""
    recipe_epochs: int | None = None
    """Epochs that the recipe asks for; ``epochs_run`` may be fewer."""
    excluded_files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, metadata={JSON_KEY: "not_included"})
    """Model files that are too large for the repository, as in ``files``."""
    package: PeerPackage | None = None
    """Of a peer: the package it comes from."""
    raw: Mapping[str, Any] = field(repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"task must be one of {', '.join(TASKS)}, got {self.task!r}")
        if not all(0.0 <= value <= 1.0 for value in self.min_confidence.values()):
            raise ValueError(f"min_confidence must be in [0, 1], got {self.min_confidence}")
        several = self.several_views_calibration
        if not all(
            value > 0 for value in [*self.temperature.values(), *(several.temperature if several else {}).values()]
        ):
            raise ValueError(f"a temperature must be positive, got {self.temperature}")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> ModelCard:
        """Read the content of ``card.json``. Raises ``ValueError``, saying what is wrong."""
        if not isinstance(raw, Mapping):
            raise ValueError(f"a card must be an object, got {raw!r:.100}")
        model_input = from_json(_Input, raw.get("input"), "input")
        card = from_json(
            cls, {"crop": {}, **raw, "input_size": model_input.size, "channels": model_input.channels, "raw": raw}
        )
        # What stays a mapping on the card is checked here: a malformed one must not wait for the page that shows it.
        for files in (card.files, card.excluded_files):
            from_json(dict[str, ListedFile], files, "files")
        from_json(tuple[_ReportedResult, ...], raw.get("claims", ()), "claims")
        from_json(tuple[_Stage, ...], card.training.get("rounds") or (), "training.rounds")
        several = from_json(dict[str, dict[str, float]], raw.get(SEVERAL_VIEWS_KEY, {}), SEVERAL_VIEWS_KEY)
        for metrics in (*card.metrics.values(), *several.values()):
            if any(math.isnan(value) for value in metrics.values()):
                raise ValueError("a metric must be a finite number, got null")
        return card

    def for_views(self, views: int) -> ModelCard:
        """Return the card with the calibration for the mean of so many views."""
        several = self.several_views_calibration
        if views == 1 or several is None:
            return self
        return replace(self, temperature=several.temperature, age_calibration=several.age_calibration)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What the network predicts about a face; empty for a detector."""
        return TASKS[self.task].attributes

    @property
    def is_baseline(self) -> bool:
        """Whether this is a re-implementation of a published network; those name their recipe."""
        return bool(self.recipe)

    @property
    def is_peer(self) -> bool:
        """Whether this is a published package's network, measured as it is and never served."""
        return self.package is not None

    @property
    def is_own(self) -> bool:
        """Whether this is a network of Facet: neither a baseline nor a peer."""
        return not self.is_baseline and not self.is_peer

    @property
    def is_for_comparison(self) -> bool:
        """Whether this is a network of Facet that exists to be compared with published results only."""
        return TASKS[self.task].comparison_only and not self.is_baseline

    @property
    def epochs_run(self) -> int | None:
        """Epochs of all training stages; ``None`` on a card that does not say."""
        stages = self.training.get("rounds")
        return sum(stage["epochs_run"] for stage in stages) if stages else None

    @property
    def was_shortened(self) -> bool:
        """Whether fewer epochs were run than the recipe asks for."""
        if self.epochs_run is None or self.recipe_epochs is None:
            return False
        return self.epochs_run < self.recipe_epochs


@dataclass(frozen=True)
class InstalledArtifact:
    """A folder under the artifacts directory: its card, or the error that keeps it from being used."""

    name: str
    folder: Path
    card: ModelCard | None
    error: ArtifactError | None


def artifacts_dir() -> Path:
    """Return the folder of the artifacts: ``FACET_ARTIFACTS``, or the one of the repository."""
    return environment.read_path(environment.ARTIFACTS, ARTIFACTS_DIR)


def restore_command(name: str) -> str:
    """The advice that ends every message about a broken artifact."""
    return f"Restore it with: git restore models/artifacts/{name} (docs/training.md says how it is trained)"


def rebuild_commands(card: ModelCard) -> tuple[str, str]:
    """The commands that make the excluded model files, with as many epochs as the stored metrics are from."""
    epochs = f" --epochs {card.epochs_run}" if card.was_shortened else ""
    return f"python -m models.train {card.name} --data data{epochs}", f"python -m models export {card.name} --data data"


def is_served(folder: Path, card: ModelCard) -> bool:
    """Whether ``folder`` has the ``model.tflite`` of a network for faces, be it the right one or not."""
    return bool(card.attributes) and (Path(folder) / SERVED_FILE).is_file()


def load_card(folder: Path) -> ModelCard:
    """Read ``card.json``. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
    file, advice = Path(folder) / CARD_FILE, restore_command(Path(folder).name)
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {advice}")
    version = file.stat()
    return _read_card(file, advice, version.st_mtime_ns, version.st_size)


@lru_cache(maxsize=128)
def _read_card(file: Path, advice: str, mtime_ns: int, size: int) -> ModelCard:
    """Read a card once per version of its file: pages list all cards at every rerun."""
    raw = load_json(file, dict[str, Any], advice)
    try:
        return ModelCard.from_dict(raw)
    except ValueError as error:
        raise ArtifactCorruptError(f"{file} is not a valid model card ({error}). {advice}") from error


def verified_file(folder: Path, file_name: str, card: ModelCard) -> Path:
    """Return the path of one of the artifact's files after comparing its size and SHA-256 with the card."""
    file = Path(folder) / file_name
    advice = restore_command(card.name) if file.is_file() else _advice_on_missing(file_name, card)
    check_listed(file, {**card.files, **card.excluded_files}, advice)
    return file


def _advice_on_missing(file_name: str, card: ModelCard) -> str:
    if card.is_peer and file_name not in card.files:
        return f"Packages are measured only, with: python -m models peers {card.name} --data DIR"
    if file_name not in card.excluded_files:
        return restore_command(card.name)
    megabytes = card.excluded_files[file_name]["bytes"] / 1e6
    train, export = rebuild_commands(card)
    return f"With {megabytes:.0f} MB it does not come with the repository. Make it with: {train}, then: {export}"


def list_artifacts(root: Path | None = None) -> tuple[InstalledArtifact, ...]:
    """List every artifact folder in ``root`` by name, broken ones with their error. Reads cards only."""
    root = artifacts_dir() if root is None else Path(root)
    found = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir() and not path.name.startswith((".", "_"))):
        try:
            found.append(InstalledArtifact(folder.name, folder, load_card(folder), None))
        except ArtifactError as error:
            found.append(InstalledArtifact(folder.name, folder, None, error))
    return tuple(found)
